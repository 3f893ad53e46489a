package segment

import (
	"slices"
	"strings"
	"time"

	"kindred/features/expr"
	"kindred/features/segment/slot"
)

// lowering compiles the conditions of one rule into nodes over the set's slots.
type lowering struct {
	set    *Set
	source string
	reads  *reads
	where  bool // inside a where, which is about one event
	err    error
}

// reads is what a condition's truth depends on, besides slots.
type reads struct {
	slots      map[int]bool
	segments   map[int]bool // places of rules
	traits     bool
	consent    bool
	session    bool
	behaviour  bool // affinities, scores, clusters, predictions
	clock      bool // the time, or what fades with it outside of slots
	exactness  slot.Exactness
	unresolved []reference // segments, by name
}

type reference struct {
	at   *node
	name string
	from *expr.Node
}

func (l *lowering) refuse(n *expr.Node, format string, args ...any) *node {
	if l.err == nil {
		l.err = n.Refuse(l.source, format, args...)
	}
	return &node{}
}

// condition compiles source, a condition.
func (s *Set) condition(source string, r *reads) (*node, error) {
	tree, err := s.parse(source, expr.Bool)
	if err != nil {
		return nil, err
	}
	l := &lowering{set: s, source: source, reads: r}
	n := l.node(tree)
	if l.err == nil && n.fades == fading {
		l.refuse(tree, "this changes all the time: compare it with a number")
	}
	return n, l.err
}

func (s *Set) parse(source string, want expr.Type) (*expr.Node, error) {
	env, err := language()
	if err != nil {
		return nil, err
	}
	return env.Tree(source, want)
}

func (l *lowering) node(n *expr.Node) *node {
	if l.err != nil {
		return &node{}
	}
	out := l.lower(n)
	out.label = render(n)
	return out
}

func (l *lowering) lower(n *expr.Node) *node {
	switch n.Kind {
	case expr.Const:
		return l.constant(n)
	case expr.Name:
		return l.name(n)
	case expr.Field, expr.Has:
		return l.field(n, n.Args[0], n.Name, n.Kind == expr.Has)
	case expr.Elements:
		return l.refuse(n, "a list can stand only behind in, or be the steps of a sequence")
	}
	return l.call(n)
}

func (l *lowering) constant(n *expr.Node) *node {
	out := &node{op: opConst}
	switch v := n.Value.(type) {
	case nil:
		out.value = value{kind: null}
	case bool:
		out.value = truth(v)
	case int64:
		out.value, out.whole = numeric(float64(v)), true
	case uint64:
		out.value, out.whole = numeric(float64(v)), true
	case float64:
		out.value = numeric(v)
	case string:
		out.value = value{kind: text, s: v}
	case time.Duration:
		out.value = value{kind: span, n: float64(v) / 1e6}
	case time.Time:
		out.value = value{kind: instant, n: float64(v.UnixMilli())}
	default:
		return l.refuse(n, "bytes cannot be used in rules")
	}
	return out
}

func (l *lowering) name(n *expr.Node) *node {
	switch n.Name {
	case "event":
		if !l.where {
			return l.refuse(n, "event is known only within where(…), which looks at one event")
		}
		return &node{op: opEvent}
	case "now":
		if l.where {
			return l.refuse(n, "where(…) looks at one event and knows no now; use within(…) for time")
		}
		l.reads.clock = true
		return &node{op: opNow, fades: fading, slope: 1}
	case "consent":
		if !l.where {
			l.reads.consent = true
			return &node{op: opConsent}
		}
	}
	if l.where {
		return l.refuse(n, "where(…) looks at one event only; say %s outside of it", n.Name)
	}
	return l.refuse(n, "%s is asked for its fields, such as %s", n.Name, map[string]string{"traits": "traits.age", "device": "device.type",
		"geo": "geo.country", "sessions": "sessions.last.page_views", "consent": "consent.marketing"}[n.Name])
}

// field is of.name, or, with has, whether there is one.
func (l *lowering) field(at, of *expr.Node, name string, has bool) *node {
	if of.Kind == expr.Name && !l.where {
		switch of.Name {
		case "traits":
			l.reads.traits = true
			return presence(&node{op: opTrait, text: name}, has)
		case "device", "geo":
			return presence(l.context(of.Name, name), has)
		case "sessions":
			return l.sessions(at, name, has)
		}
	}
	if of.Kind == expr.Field && of.Args[0].Kind == expr.Name && of.Args[0].Name == "sessions" && !l.where {
		return l.session(at, of.Name, name, has)
	}
	inner := l.node(of)
	out := &node{op: opField, text: name, args: []*node{inner}, fades: inner.fades}
	if has {
		out.op = opHas
	}
	return out
}

// presence is whether n has a value, if has.
func presence(n *node, has bool) *node {
	if !has {
		return n
	}
	return &node{op: opHas, args: []*node{n}}
}

// context is the latest device.name or geo.name that an event carried.
func (l *lowering) context(part, name string) *node {
	spec := slot.Spec{Kind: slot.Last, Sources: []uint32{l.set.source(filter{}, "")}, Field: l.set.path("context", part, name)}
	return l.slot(spec)
}

func (l *lowering) sessions(at *expr.Node, name string, has bool) *node {
	if name != "count" || has {
		return l.refuse(at, "sessions has count, current and last")
	}
	l.reads.session = true
	return &node{op: opSession, which: 2, whole: true}
}

var sessionFields = []string{"duration", "page_views", "events", "items", "purchases", "started"}

func (l *lowering) session(at *expr.Node, which, name string, has bool) *node {
	place := slices.Index([]string{"current", "last"}, which)
	if place < 0 {
		return l.refuse(at, "sessions has count, current and last, not %s", which)
	}
	if !slices.Contains(sessionFields, name) {
		return l.refuse(at, "a session has %s, not %s", strings.Join(sessionFields, ", "), name)
	}
	l.reads.session = true
	return presence(&node{op: opSession, which: place, text: name, whole: name != "duration" && name != "started"}, has)
}

// slot is the value of a slot, which the set makes if it has none like it.
func (l *lowering) slot(spec slot.Spec) *node {
	if err := spec.Validate(); err != nil && l.err == nil {
		l.err = err
	}
	i := l.set.slot(spec)
	l.reads.slots[i] = true
	out := &node{op: opSlot, slot: i, whole: spec.Kind == slot.Count || spec.Kind == slot.Distinct}
	if spec.Scope.Reach == slot.Session {
		l.reads.session = true
	}
	out.fades = movesOf(&spec)
	l.reads.exactness = max(l.reads.exactness, spec.Exactness())
	if spec.Kind == slot.LastAt {
		return &node{op: opInstant, args: []*node{out}, fades: out.fades}
	}
	return out
}

// movesOf says how the value of a slot changes without events.
func movesOf(spec *slot.Spec) fades {
	switch {
	case spec.Kind == slot.Decayed:
		return fading
	case spec.Kind == slot.Followed || spec.Kind == slot.Sequence: // once made, made for good
		return still
	case spec.Scope.Reach == slot.Within || spec.Scope.Reach == slot.Between:
		return stepped
	}
	return still
}

// with is an operation on the arguments as they are, which must not fade.
func (l *lowering) with(n *expr.Node, o op) *node {
	out := &node{op: o}
	for i, a := range n.Args {
		var x *node
		if o == opIn && i == 1 && a.Kind == expr.Elements {
			x = l.with(a, opList)
			x.label = render(a)
		} else {
			x = l.node(a)
		}
		if x.fades == fading {
			return l.refuse(a, "this changes all the time: compare it with a number or a time that stays")
		}
		out.fades = max(out.fades, x.fades)
		out.args = append(out.args, x)
	}
	return out
}

var operators = map[string]op{"_&&_": opAnd, "_||_": opOr, "!_": opNot, "_?_:_": opChoose, "_==_": opEqual, "_!=_": opUnequal,
	"_*_": opMultiply, "_/_": opDivide, "_%_": opModulo, "-_": opNegate, "@in": opIn, "size": opSize, "contains": opContains,
	"startsWith": opStartsWith, "endsWith": opEndsWith, "lowerAscii": opLower, "upperAscii": opUpper, "int": opNumber, "double": opNumber}

var comparisons = map[string]op{"_<_": opLess, "_<=_": opLessEqual, "_>_": opGreater, "_>=_": opGreaterEqual}

func (l *lowering) call(n *expr.Node) *node {
	if o, ok := comparisons[n.Name]; ok {
		return l.compare(n, o)
	}
	switch n.Name {
	case "_==_", "_!=_":
		return l.compare(n, operators[n.Name])
	case "_+_", "_-_":
		return l.sum(n)
	case "_[_]":
		if k := n.Args[1]; k.Kind == expr.Const {
			if name, ok := k.Value.(string); ok {
				return l.field(n, n.Args[0], name, false)
			}
		}
		return l.refuse(n, `only a name can stand in brackets, as in traits["age"]`)
	case "matches":
		return l.matches(n)
	case "timestamp", "duration":
		return l.literal(n)
	}
	if o, ok := operators[n.Name]; ok {
		out := l.with(n, o)
		out.whole = n.Type == expr.Int
		return out
	}
	if strings.HasPrefix(n.Name, "get") {
		return l.clock(n)
	}
	if l.where {
		return l.refuse(n, "%s is not possible within where(…), which looks at one event", n.Name)
	}
	return l.aggregate(n)
}

// compare compiles a comparison, which is where values that change all the time may stand.
func (l *lowering) compare(n *expr.Node, o op) *node {
	a, b := l.node(n.Args[0]), l.node(n.Args[1])
	if l.err != nil {
		return &node{}
	}
	l.countCompared(a, b)
	l.countCompared(b, a)
	out := &node{op: o, args: []*node{a, b}, fades: max(a.fades, b.fades)}
	if out.fades != fading {
		return out
	}
	linear := func(x *node) bool { return x.slope != 0 || x.fades == still }
	switch {
	case a.slope != b.slope && linear(a) && linear(b):
	case a.fades == fading && a.slope == 0 && b.op == opConst, b.fades == fading && b.slope == 0 && a.op == opConst:
		if o == opEqual || o == opUnequal {
			return l.refuse(n, "this changes all the time and is hardly ever equal: compare with < or >")
		}
	default:
		return l.refuse(n, "compare what changes all the time with a number, or now with a time that stays")
	}
	out.fades = stepped
	return out
}

// sum compiles + and −, also of times.
func (l *lowering) sum(n *expr.Node) *node {
	a, b := l.node(n.Args[0]), l.node(n.Args[1])
	out := &node{op: opAdd, args: []*node{a, b}, slope: a.slope + b.slope, fades: max(a.fades, b.fades), whole: n.Type == expr.Int}
	if n.Name == "_-_" {
		out.op, out.slope = opSubtract, a.slope-b.slope
	}
	for i, x := range out.args {
		if x.fades == fading && x.slope == 0 {
			return l.refuse(n.Args[i], "this changes all the time: compare it with a number")
		}
	}
	if out.slope < -1 || out.slope > 1 {
		return l.refuse(n, "now twice")
	}
	if out.slope != 0 {
		if a.fades == stepped || b.fades == stepped {
			return l.refuse(n, "now with a value of a window; use last_at() without one")
		}
		out.fades = fading
	} else if a.slope != 0 {
		out.fades = still // now − now
	}
	return out
}

// length is the length of time that must be written as argument i.
func (l *lowering) length(n *expr.Node, i int) int64 {
	s, ok := n.Args[i].Value.(string)
	if !ok {
		l.refuse(n.Args[i], `a length of time must be written here, such as "24h"`)
		return 0
	}
	d, err := ParseDuration(s)
	if err != nil {
		l.refuse(n.Args[i], "%v", err)
	}
	return d.ms()
}

// textOf is the text that must be written as argument i.
func (l *lowering) textOf(n *expr.Node, i int, what string) string {
	s, ok := n.Args[i].Value.(string)
	if !ok || s == "" || n.Args[i].Kind != expr.Const {
		l.refuse(n.Args[i], "%s must be written here as a text", what)
	}
	return s
}
