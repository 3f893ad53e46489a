package features

import (
	"context"
	"errors"
	"fmt"
	"math"

	"kindred/data"
	"kindred/features/compact"
	"kindred/features/segment"
	"kindred/features/window"
)

// Rules finds the segment rules of a published version: nil, without an error, for a
// version without rules; data.ErrNotFound for one that is gone, which counts as none. Any other
// error stops the fold until it can be answered.
type Rules func(ctx context.Context, version string) (*segment.Set, error)

// The types of changes that segments publish: To or From is the segment, Model the version
// of the rules.
const (
	SegmentEntered = "segment_entered"
	SegmentExited  = "segment_exited"
)

// segments is what a memory has of segment rules.
type segments struct {
	find    Rules
	set     *segment.Set
	work    *segment.Work
	version string // that set belongs to
	unknown int64  // conditions that were unknown, since the last commit
	timers  segmentTimers
}

// WithRules makes the memory fold people under the live version's segment rules, before the
// first Fold. It returns m.
func (m *Memory) WithRules(find Rules) *Memory {
	m.segments.find = find
	return m
}

// liveRules are the rules of the live version, loaded once a version, or nil.
func (m *Memory) liveRules(ctx context.Context) (*segment.Set, error) {
	s := &m.segments
	if m.State.Rules == "" || s.find == nil {
		return nil, nil
	}
	if s.version == m.State.Rules {
		return s.set, nil
	}
	found, err := s.find(ctx, m.State.Rules)
	if err != nil && !errors.Is(err, data.ErrNotFound) {
		return nil, fmt.Errorf("load segment rules %s: %w", m.State.Rules, err)
	}
	s.set, s.version, s.work = found, m.State.Rules, nil
	if found != nil {
		s.work = found.NewWork()
	}
	return found, nil
}

// segmentsOf folds the event, which has been applied to the profile, into the person's segments.
func (f *fold) segmentsOf(e *data.Event, at int64, identified bool) error {
	set, err := f.m.liveRules(f.ctx)
	if set == nil || err != nil {
		return err
	}
	p := f.person()
	open, current, _, _ := p.Session()
	if at < current.Start || at > current.End {
		open = 0 // the event belongs to an earlier session
	}
	r, err := set.Event(f.m.segments.work, f.m.people.Segments(f.who),
		segment.Event{Event: e, At: at, Hash: messageHash(e.Source, e.ID), Session: open}, p,
		segment.Affected{Traits: identified, Consent: len(e.Consent) > 0, Session: true, Behaviour: true}, f.now)
	return f.entered(r, f.now, err)
}

// segmentsDue looks at a person's segments again at log time at: their time has come, or the
// profile changed without an event.
func (f *fold) segmentsDue(at int64, a segment.Affected) error {
	set, err := f.m.liveRules(f.ctx)
	if set == nil || err != nil {
		return err
	}
	r, err := set.Due(f.m.segments.work, f.m.people.Segments(f.who), f.person(), a, at)
	return f.entered(r, at, err)
}

// segmentsMerged brings the segments of somebody who was merged into the person.
func (f *fold) segmentsMerged(other []byte) error {
	set, err := f.m.liveRules(f.ctx)
	if set == nil || err != nil {
		return err
	}
	r, err := set.Merge(f.m.segments.work, f.m.people.Segments(f.who), other, f.person(), f.now)
	return f.entered(r, f.now, err)
}

// segmentsLeft publishes that somebody who is leaving, merged or erased, is in no segment any more.
func (f *fold) segmentsLeft() error {
	f.m.clearSegmentTimer(f.who)
	state := f.m.people.Segments(f.who)
	set, err := f.m.liveRules(f.ctx)
	if set == nil || err != nil || len(state) == 0 {
		return err
	}
	members, err := set.Members(state)
	for _, m := range members {
		f.change(data.Change{Profile: f.m.people.ID(f.who), Type: SegmentExited, From: m.Segment, Model: f.m.State.Rules}, f.now)
	}
	return err
}

// entered takes over what a look at a person's segments changed.
func (f *fold) entered(r segment.Result, at int64, err error) error {
	if err != nil {
		return fmt.Errorf("segments of profile %s: %w", f.m.people.ID(f.who), err)
	}
	f.m.segments.unknown += int64(len(r.Unknown))
	f.m.people.SetSegments(f.who, r.State)
	f.m.touch(f.who, f.m.people.At(f.who))
	if r.Due != 0 {
		f.m.setSegmentTimer(f.who, r.Due)
	} else {
		f.m.clearSegmentTimer(f.who)
	}
	for _, c := range r.Changes {
		out := data.Change{Profile: f.m.people.ID(f.who), Type: SegmentExited, From: c.Segment, Model: f.m.State.Rules}
		if c.Entered {
			out.Type, out.From, out.To = SegmentEntered, "", c.Segment
		}
		f.change(out, at)
	}
	return nil
}

// Segments are the segments that a profile is in, by the rules. The error is that of a state that
// cannot be read.
func Segments(p data.Profile, rules *segment.Set) ([]segment.Membership, error) {
	if rules == nil || len(p.Segments) == 0 {
		return nil, nil
	}
	return rules.Members(p.Segments)
}

// person is how rules see the person of the record.
func (f *fold) person() segment.Person {
	if f.m.people.IsOpen(f.who) {
		f.m.whole = wholePerson{f.m.people.Open(f.who)}
		return &f.m.whole
	}
	f.m.packed = packedPerson{m: f.m, p: f.m.people.At(f.who)}
	return &f.m.packed
}

// wholePerson is a profile as rules see it.
type wholePerson struct{ p *data.Profile }

// PersonOf is a profile as segment rules see it.
func PersonOf(p *data.Profile) segment.Person { return &wholePerson{p} }

func (w *wholePerson) Trait(name string) []byte { return traitOf(w.p.Traits, name) }

func traitOf(traits []data.Trait, name string) []byte {
	for i := range traits { // few
		if traits[i].Name == name {
			return traits[i].Value
		}
	}
	return nil
}

func (w *wholePerson) Consent() []byte { return w.p.Consent }

func (w *wholePerson) Session() (open int64, current, last data.Session, count int64) {
	return openSession(w.p.Session, w.p.Previous, w.p.Sessions)
}

// openSession is what rules know of sessions: the number of the open one is how many there were.
func openSession(current, previous data.Session, count uint32) (int64, data.Session, data.Session, int64) {
	open := int64(0)
	if current.Events > 0 && !current.Closed {
		open = int64(count)
	}
	return open, current, previous, int64(count)
}

func (w *wholePerson) Affinity(facet, value string, now int64) (own, sum, prior, halfLife float64) {
	for _, a := range w.p.Affinities {
		if a.Facet != facet {
			continue
		}
		x := window.At(a.Decayed, now, AffinityHalfLife)
		if x > 0 {
			sum += x
		}
		if a.Value == value {
			own = x
		}
	}
	return own, sum, AffinityPrior, float64(AffinityHalfLife.Milliseconds())
}

func (w *wholePerson) Engagement(now int64, threshold float64) (float64, int64) {
	return engagementFalls(w.p.Engagement, now, threshold)
}

// engagementFalls is the score at now and, where it is above threshold, when it is no more.
func engagementFalls(d data.Decayed, now int64, threshold float64) (score float64, at int64) {
	score = engagementScore(d, now)
	if threshold <= 0 || threshold >= 100 || score <= threshold {
		return score, math.MaxInt64
	}
	s := -EngagementScale * math.Log1p(-threshold/100)
	after := float64(EngagementHalfLife.Milliseconds()) * math.Log2(d.S/s)
	return score, max(now+1, d.T+int64(math.Ceil(after)))
}

func (w *wholePerson) Cluster(name string) (int32, float64, bool) {
	for _, c := range w.p.Clusters {
		if c.Model == name {
			return c.Cluster, c.Confidence, true
		}
	}
	return 0, 0, false
}

func (w *wholePerson) Predict(string) (float64, bool) { return 0, false }

// packedPerson is a compact profile as rules see it.
type packedPerson struct {
	m       *Memory
	p       *compact.Person
	read    bool
	traits  []data.Trait
	consent []byte
}

func (w *packedPerson) rare() {
	if !w.read {
		w.traits, w.consent = w.m.people.Rare(w.p)
		w.read = true
	}
}

func (w *packedPerson) Trait(name string) []byte { w.rare(); return traitOf(w.traits, name) }

func (w *packedPerson) Consent() []byte { w.rare(); return w.consent }

func (w *packedPerson) Session() (int64, data.Session, data.Session, int64) {
	current, previous := w.p.TwoSessions()
	return openSession(current, previous, w.p.Sessions)
}

func (w *packedPerson) Affinity(facet, value string, now int64) (own, sum, prior, halfLife float64) {
	own, sum = w.m.people.Interest(w.p, facet, value, now, AffinityHalfLife)
	return own, sum, AffinityPrior, float64(AffinityHalfLife.Milliseconds())
}

func (w *packedPerson) Engagement(now int64, threshold float64) (float64, int64) {
	return engagementFalls(w.p.Engagement(), now, threshold)
}

func (w *packedPerson) Cluster(name string) (int32, float64, bool) {
	c, ok := w.m.people.Cluster(w.p, name)
	return c.Cluster, c.Confidence, ok
}

func (w *packedPerson) Predict(string) (float64, bool) { return 0, false }
