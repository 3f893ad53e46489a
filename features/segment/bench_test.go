package segment

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"kindred/data"
)

// manyRules are n rules as a large shop has them, over 40 kinds of events.
func manyRules(n int) (rules Rules) {
	for i := range n {
		a, b := fmt.Sprintf("Event %d", i%40), fmt.Sprintf("Event %d", (i*7+3)%40)
		when := ""
		switch i % 10 {
		case 0, 1, 2:
			when = fmt.Sprintf(`events(%q).within("%dm").count() > %d`, a, 10+i%5*10, 1+i%6)
		case 3:
			when = fmt.Sprintf(`events(%q).where(event.properties.category == "c%d").within("7d").count() >= 1 && events(%q).within("7d").count() == 0`, a, i%7, b)
		case 4:
			when = fmt.Sprintf(`not_followed_by(events(%q), events(%q), "24h")`, a, b)
		case 5:
			when = fmt.Sprintf(`events(%q).within("90d").sum("total") >= %d.0`, a, 100+i)
		case 6:
			when = fmt.Sprintf(`traits.age > %d && geo.country == "C%d"`, i%60, i%9)
		case 7:
			when = fmt.Sprintf(`events(%q).in_session().count() > %d`, a, i%5)
		case 8:
			when = fmt.Sprintf(`events(%q).decayed("3d") >= %d.5`, a, i%5)
		case 9:
			when = fmt.Sprintf(`seen_recently(events(%q), "30d") && !in_segment("s%d")`, a, i-9)
		}
		rules.Segments = append(rules.Segments, Rule{Segment: fmt.Sprintf("s%d", i), When: when})
	}
	return rules
}

// crowd folds events of people and gives each's bytes.
type crowd struct {
	s      *Set
	w      *Work
	p      *someone
	people [][]byte
	due    []int64
	now    int64
	seed   uint64
	names  []string
	event  data.Event

	events, timers time.Duration
}

func newCrowd(s *Set, people int) *crowd {
	c := &crowd{s: s, w: s.NewWork(), p: &someone{traits: map[string]string{"age": "35"}, open: 1}, people: make([][]byte, people), due: make([]int64, people),
		now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).UnixMilli(), seed: 1}
	for i := range 40 {
		c.names = append(c.names, fmt.Sprintf("Event %d", i))
	}
	c.event = data.Event{Type: data.Track, Source: "web", Props: []byte(`{"category":"c3","total":25.5}`), Ctx: []byte(`{"geo":{"country":"C3"},"device":{"type":"mobile"}}`)}
	return c
}

func (c *crowd) random(n int) int {
	c.seed ^= c.seed << 13
	c.seed ^= c.seed >> 7
	c.seed ^= c.seed << 17
	return int(c.seed % uint64(n))
}

func (c *crowd) step(b testing.TB) {
	i := c.random(len(c.people))
	c.now += 100
	c.event.Name = c.names[c.random(40)*c.random(40)/40]
	if c.due[i] != 0 && c.due[i] <= c.now { // timers are not the event's cost: see BenchmarkDue
		began := time.Now()
		r, err := c.s.Due(c.w, c.people[i], c.p, Affected{}, c.now)
		if err != nil {
			b.Fatal(err)
		}
		c.people[i] = append(c.people[i][:0], r.State...)
		c.timers += time.Since(began)
	}
	began := time.Now()
	r, err := c.s.Event(c.w, c.people[i], Event{Event: &c.event, At: c.now, Hash: c.seed, Session: 1}, c.p, Affected{Session: c.random(20) == 0}, c.now)
	if err != nil {
		b.Fatal(err)
	}
	c.events += time.Since(began)
	if c.due[i] = r.Due; cap(c.people[i]) < len(r.State) {
		c.people[i] = slices.Grow(c.people[i][:0], 2*len(r.State))
	}
	c.people[i] = append(c.people[i][:0], r.State...)
}

// BenchmarkEvent is the cost of an event under many rules, a person after 200 events, and the
// bytes that they take.
func BenchmarkEvent(b *testing.B) {
	for _, n := range []int{10, 100, 500} {
		b.Run(fmt.Sprintf("%d rules", n), func(b *testing.B) {
			cfg := Default()
			cfg.MaxBytes = 1 << 20
			s, err := Compile(manyRules(n), cfg)
			if err != nil {
				b.Fatal(err)
			}
			c := newCrowd(s, 200)
			for range 200 * 200 {
				c.step(b)
			}
			b.ReportAllocs()
			c.events, c.timers = 0, 0
			for b.Loop() {
				c.step(b)
			}
			b.ReportMetric(float64(c.events.Nanoseconds())/float64(b.N), "event-ns/op")
			b.ReportMetric(float64(c.timers.Nanoseconds())/float64(b.N), "timers-ns/op")
			total := 0
			for _, p := range c.people {
				total += len(p)
			}
			b.ReportMetric(float64(total)/float64(len(c.people)), "B/person")
			b.ReportMetric(float64(s.Slots()), "slots")
		})
	}
}

// BenchmarkDue is the cost of a person's timer.
func BenchmarkDue(b *testing.B) {
	cfg := Default()
	cfg.MaxBytes = 1 << 20
	s, err := Compile(manyRules(500), cfg)
	if err != nil {
		b.Fatal(err)
	}
	c := newCrowd(s, 200)
	for range 200 * 200 {
		c.step(b)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i = (i + 1) % len(c.people)
		if _, err := s.Due(c.w, c.people[i], c.p, Affected{}, c.due[i]); err != nil {
			b.Fatal(err)
		}
	}
}
