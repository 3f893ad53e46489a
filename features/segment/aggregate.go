package segment

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"kindred/features/expr"
	"kindred/features/segment/slot"
)

// aggregate compiles the functions over events, models and segments.
func (l *lowering) aggregate(n *expr.Node) *node {
	switch n.Name {
	case "affinity":
		l.reads.behaviour, l.reads.clock = true, true
		return &node{op: opAffinity, facet: l.textOf(n, 0, "the facet"), text: l.textOf(n, 1, "the facet's value"), fades: fading}
	case "score":
		return l.score(n, l.textOf(n, 0, "the score's name"))
	case "cluster", "cluster_confidence", "predict":
		l.reads.behaviour = true
		o := map[string]op{"cluster": opCluster, "cluster_confidence": opConfidence, "predict": opPredict}[n.Name]
		return &node{op: o, text: l.textOf(n, 0, "the model's name"), whole: n.Name == "cluster"}
	case "in_segment":
		out := &node{op: opSegment}
		l.reads.unresolved = append(l.reads.unresolved, reference{out, l.textOf(n, 0, "the segment's name"), n})
		return out
	case "dwell", "dwell_avg":
		return l.dwell(n)
	case "followed_by", "not_followed_by":
		kind := map[string]slot.Kind{"followed_by": slot.Followed, "not_followed_by": slot.NotFollowed}[n.Name]
		return l.steps(n, kind, n.Args[:2], 2)
	case "sequence":
		if n.Args[0].Kind != expr.Elements {
			return l.refuse(n.Args[0], `the steps must be written here, as in [events("A"), events("B")]`)
		}
		return l.steps(n, slot.Sequence, n.Args[0].Args, 1)
	case "seen_recently":
		set := l.events(n.Args[0])
		if set.scoped && l.err == nil {
			l.refuse(n.Args[0], "seen_recently has a time of its own; leave the other out")
		}
		spec := slot.Spec{Kind: slot.Count, Sources: []uint32{set.source}, Scope: slot.Scope{Reach: slot.Within, From: l.length(n, 1)}, Cap: 1}
		if l.err != nil {
			return &node{}
		}
		return &node{op: opGreaterEqual, args: []*node{l.slot(spec), {op: opConst, value: numeric(1)}}, fades: stepped}
	}
	for k := slot.Count; k <= slot.Decayed; k++ {
		if n.Name == k.String() {
			return l.value(n, k)
		}
	}
	return l.refuse(n, "%s is not available in rules", n.Name)
}

// value compiles set.count(), set.sum("field") and their like.
func (l *lowering) value(n *expr.Node, k slot.Kind) *node {
	set := l.events(n.Args[0])
	if l.err != nil {
		return &node{}
	}
	spec := slot.Spec{Kind: k, Sources: []uint32{set.source}, Scope: set.scope}
	switch {
	case k == slot.Decayed:
		spec.HalfLife = time.Duration(l.length(n, 1)) * time.Millisecond
	case len(n.Args) == 2:
		spec.Field = l.set.path(fieldPath(l.textOf(n, 1, "the field"))...)
	}
	if k == slot.Count && spec.Scope.Reach == slot.Within {
		spec.Cap = l.set.caps[capKey{set.source, spec.Scope}]
		l.set.counts(&spec).uses++
	}
	if err := spec.Validate(); err != nil {
		return l.refuse(n, "%v", err)
	}
	return l.slot(spec)
}

// fieldPath is the way to a field of an event: a property unless it begins with "event.".
func fieldPath(name string) []string {
	if rest, ok := strings.CutPrefix(name, "event."); ok {
		return strings.Split(rest, ".")
	}
	return append([]string{"properties"}, strings.Split(name, ".")...)
}

func (l *lowering) steps(n *expr.Node, k slot.Kind, sets []*expr.Node, length int) *node {
	spec := slot.Spec{Kind: k, Scope: slot.Scope{Reach: slot.Within, From: l.length(n, length)}, Horizon: l.set.horizon}
	for _, a := range sets {
		set := l.events(a)
		if set.scoped && l.err == nil {
			l.refuse(a, "%v has a time of its own; leave the other out", k)
		}
		spec.Sources = append(spec.Sources, set.source)
	}
	if l.err != nil {
		return &node{}
	}
	if err := spec.Validate(); err != nil {
		return l.refuse(n, "%v", err)
	}
	s := l.slot(spec)
	if k != slot.NotFollowed {
		s.fades = still // once made, made for good
	}
	return &node{op: opGreaterEqual, args: []*node{s, {op: opConst, value: numeric(1)}}, fades: s.fades}
}

// eventSet is a set of events as rules name it.
type eventSet struct {
	source uint32
	scope  slot.Scope
	scoped bool
}

// events compiles events("…") with what is said of them behind it.
func (l *lowering) events(n *expr.Node) (out eventSet) {
	f, scope, scoped := l.chain(n)
	if l.err != nil {
		return out
	}
	return eventSet{l.set.source(f, canonical(f)), scope, scoped}
}

func (l *lowering) chain(n *expr.Node) (f filter, scope slot.Scope, scoped bool) {
	if n.Kind != expr.Call || n.Type != expr.Events {
		l.refuse(n, `a set of events must stand here, such as events("Clicked")`)
		return
	}
	if n.Name == "events" {
		if len(n.Args) == 1 {
			f.name = l.textOf(n, 0, "the event's name")
		}
		return f, scope, false
	}
	f, scope, scoped = l.chain(n.Args[0])
	if l.err != nil {
		return
	}
	if n.Name == "where" {
		if scoped {
			l.refuse(n, "where stands before the time: events(…).where(…).within(…)")
			return
		}
		inner := &lowering{set: l.set, source: l.source, where: true, reads: &reads{slots: map[int]bool{}}}
		f.where = append(f.where, inner.node(n.Args[1]))
		f.text = append(f.text, render(n.Args[1]))
		l.err = errors.Join(l.err, inner.err)
		return
	}
	if scoped {
		l.refuse(n, "two times; one of within, between, in_session and ever is possible")
		return
	}
	switch n.Name {
	case "within":
		scope = slot.Scope{Reach: slot.Within, From: l.length(n, 1)}
	case "between":
		scope = slot.Scope{Reach: slot.Between, From: l.length(n, 1), To: l.length(n, 2)}
	case "in_session":
		scope = slot.Scope{Reach: slot.Session}
	}
	return f, scope, true
}

// signOfLife is how long somebody counts as there after their last event.
const signOfLife = 30_000

// dwell compiles dwell("page"), dwell("session") and dwell_avg("page", "7d").
func (l *lowering) dwell(n *expr.Node) *node {
	where := l.textOf(n, 0, `"page" or "session"`)
	if l.err == nil && where != "page" && (where != "session" || n.Name == "dwell_avg") {
		return l.refuse(n.Args[0], `%q is not known here; there are "page" and, for dwell, "session"`, where)
	}
	if n.Name == "dwell_avg" {
		spec := slot.Spec{Kind: slot.Avg, Sources: []uint32{l.set.source(filter{name: "Page Left"}, canonical(filter{name: "Page Left"}))},
			Scope: slot.Scope{Reach: slot.Within, From: l.length(n, 1)}, Field: l.set.path("properties", "dwell_seconds")}
		if err := spec.Validate(); err != nil && l.err == nil {
			return l.refuse(n, "%v", err)
		}
		s := l.slot(spec)
		return &node{op: opSpan, args: []*node{s}, fades: s.fades}
	}
	l.reads.session, l.reads.clock = true, true
	lastAt := func(f filter) *node {
		return l.slot(slot.Spec{Kind: slot.LastAt, Sources: []uint32{l.set.source(f, canonical(f))}, Scope: slot.Scope{Reach: slot.Session}})
	}
	came := &node{op: opSession, which: 0, text: "started"}
	if where == "page" {
		came = lastAt(filter{kinds: "page screen"})
	}
	return &node{op: opDwell, args: []*node{came, lastAt(filter{})}, fades: fading}
}

// score compiles score("engagement") or a score of the set.
func (l *lowering) score(n *expr.Node, name string) *node {
	if name == Engagement {
		l.reads.behaviour, l.reads.clock = true, true
		return &node{op: opScore, fades: fading}
	}
	for _, sc := range l.set.scores {
		if sc.name == name {
			s := l.slot(sc.spec)
			if sc.scale > 0 {
				return &node{op: opScaled, scale: sc.scale, args: []*node{s}, fades: fading}
			}
			return s
		}
	}
	known := []string{Engagement}
	for _, sc := range l.set.scores {
		known = append(known, sc.name)
	}
	hint := ""
	if near := expr.Nearest(name, known); near != "" {
		hint = fmt.Sprintf("; did you mean %s?", near)
	}
	return l.refuse(n.Args[0], "there is no score %q%s", name, hint)
}

// counts is how the set's rules use a count.
func (s *Set) counts(spec *slot.Spec) *counted {
	k := capKey{spec.Sources[0], spec.Scope}
	c := s.counted[k]
	if c == nil {
		c = &counted{}
		if s.counted != nil {
			s.counted[k] = c
		}
	}
	return c
}

// countCompared notes that a, if it is a count, is compared with b.
func (l *lowering) countCompared(a, b *node) {
	if a.op != opSlot || b.op != opConst || b.value.kind != number {
		return
	}
	spec := &l.set.slots[a.slot].Spec
	if spec.Kind != slot.Count || spec.Scope.Reach != slot.Within {
		return
	}
	if n := capOf(b.value.n); n > 0 {
		c := l.set.counts(spec)
		c.compared++
		c.largest = max(c.largest, n)
	}
}

// capOf is the number that a Count compared with x by o is a ring for, or 0.
func capOf(x float64) int {
	if x < 0 || x > slot.MaxRing || math.IsNaN(x) {
		return 0
	}
	return max(1, int(math.Ceil(x)))
}
