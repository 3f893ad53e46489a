package segment

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kindred/data"
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
	switch rapid.IntRange(0, 26).Draw(t, "kind") {
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
	case 14:
		return fmt.Sprintf("affinity(\"category\", \"x\") %s 0.%d7", less, n)
	case 15:
		return fmt.Sprintf("score(\"engagement\") %s %d0.7", less, 2*n)
	case 16:
		return fmt.Sprintf("score(\"warm\") %s %d5.3", less, 2*n)
	case 17:
		return fmt.Sprintf("score(\"mixed\") %s %d.7", less, 2*n-4)
	case 18:
		return fmt.Sprintf("dwell(%q) %s duration(%q)", pick("page", "session"), less, window())
	case 19:
		return fmt.Sprintf("%s.getMinutes() %s %d", pick("now", "(now - duration(\"25s\"))"), less, 12*n)
	case 20:
		return fmt.Sprintf("now.getHours(%q) %s %d", pick("UTC", "Asia/Kolkata", "Europe/Berlin"), less, 4+rapid.SampledFrom([]int{0, 18, 19, 20}).Draw(t, "hour"))
	case 21:
		return fmt.Sprintf("%s %s", pick("device.type", "geo.country"), pick(`== "m"`, `!= "m"`, `in ["m", "DE"]`))
	case 22:
		return pick("consent.ads == true", "has(consent.ads)", "has(traits.age)", "has(geo.country)")
	case 23:
		return fmt.Sprintf("traits.age in [1, %d]", n)
	case 24:
		return fmt.Sprintf("%s.within(%q).%s(\"x\") %s %d", set(), window(), pick("avg", "min", "max"), less, n)
	case 25:
		return fmt.Sprintf("%s.%s.last_at().getMinutes() %s %d", set(), pick("in_session()", "within(\"64s\")", "ever()"), less, 12*n)
	}
	if len(names) > 0 {
		return fmt.Sprintf("in_segment(%q)", rapid.SampledFrom(names).Draw(t, "segment"))
	}
	return fmt.Sprintf("%s.ever().count() %s %d", set(), less, n)
}

// testScores are the scores that conditions name.
func testScores() []Score {
	return []Score{
		{Score: "warm", HalfLife: 10e9, Scale: 3, Adds: []ScorePart{{`events("A")`, 2}, {`events("B").where(event.properties.x > 2)`, 3}}},
		{Score: "mixed", HalfLife: 10e9, Adds: []ScorePart{{`events("A")`, 2}, {`events("C")`, -3}}},
	}
}

// testRules draws a rule set.
func testRules(t *rapid.T) (rules Rules) {
	rules.Scores = testScores()
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
		if r.TTL > 0 {
			r.MinStay = min(r.MinStay, r.TTL)
		}
		if rapid.IntRange(0, 2).Draw(t, "group") == 0 {
			r.Group, r.Priority, r.Margin = "g", rapid.IntRange(0, 3).Draw(t, "priority"), float64(rapid.IntRange(0, 2).Draw(t, "margin"))
		} else if len(names) > 0 && rapid.IntRange(0, 2).Draw(t, "parent") == 0 {
			r.Parent = rapid.SampledFrom(names).Draw(t, "whose")
		}
		if rapid.IntRange(0, 5).Draw(t, "consent") == 0 {
			r.Consent = "ads"
		}
		names = append(names, r.Segment)
		rules.Segments = append(rules.Segments, r)
	}
	return rules
}

// testSet draws a rule set that compiles. The only mistake that testRules makes is that a
// segment of a group reads another of it, or, through such a one, itself.
func testSet(t *rapid.T, cfg Config) *Set {
	s, err := Compile(testRules(t), cfg)
	if err == nil {
		return s
	}
	if text := err.Error(); !strings.Contains(text, "of the same group") && !strings.Contains(text, "it depends on itself") {
		t.Fatalf("rules that should compile: %v", err)
	}
	t.Skip(err)
	return nil
}

// happening is one thing that comes to pass at a second.
type happening struct {
	at      int64
	event   *Event // or else the profile changes
	session int64
	change  func(*someone)
	affects Affected
}

func happenings(t *rapid.T, start int64) (out []happening) {
	now, session := start, int64(0)
	for i := range rapid.IntRange(1, 25).Draw(t, "happenings") {
		now += second * rapid.SampledFrom([]int64{0, 1, 1, 2, 5, 9, 10, 30, 64, 65, 180}).Draw(t, "gap")
		h := happening{at: now}
		number := func(most int) int { return rapid.IntRange(0, most).Draw(t, "number") }
		switch rapid.IntRange(0, 11).Draw(t, "what") {
		case 0, 1:
			session = (session + 1) * rapid.Int64Range(0, 1).Draw(t, "open")
			if session != 0 {
				session = int64(i) + 1
			}
			began, views := now, uint32(number(2))
			h.affects.Session, h.change = true, func(p *someone) {
				if p.open != 0 {
					p.last = p.current
					p.current = data.Session{Start: began, End: began + second, PageViews: views}
				}
			}
		case 2:
			own := float64(number(4))
			all := own + float64(number(4))
			h.affects.Behaviour, h.change = true, func(p *someone) { p.own, p.total = data.Decayed{S: own, T: now}, data.Decayed{S: all, T: now} }
		case 3:
			s := float64(number(40))
			h.affects.Behaviour, h.change = true, func(p *someone) { p.engagement = data.Decayed{S: s, T: now} }
		case 4:
			says := rapid.SampledFrom([]string{`{"ads":true}`, `{"ads":false}`, `{}`, ``}).Draw(t, "consent")
			h.affects.Consent, h.change = true, func(p *someone) { p.consent = says }
		case 5:
			age := rapid.SampledFrom([]string{"1", "2", "3", `"two"`, "null", ""}).Draw(t, "age")
			h.affects.Traits, h.change = true, func(p *someone) { p.traits["age"] = age }
		default:
			e := shown(rapid.SampledFrom([]string{"A", "B", "C", "Page Viewed"}).Draw(t, "name"), now, fmt.Sprintf(`{"x":%d}`, number(4)))
			e.Hash, e.Session = uint64(i), session
			if number(4) == 0 {
				e.At, e.Session = now-second*rapid.Int64Range(0, 100).Draw(t, "by"), 0
			}
			if number(3) == 0 {
				e.Ctx = []byte(rapid.SampledFrom([]string{`{"device":{"type":"m"}}`, `{"geo":{"country":"DE"},"device":{"type":"d"}}`, `{"geo":{"country":"FR"}}`}).Draw(t, "context"))
			}
			h.event = &e
		}
		h.session = session
		out = append(out, h)
	}
	return out
}

func nobody() *someone {
	return &someone{traits: map[string]string{"age": "2"}, halfLife: 10 * time.Second}
}

// TestMembersAreWhatARecountEverySecondSays folds random timelines under random rules, with
// timers, and beside it evaluates every rule from the whole log at every second.
func TestMembersAreWhatARecountEverySecondSays(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := Default()
		cfg.MaxBytes, cfg.Horizon = 1<<20, 200*second
		s := testSet(t, cfg)
		rules := s.Rules()
		const start = 1_700_002_200 * second // ten minutes to an hour
		what := happenings(t, start)
		end := what[len(what)-1].at + 400*second
		p := nobody()

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
				looked[due-1], looked[due] = true, true
				took(s.Due(w, state, p, Affected{}, due))
			}
		}
		for _, h := range what {
			timers(h.at)
			p.open = h.session
			if h.event == nil {
				h.change(p)
				took(s.Due(w, state, p, h.affects, h.at))
				continue
			}
			took(s.Event(w, state, *h.event, p, Affected{}, h.at))
		}
		timers(end)

		recounted := recount(t, s, nobody(), what, start, end, looked)
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
	matches := func(f *filter, e *Event) bool {
		if f.name != "" && f.name != e.Name || f.kinds != "" && e.Type != data.Page {
			return false
		}
		in := input{s: s, e: e.Event}
		return !slices.ContainsFunc(f.where, func(n *node) bool { return !n.eval(&in).isTrue() })
	}
	w := s.NewWork()
	var state []byte
	evaluate := func(now int64) {
		w.recount = func(i int) slot.Value {
			spec := &s.slots[i]
			var events []slot.Happened
			for _, h := range seen {
				for step, f := range spec.Sources {
					if matches(&s.filters[f], h.event) {
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
			} else {
				what[0].change(p)
			}
			evaluate(now)
			what = what[1:]
		}
	}
	return out
}
