package segment

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestAnExplanationSaysWhatIsAndWhatComes explains somebody with an abandoned cart in the making.
func TestAnExplanationSaysWhatIsAndWhatComes(t *testing.T) {
	s := mustCompile(t, Rules{Segments: []Rule{
		{Segment: "abandoner", When: `not_followed_by(events("Added"), events("Bought"), "24h")`, TTL: Duration(48 * 3600e9)},
		{Segment: "hot", When: `events("Added").within("10m").count() >= 1 && traits.age > 30`},
		{Segment: "warm", When: `events("Added").within("10m").count() >= 1`, Cooldown: Duration(3600e9)},
	}})
	w, p := s.NewWork(), &someone{traits: map[string]string{}}
	const at = 1_700_000_000 * second
	r, err := s.Event(w, nil, shown("Added", at, ""), p, Affected{}, at)
	if err != nil {
		t.Fatal(err)
	}
	x, err := s.Explain(w, slices.Clone(r.State), p, at+60*second)
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"segment":"abandoner","member":false`, `"next":{"at":"2023-11-15T22:13:20Z","enters":true}`,
		`"says":"traits.age \u003e 30","value":null,"is":"unknown","why":"traits.age unknown"`,
		`"segment":"warm","member":true,"since":"2023-11-14T22:13:20Z"`, `"next":{"at":"2023-11-14T22:23:20Z","enters":false}`,
		`"exact":"exact","from":"2023-11-14T22:04:20.001Z","to":"2023-11-14T22:14:20Z","events":1,"times":["2023-11-14T22:13:20Z"]`,
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in\n%s", want, b)
		}
	}
	x, err = s.Explain(w, r.State, p, at+60*second, "warm")
	if err != nil || len(x.Segments) != 1 {
		t.Errorf("%+v, %v", x, err)
	}
}

func mustCompile(t testing.TB, rules Rules) *Set {
	t.Helper()
	cfg := Default()
	cfg.MaxBytes = 1 << 20
	s, err := Compile(rules, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestTheNextChangeComesWhenExplained holds what is foretold against what happens.
func TestTheNextChangeComesWhenExplained(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Default()
		cfg.MaxBytes = 1 << 20
		s := testSet(t, cfg)
		w, p := s.NewWork(), nobody()
		var state []byte
		due, now := int64(0), int64(0)
		took := func(r Result, err error) []Change {
			if err != nil {
				t.Fatal(err)
			}
			state, due = slices.Clone(r.State), r.Due
			return slices.Clone(r.Changes)
		}
		for _, h := range happenings(t, 1_700_002_200*second) {
			for due != 0 && due <= h.at {
				took(s.Due(w, state, p, Affected{}, due))
			}
			now, p.open = h.at, h.session
			if h.event != nil {
				took(s.Event(w, state, *h.event, p, Affected{}, now))
				continue
			}
			h.change(p)
			took(s.Due(w, state, p, h.affects, now))
		}
		x, err := s.Explain(w, state, p, now)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := json.Marshal(x); err != nil {
			t.Fatal(err)
		}
		foretold, came := map[string]string{}, map[string]string{}
		for i, y := range x.Segments {
			if y.Member != memberOf(t, s, state, y.Segment) || (y.When.Is == "unknown") != (y.When.Value == nil) || y.Segment != s.rules[i].Segment {
				t.Fatalf("%+v", y)
			}
			if y.Next != nil {
				foretold[y.Segment] = fmt.Sprint(y.Next.At.UnixMilli(), y.Next.Enters)
			}
		}
		for due != 0 && (x.Until.IsZero() || due <= x.Until.UnixMilli()) {
			for _, c := range took(s.Due(w, state, p, Affected{}, due)) {
				if came[c.Segment] == "" {
					came[c.Segment] = fmt.Sprint(c.At, c.Entered)
				}
			}
			if len(came) == len(x.Segments) {
				break
			}
		}
		if fmt.Sprint(foretold) != fmt.Sprint(came) {
			t.Fatalf("foretold %v, came %v", foretold, came)
		}
	})
}

func memberOf(t *rapid.T, s *Set, state []byte, name string) bool {
	members, err := s.Members(state)
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(members, func(m Membership) bool { return m.Segment == name })
}
