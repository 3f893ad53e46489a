package features

import (
	"math"
	"strings"

	"kindred/data"
	"kindred/data/event"
	"kindred/features/compact"
	"kindred/features/window"
)

// plan is a usual event, looked at before anything changes: one that can be folded
// into the compact profile where it lies.
type plan struct {
	e          *data.Event
	at         int64
	p          *compact.Person
	user, anon compact.Known
	hasUser    bool
	hasAnon    bool
	session    place
	kind       data.Kind
	rating     float64
	first      compact.Symbol // of the items
	facets     []facet        // of all items, in order
}

// place is what a usual event is to the person's sessions.
type place int

const (
	joins    place = iota // the current one
	opens                 // the next one
	joinsOld              // late: the previous one
	opensOld              // late: one before the current one, which becomes the previous
	noPlace               // later than both are old
)

// mostValues bounds the facet values of a usual event, so that no list outgrows its
// compact form half-way.
const mostValues = 256

// plan looks at the event; false where it is not usual. A usual one is no identify and
// tells no consent; its time is plausible; its identifiers are known to be the
// person's; and it makes no two sessions one. All others are folded by apply, into the
// whole profile.
func (f *fold) plan(e *data.Event, ids data.IDs, at int64) (*plan, bool) {
	people := f.m.people
	p := people.At(f.who)
	if p.Flags&(compact.Plain|compact.Deleted|compact.Redirected) != compact.Plain ||
		e.Type == data.Identify || len(e.Consent) > 0 || at <= 0 || !compact.Fits(at) ||
		f.b.whole || !p.Room(len(e.ID), len(e.Items), mostValues) ||
		p.RecentLen() > f.b.cfg.RecentCap || p.HistoryLen() > f.b.cfg.HistoryCap {
		return nil, false
	}
	x := &f.m.scratch.plan
	*x = plan{e: e, at: at, p: p}
	if ids.User != "" {
		var opens bool
		if x.user, opens, x.hasUser = people.Knows(p, data.IDUser, string(ids.User)); !opens {
			return nil, false
		}
	}
	if ids.Anonymous != "" {
		if x.anon, _, x.hasAnon = people.Knows(p, data.IDAnonymous, string(ids.Anonymous)); !x.hasAnon {
			return nil, false
		}
	}
	all, values := f.m.scratch.facets[:0], 0
	for i := range e.Items {
		from := len(all)
		all = appendInOrder(all, e.Items[i].Facets, i)
		for _, facet := range all[from:] {
			values += len(facet.values)
		}
	}
	f.m.scratch.facets = all
	if values > mostValues {
		return nil, false
	}
	x.facets = all
	var ok bool
	if x.session, ok = f.planSession(p, e.Session.ID, at); !ok {
		return nil, false
	}
	x.kind, x.rating = event.Act(e)
	return x, true
}

// planSession is the event's place; not ok where sessions would become one, and where
// that is hard to tell. It decides as session.Sessions.Add does.
func (f *fold) planSession(p *compact.Person, named string, at int64) (where place, ok bool) {
	gap, current, previous := f.b.gap, &p.Session, &p.Previous
	near := func(s *compact.Session) bool { return at > s.Start-gap && at < s.End+gap }
	switch {
	case strings.HasPrefix(named, "~"): // may be one of ours
		return 0, false
	case current.Events == 0:
		return opens, previous.Events == 0
	case named == "" && near(current) || named != "" && f.m.people.SessionIs(p, named):
		if previous.Events == 0 {
			return joins, true
		}
		bothDerived := p.CurrentDerived() && p.PreviousDerived()
		bridged := bothDerived && (previous.ID == current.ID || min(current.Start, at)-previous.End < gap) ||
			!p.CurrentDerived() && f.m.people.PreviousIs(p, f.m.people.SessionText(p))
		return joins, !bridged
	case previous.Events > 0 && (named == "" && near(previous) || named != "" && f.m.people.PreviousIs(p, named)):
		return joinsOld, true
	case at >= current.Start:
		return opens, true
	case previous.Events == 0 || at > previous.Start:
		return opensOld, true
	}
	return noPlace, true
}

// applyInPlace is apply for a usual event.
func (f *fold) applyInPlace(x *plan) error {
	p, e, people := x.p, x.e, f.m.people
	f.m.touch(f.who, p)
	p.Version++
	p.LastOffset = f.offset
	p.SeeAt(x.at)
	if x.hasUser {
		people.See(p, x.user, x.at)
	}
	if x.hasAnon {
		people.See(p, x.anon, x.at)
	}
	f.sessionInPlace(x)
	if len(e.Items) > 0 {
		x.first = people.Symbols.Of(string(e.Items[0].ID))
	}
	people.AddRecent(p, e.ID, f.m.nameOf(e.Name), x.first, x.at, f.b.cfg.RecentCap)
	if x.kind != data.KindNone {
		f.interactInPlace(x)
	}
	if over := p.Size() - f.b.cfg.MaxProfileBytes; over > 0 && people.Shrink(p, over, minRecents, minAffinities, AffinityHalfLife) > 0 {
		q := f.m.open(f.who) // down to the traits
		shrink(q, f.b.cfg.MaxProfileBytes)
		if err := f.assign(q); err != nil {
			return err
		}
		return f.segmentsOf(e, x.at, false)
	}
	if err := f.assignInPlace(p); err != nil {
		return err
	}
	return f.segmentsOf(e, x.at, false)
}

// sessionInPlace is session and settle for a usual event.
func (f *fold) sessionInPlace(x *plan) {
	p, people := x.p, f.m.people
	wasOpen, replaced := p.Session.Events > 0 && !p.Closed(), false
	named, id := x.e.Session.ID, uint64(0)
	if named == "" && (x.session == opens || x.session == opensOld) {
		id = sessionHash(x.e.Source, x.e.Profile, x.e.ID)
	}
	switch x.session {
	case noPlace:
		return
	case opensOld:
		people.SetPrevious(p, named, id, x.at)
		p.Sessions++
		fallthrough
	case joinsOld:
		x.extend(&p.Previous)
		p.SetPreviousClosed(true)
		return
	case opens:
		people.NextSession(p, named, id, x.at)
		p.Sessions++
		replaced = p.Previous.Events > 0 && !(p.Derived() && p.Previous.ID == p.Session.ID)
		if replaced && wasOpen {
			p.SetPreviousClosed(true)
			f.change(data.Change{Profile: people.ID(f.who), Type: "session_ended", From: people.PreviousID(p)}, f.now)
		}
	}
	s := &p.Session
	x.extend(s)
	due := s.End + f.b.gap
	closed := due <= f.now
	if p.SetClosed(closed); closed {
		if wasOpen {
			f.m.clearTimer(f.who, p)
		}
		return
	}
	f.m.setTimer(f.who, p, due)
	if replaced || !wasOpen {
		f.change(data.Change{Profile: people.ID(f.who), Type: "session_started", To: people.SessionID(p)}, f.now)
	}
}

// nameOf is the symbol of an event's name as recents keep it. Names are few: the last
// ones are remembered.
func (m *Memory) nameOf(name string) compact.Symbol {
	names := &m.scratch.eventNames
	for i := range names {
		if names[i].text == name && name != "" {
			return names[i].symbol
		}
	}
	x := m.people.Symbols.Of(clip(name, maxRecentName))
	if len(name) <= maxRecentName {
		names[m.scratch.nextName%len(names)] = eventName{m.people.Symbols.Text(x), x}
		m.scratch.nextName++
	}
	return x
}

type eventName struct {
	text   string
	symbol compact.Symbol
}

// extend adds the event to a session.
func (x *plan) extend(s *compact.Session) {
	s.Start, s.End = min(s.Start, x.at), max(s.End, x.at)
	s.Events++
	if x.e.Type == data.Page || x.e.Type == data.Screen {
		s.PageViews++
	}
	if x.kind != data.KindNone {
		s.Items += uint32(len(x.e.Items))
	}
	if x.kind == data.Purchase {
		s.Purchases++
	}
}

// interactInPlace is interact for a usual event.
func (f *fold) interactInPlace(x *plan) {
	p, e, people, cfg := x.p, x.e, f.m.people, &f.b.cfg
	var revenue, effort float64
	for i := range e.Items {
		it := &e.Items[i]
		value := event.ActValue(x.kind, x.rating, it)
		w := cfg.Weights.of(x.kind, value)
		if x.kind == data.Purchase {
			revenue += value
		}
		effort += math.Max(0, w)
		item := x.first
		if i > 0 {
			item = people.Symbols.Of(string(it.ID))
		}
		people.AddHistory(p, compact.Act{Item: item, Kind: x.kind, At: x.at, Weight: w, Value: value}, cfg.HistoryCap)
		if w > 0 {
			f.countItem(item, string(it.ID), x.at, w)
		}
		for ; len(x.facets) > 0 && x.facets[0].item == i; x.facets = x.facets[1:] {
			facet := &x.facets[0]
			for _, v := range facet.values {
				pair := people.Symbols.Pair(facet.name, v)
				people.AddAffinity(p, pair, x.at, w, cfg.AffinityCap, AffinityHalfLife)
				if w > 0 && facet.name == "category" {
					f.countCategory(pair, v, x.at, w)
				}
			}
		}
	}
	if e.Value > 0 && x.kind == data.Purchase {
		revenue = e.Value // the order says what it was worth
	}
	people.CountEvent(p, f.b.slotsOf[x.kind], x.at, revenue)
	if effort > 0 {
		p.SetEngagement(window.Decay(p.Engagement(), x.at, effort, EngagementHalfLife))
	}
}

// facet is a facet of an item with its values.
type facet struct {
	name   string
	values []string
	item   int // its place in the event
}

// usualFacets are the facets that most items have, by name.
var usualFacets = [...]string{"brand", "category", "tag"}

// appendInOrder appends the facets of the i-th item by name. Those that are usual are
// asked for: that is cheaper than going through a map.
func appendInOrder(all []facet, facets map[string][]string, i int) []facet {
	from := len(all)
	if len(facets) <= len(usualFacets) {
		for _, name := range usualFacets {
			if values, ok := facets[name]; ok {
				all = append(all, facet{name, values, i})
			}
		}
		if len(all)-from == len(facets) {
			return all
		}
		all = all[:from]
	}
	for name, values := range facets {
		all = append(all, facet{name, values, i})
	}
	for i := from + 1; i < len(all); i++ { // few
		for k := i; k > from && all[k].name < all[k-1].name; k-- {
			all[k], all[k-1] = all[k-1], all[k]
		}
	}
	return all
}

// scratch is memory that folding uses again.
type scratch struct {
	plan       plan
	facets     []facet
	eventNames [8]eventName
	nextName   int
	refs       []compact.Ref
	vector     [len(dimensions)]float64
	behaviour  behaviour
	readings   readings
	near       []compact.Symbol // of the items of the next events, see comeNear
	touched    int64
	focus      compact.Symbol // of focusFacet
	assign     []float64
	key        []byte
}
