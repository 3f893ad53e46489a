package segment

import (
	"regexp"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // zones in rules work where the machine has none

	"kindred/features/expr"
)

func (l *lowering) matches(n *expr.Node) *node {
	out := l.with(n, opMatches)
	if l.err != nil {
		return out
	}
	if p := out.args[1]; p.op != opConst || p.value.kind != text {
		return l.refuse(n.Args[1], "the pattern must be a text, written here")
	}
	var err error
	if out.regexp, err = regexp.Compile(out.args[1].value.s); err != nil {
		return l.refuse(n.Args[1], "%v", err)
	}
	out.args = out.args[:1]
	return out
}

// literal compiles timestamp("…") and duration("…").
func (l *lowering) literal(n *expr.Node) *node {
	s, ok := n.Args[0].Value.(string)
	if n.Args[0].Kind != expr.Const || !ok {
		if n.Type == n.Args[0].Type {
			return l.node(n.Args[0])
		}
		return l.refuse(n.Args[0], "a text must stand here, such as %s", map[string]string{"timestamp": `"2026-01-31T00:00:00Z"`, "duration": `"3m"`}[n.Name])
	}
	if n.Name == "duration" {
		d, err := ParseDuration(s)
		if err != nil {
			return l.refuse(n.Args[0], "%v", err)
		}
		return &node{op: opConst, value: value{kind: span, n: float64(d.ms())}}
	}
	at, err := expr.Instant(s)
	if err != nil {
		return l.refuse(n.Args[0], "%q is no time; write it like 2026-01-31T00:00:00Z", s)
	}
	return &node{op: opConst, value: value{kind: instant, n: float64(at.UnixMilli())}}
}

var clocks = []string{"getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes"}

// clock compiles now.getHours("Europe/Berlin") and the like.
func (l *lowering) clock(n *expr.Node) *node {
	if !slices.Contains(clocks, n.Name) || len(n.Args) > 2 {
		return l.refuse(n, "%s is not available in rules; there are %s", n.Name, strings.Join(clocks, ", "))
	}
	if n.Args[0].Type == expr.Duration {
		return l.refuse(n, "%s is of a time, not of a length of it; compare lengths with duration(…)", n.Name)
	}
	at := l.node(n.Args[0])
	out := &node{op: opClock, text: n.Name, args: []*node{at}, zone: time.UTC, whole: true, fades: at.fades}
	if at.slope != 0 {
		out.fades = stepped
	}
	if len(n.Args) == 2 {
		name, _ := n.Args[1].Value.(string)
		zone, err := time.LoadLocation(name)
		if err != nil || name == "" || name == "Local" {
			return l.refuse(n.Args[1], "%q is no time zone; write it like Europe/Berlin", name)
		}
		out.zone = zone
	}
	return out
}
