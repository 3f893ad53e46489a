package tail

import (
	"encoding/json"
	"hash/maphash"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"kindred/data"
)

// OtherSource is the name of the sources beyond Config.MaxSources.
const OtherSource = "(other)"

// Tail is the tail of one process. It is safe for concurrent use.
type Tail struct {
	cfg   Config
	now   func() time.Time
	seed  maphash.Seed
	epoch string // of this process, the first part of every id

	// live is until when subscribers want events, in milliseconds since 1970: 0 without any.
	live        atomic.Int64
	subscribers atomic.Pointer[[]*Subscription] // replaced, never changed; those that went away linger
	joining     sync.Mutex                      // guards replacing subscribers
	shown       sampler
	backlog     *backlog

	sources atomic.Pointer[map[string]*Source] // replaced, never changed
	other   *Source
	adding  sync.Mutex // guards replacing sources
	benches sync.Pool  // of *bench
}

// bench is the memory in which an event is made presentable.
type bench struct {
	scrubber *Scrubber
	json     []byte
}

// New makes a tail with a valid configuration. now is the clock.
func New(cfg Config, now func() time.Time) *Tail {
	t := &Tail{cfg: cfg, now: now, seed: maphash.MakeSeed(), epoch: epochOf(now()), backlog: newBacklog(cfg.Backlog)}
	t.shown.perSecond = uint64(cfg.PerSecond)
	t.benches.New = func() any { return &bench{scrubber: NewScrubber(cfg, t.seed)} }
	t.subscribers.Store(&[]*Subscription{})
	t.sources.Store(&map[string]*Source{})
	t.other = t.newSource(OtherSource)
	return t
}

// Source is one source's part of the tail.
type Source struct {
	tail     *Tail
	name     string
	accepted recent
	refused  recent
	reasons  reasonCounts
}

func (t *Tail) newSource(name string) *Source {
	s := &Source{tail: t, name: strings.Clone(name)}
	s.accepted.init(t.cfg)
	s.refused.init(t.cfg)
	return s
}

// Source is the part of the source of that name, looked for once for each body.
func (t *Tail) Source(name string) *Source {
	known := *t.sources.Load()
	if s, ok := known[name]; ok {
		return s
	}
	if len(known) >= t.cfg.MaxSources {
		return t.other
	}
	t.adding.Lock()
	defer t.adding.Unlock()
	old := *t.sources.Load()
	if s, ok := old[name]; ok {
		return s
	}
	if len(old) >= t.cfg.MaxSources {
		return t.other
	}
	grown := make(map[string]*Source, len(old)+1)
	maps.Copy(grown, old)
	s := t.newSource(name)
	grown[s.name] = s
	t.sources.Store(&grown)
	return s
}

// Event shows an accepted event, which is e.Times.Received old. Nothing of e is kept.
func (s *Source) Event(e *data.Event) {
	at := e.Times.Received.UnixMilli()
	kept := s.accepted.sampler.take(at)
	live := at < s.tail.live.Load()
	if !kept && !live {
		return
	}
	var of traits
	if live {
		t := s.tail
		of = traits{source: t.hash(s.name), typ: t.hash(string(e.Type)), name: t.hash(e.Name), profile: t.hash(string(e.Profile)),
			user: t.hash(string(e.IDs.User)), anonymous: t.hash(string(e.IDs.Anonymous))}
		live = t.asked(&of, at)
	}
	if kept || live {
		b := s.tail.benches.Get().(*bench)
		b.event(s, e)
		s.publish(b, &of, kept, live, &s.accepted)
	}
}

// Refused shows a call that was refused at that time, for a reason. raw is the call,
// or nil; nothing of it is kept.
func (s *Source) Refused(at time.Time, reason string, raw []byte) {
	s.reasons.add(reason)
	ms := at.UnixMilli()
	kept := s.refused.sampler.take(ms)
	live := ms < s.tail.live.Load()
	if !kept && !live {
		return
	}
	of := traits{source: s.tail.hash(s.name), refused: true}
	valid := json.Valid(raw)
	if live {
		if valid {
			s.tail.traitsOf(raw, &of)
		}
		live = s.tail.asked(&of, ms)
	}
	if kept || live {
		b := s.tail.benches.Get().(*bench)
		b.refusal(s, at, reason, raw, valid)
		s.publish(b, &of, kept, live, &s.refused)
	}
}

// traitsOf fills in what a refused call says of itself.
func (t *Tail) traitsOf(raw []byte, of *traits) {
	var call struct {
		Type, Event, Name, UserID, AnonymousID any
	}
	if json.Unmarshal(raw, &call) != nil {
		return
	}
	text := func(v any) string { s, _ := v.(string); return s }
	of.typ, of.user, of.anonymous = t.hash(text(call.Type)), t.hash(text(call.UserID)), t.hash(text(call.AnonymousID))
	if of.name = t.hash(text(call.Event)); of.name == 0 {
		of.name = t.hash(text(call.Name))
	}
}

// publish puts what is on the bench where it belongs.
func (s *Source) publish(b *bench, of *traits, kept, live bool, to *recent) {
	if kept {
		to.put(b.json)
	}
	if live {
		s.tail.backlog.put(of, b.json, *s.tail.subscribers.Load())
	}
	s.tail.benches.Put(b)
}

// asked reports whether a subscriber wants an event of these traits and may have it now.
func (t *Tail) asked(of *traits, at int64) bool {
	subscribers := *t.subscribers.Load()
	for i, s := range subscribers {
		if at >= s.until.Load() || !s.filter.lets(of) {
			continue
		}
		if t.shown.take(at) {
			return true
		}
		for _, other := range subscribers[i:] {
			if other.filter.lets(of) {
				other.sampled.Add(1)
			}
		}
		return false
	}
	return false
}

// Report is what a source did lately.
type Report struct {
	Source  string
	Refused uint64        // calls, since the start
	Reasons []ReasonCount // most frequent first
}

// Sources are the reports of all sources, by name; "(other)" is last, if it has anything.
func (t *Tail) Sources() []Report {
	var out []Report
	for _, name := range slices.Sorted(keys(*t.sources.Load())) {
		out = append(out, (*t.sources.Load())[name].report())
	}
	if r := t.other.report(); r.Refused > 0 {
		out = append(out, r)
	}
	return out
}

func keys[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }

func (s *Source) report() Report {
	r := Report{Source: s.name, Reasons: s.reasons.list()}
	for _, c := range r.Reasons {
		r.Refused += c.Count
	}
	return r
}

// Recent are the newest events of a source, or its newest refused calls, newest
// first; none for a source that is not known.
func (t *Tail) Recent(source string, refused bool) []json.RawMessage {
	s := (*t.sources.Load())[source]
	if source == OtherSource {
		s = t.other
	}
	switch {
	case s == nil:
		return nil
	case refused:
		return s.refused.list()
	}
	return s.accepted.list()
}
