package expr

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// sketch writes a tree as calls, so that tests can say what it is.
func sketch(n *Node) string {
	args := make([]string, len(n.Args))
	for i, a := range n.Args {
		args[i] = sketch(a)
	}
	switch n.Kind {
	case Const:
		return fmt.Sprint(n.Value)
	case Name:
		return n.Name
	case Field:
		return args[0] + "." + n.Name
	case Has:
		return "has(" + args[0] + "." + n.Name + ")"
	case Elements:
		return "[" + strings.Join(args, " ") + "]"
	}
	return n.Name + "(" + strings.Join(args, " ") + ")"
}

func treeEnv(t *testing.T) *Env {
	e, err := New(DefaultLimits(), []Var{{"event", Map}, {"traits", Map}, {"now", Timestamp}}, []Func{
		{Name: "events", Args: []Type{String}, Result: Events},
		{Name: "where", Member: true, Args: []Type{Events, Bool}, Result: Events},
		{Name: "count", Member: true, Args: []Type{Events}, Result: Int},
		{Name: "sequence", Args: []Type{List, String}, Result: Bool},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTreesAreTheExpressions(t *testing.T) {
	e := treeEnv(t)
	for source, want := range map[string]string{
		`events("A").where(event.properties.depth > 0.8).count() > 5`: `_>_(count(where(events(A) _>_(event.properties.depth 0.8))) 5)`,
		`"x" in traits.interests || !has(traits.age)`:                 `_||_(@in(x traits.interests) !_(has(traits.age)))`,
		`sequence([events("a"), events("b")], "3m")`:                  `sequence([events(a) events(b)] 3m)`,
		`now.getHours("Europe/Berlin") >= 18 ? true : false`:          `_?_:_(_>=_(getHours(now Europe/Berlin) 18) true false)`,
	} {
		n, err := e.Tree(source, Bool)
		if err != nil {
			t.Errorf("%s: %v", source, err)
		} else if got := sketch(n); got != want {
			t.Errorf("%s is %s, want %s", source, got, want)
		} else if n.Type != Bool {
			t.Errorf("%s is of type %v, want bool", source, n.Type)
		}
	}
}

func TestWhatHasNoTreeIsRefusedWithItsPlace(t *testing.T) {
	e := treeEnv(t)
	for source, want := range map[string]string{
		`traits.x.exists(a, a > 1)`: "column 16: loops",
		`evnts("A").count() > 1`:    "did you mean events?",
		`{"a": 1} == traits`:        "column 1: maps",
		`events("A")`:               "gives events, but bool is wanted",
	} {
		_, err := e.Tree(source, Bool)
		var refusal *Error
		if !errors.As(err, &refusal) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an Error with %q", source, err, want)
		}
	}
}
