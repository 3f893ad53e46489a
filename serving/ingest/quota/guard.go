package quota

import (
	"cmp"
	"hash/maphash"
	"slices"
	"strings"
	"time"
)

// Guard keeps the limits of one process. It is safe for concurrent use.
type Guard struct {
	cfg   Config
	now   func() time.Time
	start time.Time
	seed  maphash.Seed

	sources    *sources
	soft, hard meter
	users      meter
	persons    *people // nil when neither soft nor hard is on
	anonymous  *people // nil when users is off
	flight     flight
}

// New makes a guard with a valid configuration. now is the clock.
func New(cfg Config, now func() time.Time) *Guard {
	g := &Guard{
		cfg: cfg, now: now, start: now(), seed: maphash.MakeSeed(), sources: newSources(cfg),
		soft: newMeter(cfg.Person), hard: newMeter(cfg.PersonHard), users: newMeter(cfg.Users),
	}
	g.flight.bound(cfg.MaxBytes, cfg.MaxBodies)
	if g.soft.on() || g.hard.on() {
		g.persons = newPeople(cfg.MaxPersons)
	}
	if g.users.on() {
		g.anonymous = newPeople(cfg.MaxPersons)
	}
	return g
}

// Now is the time, read once for all calls of a body. It does not go back where
// the clock has a monotonic reading, as time.Now has.
func (g *Guard) Now() Instant { return Instant(g.now().Sub(g.start)) }

// Source is the bucket and the counters of the source of that name, looked for once
// for each body.
func (g *Guard) Source(name string) *Source { return g.sources.find(name) }

// Admit takes a body of n bytes up, unless those in flight leave no room. Release
// the ticket when nothing of the body is in memory any more. n is the body's size
// after decompression, or the largest that it can have, until Resize.
func (g *Guard) Admit(s *Source, n int64) (Ticket, Refusal, bool) {
	taken, reason := g.flight.admit(n)
	if reason != None {
		s.count[reason].Add(1)
		return Ticket{}, Refusal{reason, g.cfg.RetryAfter}, false
	}
	return Ticket{g, taken}, Refusal{}, true
}

// InFlight is how many bodies and bytes hold tickets.
func (g *Guard) InFlight() (bodies int, bytes int64) {
	now := g.flight.now.Load()
	return int(now >> flightShift), int64(now & maxFlightBytes)
}

// Calls asks whether the source may send n calls now: all of them or none. A body of
// more calls than the burst is taken when the bucket is full, and owed. An empty
// body counts as one call.
func (g *Guard) Calls(s *Source, n int, at Instant) (Refusal, bool) {
	if !s.meter.on() {
		return Refusal{}, true
	}
	for {
		old := s.full.Load()
		full, wait := s.meter.take(Instant(old), at, max(n, 1))
		if wait > 0 {
			s.count[SourceRate].Add(1)
			return Refusal{SourceRate, wait}, false
		}
		if s.full.CompareAndSwap(old, int64(full)) {
			return Refusal{}, true
		}
	}
}

// Return gives back what Calls took for a body that was refused afterwards, and
// which the client will send again.
func (g *Guard) Return(s *Source, n int) {
	if s.meter.on() {
		s.full.Add(-int64(Instant(0).after(float64(max(n, 1)) * s.meter.token)))
	}
}

// Charge is what a call took of its person's buckets, to be given back.
type Charge struct {
	key       uint64
	soft      Instant // that the soft bucket moved by, or of users the bucket of switches
	hard      Instant
	user, was uint64 // the user of an anonymous id, now and before
	anonymous bool
}

// Person counts one call of a person, whose profile's id it is given, and returns
// None, BotRate or PersonRate. The soft bucket is charged for flagged calls, too: who goes
// on above the limit is flagged throughout. The hard one is not.
func (g *Guard) Person(s *Source, person string, at Instant) Reason {
	r, _ := g.ChargePerson(s, person, at)
	return r
}

// ChargePerson is Person for a call that may have to be undone.
func (g *Guard) ChargePerson(s *Source, person string, at Instant) (Reason, Charge) {
	if g.persons == nil || person == "" {
		return None, Charge{}
	}
	c := Charge{key: g.hash(person)}
	set := g.persons.lock(c.key)
	p := set.of(c.key, personUntil)
	verdict := None
	if g.hard.on() {
		full, wait := g.hard.take(Instant(p.more), at, 1)
		c.hard = full - max(Instant(p.more), at)
		p.more = uint64(full)
		if wait > 0 {
			verdict, c.hard = PersonRate, 0
		}
	}
	if g.soft.on() && verdict == None {
		full, within := g.soft.pour(p.full, at)
		c.soft = full - max(p.full, at)
		if p.full = full; !within {
			verdict = BotRate
		}
	}
	set.mu.Unlock()
	return s.counted(verdict), c
}

func personUntil(p *slot) Instant { return max(p.full, Instant(p.more)) }

// User counts that an anonymous id comes with a user id, and returns None or
// UserSwitches. The first user is free, and so is the same user as before; a refused
// one is forgotten. Either id may be empty: then there is nothing to count.
func (g *Guard) User(s *Source, anonymous, user string, at Instant) Reason {
	r, _ := g.ChargeUser(s, anonymous, user, at)
	return r
}

// ChargeUser is User for a call that may have to be undone.
func (g *Guard) ChargeUser(s *Source, anonymous, user string, at Instant) (Reason, Charge) {
	if g.anonymous == nil || anonymous == "" || user == "" {
		return None, Charge{}
	}
	c := Charge{key: g.hash(anonymous), user: g.hash(user), anonymous: true}
	set := g.anonymous.lock(c.key)
	a := set.of(c.key, anonymousUntil)
	c.was = a.more
	verdict := None
	switch a.more {
	case c.user, 0:
		a.full = max(a.full, at) // heard of now: others are forgotten before it
		a.more = c.user
	default:
		full, wait := g.users.take(a.full, at, 1)
		c.soft = full - max(a.full, at)
		a.full = full
		if wait > 0 {
			verdict, c.soft, c.user = UserSwitches, 0, c.was
		} else {
			a.more = c.user
		}
	}
	set.mu.Unlock()
	return s.counted(verdict), c
}

// Undo gives back what the calls of one body took, which are given in the order they came: the
// body was refused afterwards, and the client will send it again. Who has been forgotten
// meanwhile gets nothing; what others did meanwhile stands.
func (g *Guard) Undo(charges []Charge) {
	for i := len(charges) - 1; i >= 0; i-- {
		c := &charges[i]
		switch {
		case c.key == 0:
		case c.anonymous:
			set := g.anonymous.lock(c.key)
			if a := set.known(c.key); a != nil {
				a.full -= c.soft
				if a.more == c.user {
					a.more = c.was
				}
			}
			set.mu.Unlock()
		default:
			set := g.persons.lock(c.key)
			if p := set.known(c.key); p != nil {
				p.full -= c.soft
				p.more = uint64(Instant(p.more) - c.hard)
			}
			set.mu.Unlock()
		}
	}
}

func anonymousUntil(a *slot) Instant { return a.full }

// counted counts r.
func (s *Source) counted(r Reason) Reason {
	if r != None {
		s.count[r].Add(1)
	}
	return r
}

// hash is never 0, which is nobody.
func (g *Guard) hash(id string) uint64 { return max(maphash.String(g.seed, id), 1) }

// Total is how often a limit did something to a source, since the start: bodies
// for the reasons that refuse bodies, else calls.
type Total struct {
	Source string
	Reason Reason
	Count  uint64
}

// Totals are the counters that are not zero, by source and reason. There are at most
// Config.MaxSources + 1 sources.
func (g *Guard) Totals() []Total {
	var out []Total
	add := func(s *Source) {
		for r := range s.count {
			if n := s.count[r].Load(); n > 0 {
				out = append(out, Total{s.name, Reason(r), n})
			}
		}
	}
	for _, s := range *g.sources.known.Load() {
		add(s)
	}
	add(g.sources.other)
	slices.SortFunc(out, func(a, b Total) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), cmp.Compare(a.Reason, b.Reason))
	})
	return out
}
