package segment

import (
	"cmp"
	"math"
	"strings"

	"kindred/data"
	"kindred/features/expr/rawjson"
)

// Person is what rules read of a profile besides slots. What it gives is read at once and
// not kept.
type Person interface {
	// Trait is the JSON of a trait, or nil.
	Trait(name string) []byte
	// Consent is the JSON object that the person's tracker sent last, or nil.
	Consent() []byte
	// Session is the number of the open session, 0 without one, the open or latest session,
	// the one before it, and how many there were.
	Session() (open int64, current, last data.Session, count int64)
	// Affinity is the decayed interest in a value of a facet at now, what interest in all of its values
	// adds up to with the prior, and the half-life in milliseconds with which both fade; the prior does not.
	Affinity(facet, value string, now int64) (own, sum, prior, halfLife float64)
	// Engagement is the built-in score at now, and the first time at which it is at most threshold.
	Engagement(now int64, threshold float64) (score float64, falls int64)
	// Cluster is the number of the cluster that a clusterer put the person into.
	Cluster(name string) (number int32, confidence float64, ok bool)
	// Predict is what a model says of the person.
	Predict(name string) (float64, bool)
}

// input is what a condition is evaluated on.
type input struct {
	s   *Set
	w   *Work
	p   Person
	e   *data.Event // within where
	now int64
}

// eval is the node's value; what is missing or of the wrong type is unknown, which && and ||
// absorb where the other operand decides.
func (n *node) eval(in *input) value {
	switch n.op {
	case opConst:
		return n.value
	case opSlot:
		return ofSlot(in.w.value(in, n.slot))
	case opSpan, opInstant:
		return n.retyped(in)
	case opTrait:
		return ofJSON(in.p.Trait(n.text))
	case opConsent:
		return ofJSON(in.p.Consent())
	case opSession:
		return n.session(in)
	case opEvent:
		return value{kind: unknown}
	case opField:
		return n.field(in)
	case opHas:
		x := n.args[0]
		if n.text == "" { // of a trait and its like
			return truth(x.eval(in).kind != unknown)
		}
		return truth(n.field(in).kind != unknown)
	case opAffinity:
		own, sum, prior, _ := in.p.Affinity(n.facet, n.text, in.now)
		return numeric(max(0, own) / (sum + prior))
	case opScore:
		x, _ := in.p.Engagement(in.now, 0)
		return numeric(x)
	case opScaled:
		x := n.args[0].eval(in)
		return numeric(100 * -math.Expm1(-x.n/n.scale))
	case opCluster, opConfidence:
		number, confidence, ok := in.p.Cluster(n.text)
		if !ok {
			return value{}
		}
		if n.op == opCluster {
			return numeric(float64(number))
		}
		return numeric(confidence)
	case opPredict:
		if x, ok := in.p.Predict(n.text); ok {
			return numeric(x)
		}
		return value{}
	case opSegment:
		return truth(in.w.members[n.slot].in)
	case opNow:
		return value{kind: instant, n: float64(in.now)}
	case opDwell:
		return n.dwell(in)
	case opAnd, opOr:
		return n.logic(in)
	case opNot:
		x := n.args[0].eval(in)
		if x.kind != boolean {
			return value{}
		}
		return truth(x.n == 0)
	case opChoose:
		switch x := n.args[0].eval(in); {
		case x.isTrue():
			return n.args[1].eval(in)
		case x.isFalse():
			return n.args[2].eval(in)
		}
		return value{}
	case opLess, opLessEqual, opGreater, opGreaterEqual, opEqual, opUnequal:
		return compare(n.op, n.args[0].eval(in), n.args[1].eval(in))
	case opAdd, opSubtract, opMultiply, opDivide, opModulo, opNegate:
		return n.arithmetic(in)
	case opIn:
		return n.contained(in)
	case opClock:
		return n.clock(in)
	}
	return n.texts(in)
}

func (n *node) retyped(in *input) value {
	x := n.args[0].eval(in)
	if x.kind != number {
		return value{}
	}
	if n.op == opSpan {
		return value{kind: span, n: x.n * 1000}
	}
	return value{kind: instant, n: x.n}
}

func ofJSON(b []byte) value {
	if len(b) == 0 {
		return value{}
	}
	switch b[0] {
	case '{', '[':
		return value{kind: raw, raw: b}
	case '"':
		s, ok := rawjson.Text(b)
		if !ok {
			return value{}
		}
		return value{kind: text, s: s}
	case 't', 'f':
		return truth(b[0] == 't')
	case 'n':
		return value{kind: null}
	}
	x, ok := rawjson.Number(b)
	if !ok {
		return value{}
	}
	return numeric(x)
}

// field is the field of an object, of the event's own parts first.
func (n *node) field(in *input) value {
	of := n.args[0]
	if of.op == opEvent {
		return eventPart(in.e, n.text)
	}
	x := of.eval(in)
	if x.kind != raw || x.raw[0] != '{' {
		return value{}
	}
	return ofJSON(rawjson.Field(x.raw, n.text))
}

// eventPart is a part of an event by its name.
func eventPart(e *data.Event, name string) value {
	switch name {
	case "properties":
		return ofJSON(e.Props)
	case "context":
		return ofJSON(e.Ctx)
	case "traits":
		return ofJSON(e.Traits)
	case "name":
		return value{kind: text, s: NameOf(e)}
	case "type":
		return value{kind: text, s: string(e.Type)}
	case "source":
		return value{kind: text, s: e.Source}
	case "value":
		return numeric(e.Value)
	case "item":
		if len(e.Items) > 0 {
			return value{kind: text, s: string(e.Items[0].ID)}
		}
	case "price":
		if len(e.Items) > 0 {
			return numeric(e.Items[0].Price)
		}
	}
	return value{}
}

// NameOf is the name by which rules know an event: its own, or that of its type.
func NameOf(e *data.Event) string {
	if e.Name != "" {
		return e.Name
	}
	switch e.Type {
	case data.Identify:
		return "Identify"
	case data.Group:
		return "Group"
	case data.Alias:
		return "Alias"
	}
	return string(e.Type)
}

func (n *node) session(in *input) value {
	open, current, last, count := in.p.Session()
	if n.which == 2 {
		return numeric(float64(count))
	}
	of := current
	if n.which == 0 && open == 0 {
		return value{}
	}
	// The session before is the latest one once that has ended.
	if n.which == 1 && open != 0 {
		of = last
	}
	if of.Start == 0 {
		return value{}
	}
	switch n.text {
	case "duration":
		return value{kind: span, n: float64(of.End - of.Start)}
	case "started":
		return value{kind: instant, n: float64(of.Start)}
	case "page_views":
		return numeric(float64(of.PageViews))
	case "events":
		return numeric(float64(of.Events))
	case "items":
		return numeric(float64(of.Items))
	}
	return numeric(float64(of.Purchases))
}

// dwell is min(now, last sign of life + signOfLife) − when they came, in ms.
func (n *node) dwell(in *input) value {
	came, life := n.args[0].eval(in), n.args[1].eval(in)
	if came.kind != instant || life.kind != instant {
		return value{}
	}
	return value{kind: span, n: max(0, min(float64(in.now), life.n+signOfLife)-came.n)}
}

func (n *node) logic(in *input) value {
	decides := n.op == opOr // the truth value that decides alone
	sure := true
	for _, a := range n.args {
		x := a.eval(in)
		if x.kind != boolean {
			sure = false
		} else if (x.n != 0) == decides {
			return x
		}
	}
	if !sure {
		return value{}
	}
	return truth(!decides)
}

// order compares values of one kind.
func order(a, b value) (int, bool) {
	if a.kind != b.kind {
		return 0, false
	}
	switch a.kind {
	case number, instant, span:
		if math.IsNaN(a.n) || math.IsNaN(b.n) {
			return 0, false
		}
		return cmp.Compare(a.n, b.n), true
	case boolean:
		return cmp.Compare(a.n, b.n), true
	case text:
		return strings.Compare(a.s, b.s), true
	}
	return 0, false
}

func compare(o op, a, b value) value {
	if a.kind == unknown || b.kind == unknown {
		return value{}
	}
	c, comparable := order(a, b)
	switch o {
	case opEqual, opUnequal:
		same := comparable && c == 0 || a.kind == null && b.kind == null
		return truth(same == (o == opEqual))
	}
	if !comparable {
		return value{}
	}
	switch o {
	case opLess:
		return truth(c < 0)
	case opLessEqual:
		return truth(c <= 0)
	case opGreater:
		return truth(c > 0)
	}
	return truth(c >= 0)
}

func (n *node) arithmetic(in *input) value {
	a := n.args[0].eval(in)
	if n.op == opNegate {
		if a.kind != number && a.kind != span {
			return value{}
		}
		a.n = -a.n
		return a
	}
	b := n.args[1].eval(in)
	if n.op == opAdd || n.op == opSubtract {
		return added(a, b, n.op == opSubtract)
	}
	if a.kind != number || b.kind != number || n.whole && b.n == 0 && n.op != opMultiply {
		return value{}
	}
	switch n.op {
	case opMultiply:
		return numeric(a.n * b.n)
	case opDivide:
		if n.whole {
			return numeric(math.Trunc(a.n / b.n))
		}
		return numeric(a.n / b.n)
	}
	return numeric(math.Mod(a.n, b.n))
}

// added is a + b or a − b, of numbers, texts, times and lengths of time.
func added(a, b value, minus bool) value {
	sign := 1.
	if minus {
		sign = -1
	}
	switch {
	case a.kind == unknown || b.kind == unknown:
	case a.kind == number && b.kind == number, a.kind == span && b.kind == span, a.kind == instant && b.kind == span:
		return value{kind: a.kind, n: a.n + sign*b.n}
	case a.kind == instant && b.kind == instant && minus:
		return value{kind: span, n: a.n - b.n}
	case a.kind == span && b.kind == instant && !minus:
		return value{kind: instant, n: a.n + b.n}
	case a.kind == text && b.kind == text && !minus:
		return value{kind: text, s: a.s + b.s}
	}
	return value{}
}
