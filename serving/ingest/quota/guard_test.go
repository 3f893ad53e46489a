package quota

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clock is a clock that is set by hand.
type clock struct{ ns atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(1_000_000, c.ns.Load()) }
func (c *clock) forward(d time.Duration) { c.ns.Add(int64(d)) }

func guard(t testing.TB, change func(*Config)) (*Guard, *clock) {
	cfg := Default()
	change(&cfg)
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	c := new(clock)
	return New(cfg, c.now), c
}

func TestABodyAboveTheRateIsRefusedUntilTheTimeThatItIsTold(t *testing.T) {
	g, c := guard(t, func(cfg *Config) { cfg.Source = Rate{10, 20} })
	s := g.Source("web")
	for range 2 {
		if _, ok := g.Calls(s, 10, g.Now()); !ok {
			t.Fatal("refused within the burst")
		}
	}
	refusal, ok := g.Calls(s, 15, g.Now())
	if ok || refusal.After != 1500*time.Millisecond || refusal.Seconds() != 2 {
		t.Fatalf("%+v %v, want a refusal of 1.5s, told as 2 seconds", refusal, ok)
	}
	c.forward(refusal.After - 2*time.Nanosecond)
	if _, ok := g.Calls(s, 15, g.Now()); ok {
		t.Error("taken before the time that was told")
	}
	c.forward(2 * time.Nanosecond)
	if _, ok := g.Calls(s, 15, g.Now()); !ok {
		t.Error("refused at the time that was told")
	}
	if _, ok := g.Calls(g.Source("app"), 20, g.Now()); !ok {
		t.Error("another source has to wait")
	}
}

func TestABodyLargerThanTheBurstIsTakenByAFullBucketAndOwed(t *testing.T) {
	g, c := guard(t, func(cfg *Config) { cfg.Source = Rate{10, 20} })
	s := g.Source("web")
	if _, ok := g.Calls(s, 100, g.Now()); !ok {
		t.Fatal("a body larger than the burst never passes")
	}
	if refusal, ok := g.Calls(s, 1, g.Now()); ok || refusal.After != 8100*time.Millisecond {
		t.Errorf("%+v %v, want 8.1s: 80 owed and one more", refusal, ok)
	}
	g.Return(s, 100)
	if _, ok := g.Calls(s, 20, g.Now()); !ok {
		t.Error("what was given back is not there")
	}
	c.forward(time.Hour)
	if _, ok := g.Calls(s, 20, g.Now()); !ok {
		t.Error("not full after an hour")
	}
	if _, ok := g.Calls(s, 1, g.Now()); ok {
		t.Error("more than a full bucket after an hour")
	}
}

// bucket is the textbook: tokens that come back with time.
type bucket struct {
	rate, burst, tokens float64
	at                  Instant
}

func (b *bucket) refill(at Instant) {
	b.tokens = min(b.burst, b.tokens+b.rate*float64(at-b.at)/1e9)
	b.at = at
}

func TestAMeterIsTheTextbooksBucket(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		rate := Rate{PerSecond: 0.01 + 1000*r.Float64()*r.Float64(), Burst: 1 + r.IntN(50)}
		m, b := newMeter(rate), bucket{rate: rate.PerSecond, burst: float64(rate.Burst), tokens: float64(rate.Burst)}
		var full, at Instant
		for range 500 {
			at += Instant(r.Float64() * 3 * m.token)
			b.refill(at)
			n := 1 + r.IntN(4)
			next, wait := m.take(full, at, n)
			missing := min(float64(n), b.burst) - b.tokens
			eps := 1e-6 + 501e-9*b.rate // each of 500 takes rounds down by a nanosecond at most
			if (wait == 0) != (missing <= 0) && (missing > eps || missing < -eps) {
				t.Fatalf("%+v: %d at %d: wait %v, the textbook misses %v", rate, n, at, wait, missing)
			}
			if wait > 0 {
				if want := missing / b.rate * 1e9; float64(wait) < want-501 || float64(wait) > want+2 {
					t.Fatalf("%+v: wait %v, the textbook says %v", rate, wait, time.Duration(want))
				}
				if _, still := m.take(next, at+Instant(wait), n); still != 0 {
					t.Fatalf("%+v: refused after the wait", rate)
				}
			} else {
				b.tokens -= float64(n)
			}
			full = next
		}
	}
}

func TestWhoGoesOnAboveTheLimitIsFlaggedThroughoutAndForgivenAfterwards(t *testing.T) {
	g, c := guard(t, func(cfg *Config) { cfg.Person, cfg.PersonHard = Rate{10, 20}, Rate{100, 200} })
	s := g.Source("web")
	flags := 0
	for range 400 { // 20 a second
		flags += int(g.Person(s, "ann", g.Now()) / BotRate)
		c.forward(50 * time.Millisecond)
	}
	if flags < 355 || flags > 385 {
		t.Errorf("%d of 400 flagged, want all but the first 40 or so", flags)
	}
	c.forward(4 * time.Second)
	for range 100 { // 10 a second
		if got := g.Person(s, "ann", g.Now()); got != None {
			t.Fatalf("%v after a rest of two buckets", got)
		}
		c.forward(100 * time.Millisecond)
	}
	refused := 0
	for range 1000 { // at once
		if g.Person(s, "eve", g.Now()).Refuses() {
			refused++
		}
	}
	if refused != 800 {
		t.Errorf("%d of 1000 refused, want 800", refused)
	}
	if got := g.Totals(); len(got) != 2 || got[1] != (Total{"web", PersonRate, 800}) {
		t.Errorf("totals %v", got)
	}
}

// However many others come, whoever stays below the limit passes; whoever is above
// may pass because a place was lost, and only then.
func TestNobodyBelowTheLimitSuffersFromOthers(t *testing.T) {
	g, c := guard(t, func(cfg *Config) {
		cfg.Person, cfg.PersonHard, cfg.Users, cfg.MaxPersons = Rate{5, 5}, Rate{5, 5}, Rate{1, 2}, 16
	})
	s, r := g.Source("web"), rand.New(rand.NewPCG(3, 4))
	for i := range 50_000 {
		at := g.Now()
		g.Person(s, fmt.Sprint("crowd", r.IntN(300)), at)
		g.User(s, fmt.Sprint("a", r.IntN(300)), fmt.Sprint("u", i), at)
		if i%100 == 0 { // once in .2 s
			if got := g.Person(s, "ann", at); got != None {
				t.Fatalf("call %d: ann has %v", i, got)
			}
			if got := g.User(s, "ann's browser", "ann", at); got != None {
				t.Fatalf("call %d: ann's browser has %v", i, got)
			}
		}
		c.forward(2 * time.Millisecond)
	}
}

func TestAnAnonymousIDMayChangeItsUserNowAndThen(t *testing.T) {
	g, c := guard(t, func(cfg *Config) { cfg.Users = Rate{1, 2} })
	s := g.Source("web")
	ask := func(user string, want Reason) {
		t.Helper()
		if got := g.User(s, "browser", user, g.Now()); got != want {
			t.Errorf("%s: %v, want %v", user, got, want)
		}
	}
	ask("ann", None)
	for range 100 {
		ask("ann", None) // the same
	}
	ask("bob", None)
	ask("eve", None)
	ask("joe", UserSwitches)
	ask("eve", None) // the last that was taken
	c.forward(time.Second)
	ask("joe", None)
	if g.User(s, "", "ann", g.Now()) != None || g.User(s, "browser", "", g.Now()) != None {
		t.Error("a call with one id only was counted")
	}
}

func TestBodiesInFlightStayBelowTheirBounds(t *testing.T) {
	g, _ := guard(t, func(cfg *Config) { cfg.MaxBytes, cfg.MaxBodies = 10_000, 20 })
	s := g.Source("web")
	var wg sync.WaitGroup
	var taken, refused atomic.Int64
	for w := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(w), 1))
			var held []Ticket
			for range 5000 {
				if ticket, refusal, ok := g.Admit(s, r.Int64N(3000)); ok {
					taken.Add(1)
					ticket.Resize(r.Int64N(3000))
					held = append(held, ticket)
				} else if refused.Add(1); refusal.Seconds() != 1 || !refusal.Reason.Refuses() {
					t.Errorf("refusal %+v", refusal)
				}
				if bodies, bytes := g.InFlight(); bodies > 20 || bytes > 10_000 {
					t.Errorf("%d bodies, %d bytes in flight", bodies, bytes)
				}
				for len(held) > 0 && r.IntN(3) > 0 {
					held[len(held)-1].Release()
					held = held[:len(held)-1]
				}
			}
			for i := range held {
				held[i].Release()
				held[i].Release() // the second does nothing
			}
		})
	}
	wg.Wait()
	if bodies, bytes := g.InFlight(); bodies != 0 || bytes != 0 || taken.Load() == 0 || refused.Load() == 0 {
		t.Errorf("%d bodies, %d bytes left; %d taken, %d refused", bodies, bytes, taken.Load(), refused.Load())
	}
	if ticket, _, ok := g.Admit(s, 1<<30); !ok {
		t.Error("a body above the bound never passes")
	} else if ticket.Release(); g.flight.now.Load() != 0 {
		t.Error("it was not released as it was taken")
	}
	var none Ticket
	none.Release()
	if !none.Resize(1 << 40) {
		t.Error("a ticket of nothing has no room")
	}
}

func TestManyTogetherTakeNoMoreThanTheBucketHolds(t *testing.T) {
	g, _ := guard(t, func(cfg *Config) { cfg.Source, cfg.PersonHard, cfg.Person = Rate{1, 5000}, Rate{1, 3000}, Rate{} })
	var calls, persons atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 2000 {
				s := g.Source("web")
				if _, ok := g.Calls(s, 1, 0); ok {
					calls.Add(1)
				}
				if g.Person(s, "ann", 0) == None {
					persons.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if calls.Load() != 5000 || persons.Load() != 3000 {
		t.Errorf("%d calls and %d of a person taken, want 5000 and 3000", calls.Load(), persons.Load())
	}
}

func TestSourcesBeyondTheBoundShareOne(t *testing.T) {
	g, _ := guard(t, func(cfg *Config) {
		cfg.MaxSources, cfg.Source, cfg.Sources = 3, Rate{1, 1}, map[string]Rate{"vip": {1000, 1000}}
	})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 100 {
				g.Calls(g.Source(fmt.Sprint("made-up-", i)), 1, 0)
			}
		})
	}
	wg.Wait()
	if n := len(*g.sources.known.Load()); n != 3 {
		t.Errorf("%d sources known, want 3", n)
	}
	if g.Source("another") != g.sources.other || g.Source("vip") == g.sources.other {
		t.Error("another is no other, or vip is")
	}
	if _, ok := g.Calls(g.Source("vip"), 900, 0); !ok {
		t.Error("vip has not its own limit")
	}
}

func TestNothingIsAllocated(t *testing.T) {
	g, c := guard(t, func(cfg *Config) { cfg.Source = Rate{1000, 1000} })
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprint("person-", i)
	}
	g.Source("web")
	i := 0
	if n := testing.AllocsPerRun(2000, func() {
		s, at := g.Source("web"), g.Now()
		ticket, _, _ := g.Admit(s, 1000)
		g.Calls(s, 10, at)
		g.Person(s, names[i%1000], at)
		g.User(s, names[i%1000], names[(i+1)%1000], at)
		Flag(nil)
		ticket.Resize(10)
		ticket.Release()
		c.forward(time.Millisecond)
		i++
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestFlagKeepsWhatOthersFound(t *testing.T) {
	for bot, want := range map[string]string{
		``:                                     `{"score":0.9,"reasons":["bot.rate"]}`,
		`null`:                                 `{"score":0.9,"reasons":["bot.rate"]}`,
		`[1]`:                                  `{"score":0.9,"reasons":["bot.rate"]}`,
		`{"a":[]}`:                             `{"a":[],"reasons":["bot.rate"],"score":0.9}`,
		`{"score":0.95,"reasons":["ua"]}`:      `{"reasons":["ua","bot.rate"],"score":0.95}`,
		`{"score":0.2,"reasons":["bot.rate"]}`: `{"reasons":["bot.rate"],"score":0.9}`,
	} {
		if got := string(Flag(json.RawMessage(bot))); got != want {
			t.Errorf("%s: %s, want %s", bot, got, want)
		}
	}
}

func TestEveryReasonHasANameAndTheRefusalsAText(t *testing.T) {
	for r := SourceRate; r < reasons; r++ {
		if r.String() == "" || r.Refuses() == r.Flags() || r.Refuses() && r.Error() == "" {
			t.Errorf("reason %d is %q, %q", r, r.String(), r.Error())
		}
	}
	var reason Reason
	if err := error(Refusal{Reason: SourceRate}); err.Error() == "" || errors.As(error(PersonRate), &reason) && reason != PersonRate {
		t.Error("a refusal says nothing")
	}
	if got := (Refusal{After: time.Hour}).Seconds(); got != 300 {
		t.Errorf("an hour is told as %d, want 300", got)
	}
}

func TestValidateNamesTheField(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Config){
		"source: burst":            func(c *Config) { c.Source = Rate{PerSecond: 5} },
		"sources.web: per_second":  func(c *Config) { c.Sources = map[string]Rate{"web": {-1, 3}} },
		"person_hard.per_second":   func(c *Config) { c.PersonHard = Rate{1, 1} },
		"users: burst":             func(c *Config) { c.Users = Rate{1e-9, 1000} },
		"max_sources":              func(c *Config) { c.MaxSources = 0 },
		"sources has 2":            func(c *Config) { c.MaxSources, c.Sources = 1, map[string]Rate{"a": {}, "b": {}} },
		"max_persons":              func(c *Config) { c.MaxPersons = 1 },
		"max_bytes":                func(c *Config) { c.MaxBytes = -1 },
		"max_bodies":               func(c *Config) { c.MaxBodies = 1 << 30 },
		"retry_after is 0s; use 1": func(c *Config) { c.RetryAfter = 0 },
	} {
		cfg := Default()
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func BenchmarkBodyOfTenCalls(b *testing.B) {
	g := New(Default(), time.Now)
	names := make([]string, 1<<16)
	for i := range names {
		names[i] = fmt.Sprint("01J00000000000000000-", i)
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := rand.IntN(1 << 16); pb.Next(); i++ {
			s, at := g.Source("web"), g.Now()
			ticket, _, _ := g.Admit(s, 1000)
			g.Calls(s, 10, at)
			for range 10 {
				g.Person(s, names[i&0xffff], at)
				g.User(s, names[i&0xffff], names[i&0xff], at)
			}
			ticket.Release()
		}
	})
}
