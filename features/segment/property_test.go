package segment

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"kindred/features/segment/slot"
)

const second = int64(1000)

// testConditions draws a condition over events A, B, C with windows of seconds to minutes.
func testConditions(t *rapid.T, depth int, names []string) string {
	pick := func(of ...string) string { return rapid.SampledFrom(of).Draw(t, "part") }
	set := func() string {
		s := fmt.Sprintf("events(%q)", pick("A", "B", "C"))
		if rapid.IntRange(0, 2).Draw(t, "where") == 0 {
			s += fmt.Sprintf(".where(event.properties.x > %d)", rapid.IntRange(0, 4).Draw(t, "x"))
		}
		return s
	}
	window := func() string { return pick("3s", "10s", "64s", "3m") }
	if depth > 0 && rapid.Bool().Draw(t, "deeper") {
		a, b := testConditions(t, depth-1, names), testConditions(t, depth-1, names)
		switch pick("&&", "||", "!", "?") {
		case "&&":
			return "(" + a + ") && (" + b + ")"
		case "||":
			return "(" + a + ") || (" + b + ")"
		case "!":
			return "!(" + a + ")"
		}
		return "(" + a + ") ? (" + b + ") : !(" + b + ")"
	}
	n := rapid.IntRange(0, 4).Draw(t, "n")
	less := pick(">", ">=", "<", "<=")
	switch rapid.IntRange(0, 14).Draw(t, "kind") {
	case 0:
		return fmt.Sprintf("%s.within(%q).count() %s %d", set(), window(), pick("==", "!=", less), n)
	case 1:
		return fmt.Sprintf("%s.within(%q).sum(\"x\") %s %d.5", set(), window(), less, n)
	case 2:
		return fmt.Sprintf("%s.within(%q).distinct(\"x\") %s %d", set(), window(), less, n)
	case 3:
		return fmt.Sprintf("%s.between(\"64s\", %q).count() %s %d", set(), pick("3s", "10s"), less, n)
	case 4:
		return fmt.Sprintf("%s.in_session().count() %s %d", set(), less, n)
	case 5:
		return fmt.Sprintf("followed_by(%s, %s, %q)", set(), set(), window())
	case 6:
		return fmt.Sprintf("not_followed_by(%s, %s, %q)", set(), set(), window())
	case 7:
		return fmt.Sprintf("sequence([%s, %s, %s], %q)", set(), set(), set(), window())
	case 8:
		return fmt.Sprintf("%s.decayed(\"10s\") %s %d.7", set(), less, n)
	case 9:
		return fmt.Sprintf("now - %s.last_at() %s duration(%q)", set(), less, window())
	case 10:
		return fmt.Sprintf("%s.last(\"x\") %s %d", set(), less, n)
	case 11:
		return fmt.Sprintf("traits.age %s %d", less, n)
	case 12:
		return fmt.Sprintf("seen_recently(%s, %q)", set(), window())
	case 13:
		return fmt.Sprintf("%s.within(%q).count() %s %s.within(%q).count()", set(), window(), less, set(), window())
	}
	if len(names) > 0 {
		return fmt.Sprintf("in_segment(%q)", rapid.SampledFrom(names).Draw(t, "segment"))
	}
	return fmt.Sprintf("%s.ever().count() %s %d", set(), less, n)
}

// testRules draws a rule set.
func testRules(t *rapid.T) (rules Rules) {
	var names []string
	for i := range rapid.IntRange(1, 4).Draw(t, "rules") {
		r := Rule{Segment: fmt.Sprint("s", i), When: testConditions(t, 2, names)}
		length := func(label string) Duration {
			if rapid.IntRange(0, 3).Draw(t, label) > 0 {
				return 0
			}
			return Duration(rapid.Int64Range(1, 20).Draw(t, label+" seconds") * 1e9)
		}
		if rapid.IntRange(0, 3).Draw(t, "exit") == 0 {
			r.Exit = testConditions(t, 1, names)
		}
		r.For, r.Cooldown, r.MinStay, r.TTL = length("for"), length("cooldown"), length("min stay"), length("ttl")
		r.MinStay = min(r.MinStay, r.TTL)
		if rapid.IntRange(0, 2).Draw(t, "group") == 0 {
			r.Group, r.Priority, r.Margin = "g", rapid.IntRange(0, 3).Draw(t, "priority"), float64(rapid.IntRange(0, 2).Draw(t, "margin"))
		} else if len(names) > 0 && rapid.IntRange(0, 2).Draw(t, "parent") == 0 {
			r.Parent = rapid.SampledFrom(names).Draw(t, "whose")
		}
		names = append(names, r.Segment)
		rules.Segments = append(rules.Segments, r)
	}
	return rules
}

// happening is one thing that comes to pass at a second.
type happening struct {
	at      int64
	event   *Event // or else a new session begins, or the open one ends
	session int64
}

func happenings(t *rapid.T, start int64) (out []happening) {
	now, session := start, int64(0)
	for i := range rapid.IntRange(1, 25).Draw(t, "happenings") {
		now += second * rapid.SampledFrom([]int64{0, 1, 1, 2, 5, 9, 10, 30, 64, 65, 180}).Draw(t, "gap")
		if rapid.IntRange(0, 5).Draw(t, "what") == 0 {
			session = (session + 1) * rapid.Int64Range(0, 1).Draw(t, "open")
			if session != 0 {
				session = int64(i) + 1
			}
			out = append(out, happening{at: now, session: session})
			continue
		}
		e := shown(rapid.SampledFrom([]string{"A", "B", "C"}).Draw(t, "name"), now, fmt.Sprintf(`{"x":%d}`, rapid.IntRange(0, 4).Draw(t, "x")))
		e.Hash, e.Session = uint64(i), session
		if rapid.IntRange(0, 4).Draw(t, "late") == 0 {
			e.At, e.Session = now-second*rapid.Int64Range(0, 100).Draw(t, "by"), 0
		}
		out = append(out, happening{at: now, event: &e, session: session})
	}
	return out
}

// TestMembersAreWhatARecountEverySecondSays folds random timelines under random rules, with
// timers, and beside it evaluates every rule from the whole log at every second.
func TestMembersAreWhatARecountEverySecondSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := testRules(t)
		cfg := Default()
		cfg.MaxBytes, cfg.Horizon = 1<<20, 200*second
		s, err := Compile(rules, cfg)
		if err != nil {
			t.Skip(err) // such as a segment of a group that reads another of it
		}
		const start = 1_700_000_000 * second
		what := happenings(t, start)
		end := what[len(what)-1].at + 400*second
		p := &someone{traits: map[string]string{"age": "2"}}

		var folded []Change
		looked := map[int64]bool{}
		w := s.NewWork()
		var state []byte
		due := int64(0)
		took := func(r Result, err error) {
			if err != nil {
				t.Fatal(err)
			}
			state, due = slices.Clone(r.State), r.Due
			folded = append(folded, r.Changes...)
		}
		timers := func(until int64) {
			for n := 0; due != 0 && due <= until; n++ {
				if n > 2000 {
					t.Fatalf("%+v: a timer every moment, now at %d", rules, due)
				}
				looked[due] = true
				took(s.Due(w, state, p, Affected{}, due))
			}
		}
		for _, h := range what {
			timers(h.at)
			p.open = h.session
			if h.event == nil {
				took(s.Due(w, state, p, Affected{Session: true}, h.at))
				continue
			}
			took(s.Event(w, state, *h.event, p, Affected{}, h.at))
		}
		timers(end)

		recounted := recount(t, s, p, what, start, end, looked)
		if !slices.Equal(folded, recounted) {
			t.Fatalf("%+v\nfolded    %v\nrecounted %v", rules, relative(folded, start), relative(recounted, start))
		}
	})
}

func relative(changes []Change, start int64) (out []Change) {
	for _, c := range changes {
		c.At -= start
		out = append(out, c)
	}
	return out
}

// recount evaluates all rules at every second from the log, and at the times in looked.
func recount(t *rapid.T, s *Set, p *someone, what []happening, start, end int64, looked map[int64]bool) (out []Change) {
	var seen []happening
	w := s.NewWork()
	var state []byte
	evaluate := func(now int64) {
		w.recount = func(i int) slot.Value {
			spec := &s.slots[i]
			var events []slot.Happened
			for _, h := range seen {
				for step, f := range spec.Sources {
					in := input{s: s, e: h.event.Event}
					if fl := s.filters[f]; fl.name == h.event.Name && !slices.ContainsFunc(fl.where, func(n *node) bool { return !n.eval(&in).isTrue() }) {
						e := slot.Event{At: h.event.At, ID: h.event.Hash, Session: h.event.Session}
						if spec.Field != 0 {
							e.Value = w.fieldOf(h.event.Event, s.paths[spec.Field])
						}
						events = append(events, slot.Happened{Step: step, Event: e})
					}
				}
			}
			return spec.Naive(events, now, p.open, true)
		}
		if err := w.load(state); err != nil {
			t.Fatal(err)
		}
		w.decided, w.now = 0, now
		r := w.finish(&input{s: s, w: w, p: p, now: now})
		state = slices.Clone(r.State)
		out = append(out, r.Changes...)
	}
	p.open = 0
	times := []int64{}
	for at := start; at <= end; at += second {
		times = append(times, at)
	}
	for at := range looked {
		times = append(times, at)
	}
	slices.Sort(times)
	first := what[0].at // nobody is evaluated before anything is known of them
	for _, now := range slices.Compact(times) {
		if now < first {
			continue
		}
		if len(seen) > 0 || now > first {
			evaluate(now)
		}
		for len(what) > 0 && what[0].at <= now {
			p.open = what[0].session
			if what[0].event != nil {
				seen = append(seen, what[0])
			}
			evaluate(now)
			what = what[1:]
		}
	}
	return out
}
