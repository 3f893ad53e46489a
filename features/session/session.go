package session

import (
	"strings"

	"kindred/data"
)

// Sessions are the newest two sessions of a person and how many there were.
type Sessions struct {
	Current  data.Session
	Previous data.Session
	Count    uint32
}

// Act is what one event adds to a session.
type Act struct {
	At       int64  // event time, Unix ms
	Named    string // the tracker's name of the session, or ""
	Fresh    string // what to call a session that this event opens
	Pages    uint32
	Items    uint32
	Purchase uint32
}

// Effect says what Add did.
type Effect int

// The effects.
const (
	Joined    Effect = iota // the event is part of Current, which may have swallowed Previous
	Opened                  // the event is the first of a new Current
	Earlier                 // the event is part of Previous, or became it
	Forgotten               // the event is older than both sessions and was left out
)

// derived marks names that were not given by a tracker.
const derived = "~"

// Derived is the name of a session that was found by inactivity; seed makes it unique.
func Derived(seed string) string { return derived + seed }

// Add puts one event where it belongs. gap is in milliseconds.
func (s Sessions) Add(a Act, gap int64) (Sessions, Effect) {
	switch {
	case s.Current.Events == 0:
		s.Current, s.Count = begin(a), s.Count+1
		return s, Opened
	case holds(s.Current, a, gap):
		s.Current = extend(s.Current, a)
		if bridges(s.Previous, s.Current, gap) {
			s.Current, s.Previous, s.Count = join(s.Previous, s.Current), data.Session{}, s.Count-1
		}
		return s, Joined
	case s.Previous.Events > 0 && holds(s.Previous, a, gap):
		s.Previous = extend(s.Previous, a)
		return s, Earlier
	case a.At >= s.Current.Start:
		s.Current, s.Previous, s.Count = begin(a), s.Current, s.Count+1
		return s, Opened
	case s.Previous.Events == 0 || a.At > s.Previous.Start:
		s.Previous, s.Count = begin(a), s.Count+1
		return s, Earlier
	}
	return s, Forgotten
}

// Merge joins the sessions of one person who was known as two: overlapping ones
// become one, the newest two are kept. It is commutative.
func Merge(a, b Sessions, gap int64) Sessions {
	var all []data.Session
	for _, s := range []data.Session{a.Current, a.Previous, b.Current, b.Previous} {
		if s.Events > 0 {
			all = insert(all, s)
		}
	}
	count := a.Count + b.Count
	for i := 1; i < len(all); {
		if bridges(all[i-1], all[i], gap) {
			all[i-1], count = join(all[i-1], all[i]), count-1
			all = append(all[:i], all[i+1:]...)
			continue
		}
		i++
	}
	out := Sessions{Count: count}
	if n := len(all); n > 0 {
		out.Current = all[n-1]
		if n > 1 {
			out.Previous = all[n-2]
		}
	}
	return out
}

// insert keeps all in order of start, then name, then end.
func insert(all []data.Session, s data.Session) []data.Session {
	i := len(all)
	for i > 0 && before(s, all[i-1]) {
		i--
	}
	all = append(all, data.Session{})
	copy(all[i+1:], all[i:])
	all[i] = s
	return all
}

func before(a, b data.Session) bool {
	if a.Start != b.Start {
		return a.Start < b.Start
	}
	if a.ID != b.ID {
		return a.ID < b.ID
	}
	return a.End < b.End
}

// holds reports whether the event belongs to s.
func holds(s data.Session, a Act, gap int64) bool {
	if a.Named != "" {
		return a.Named == s.ID
	}
	return a.At > s.Start-gap && a.At < s.End+gap
}

// bridges reports whether earlier and later are really one session.
func bridges(earlier, later data.Session, gap int64) bool {
	if earlier.Events == 0 || later.Events == 0 {
		return false
	}
	if earlier.ID == later.ID {
		return true
	}
	return strings.HasPrefix(earlier.ID, derived) && strings.HasPrefix(later.ID, derived) &&
		later.Start-earlier.End < gap
}

func begin(a Act) data.Session {
	id := a.Named
	if id == "" {
		id = a.Fresh
	}
	return extend(data.Session{ID: id, Start: a.At, End: a.At}, a)
}

func extend(s data.Session, a Act) data.Session {
	s.Start, s.End = min(s.Start, a.At), max(s.End, a.At)
	s.Events++
	s.PageViews += a.Pages
	s.Items += a.Items
	s.Purchases += a.Purchase
	return s
}

// join is the two as one, under the name of the later: the one that is going on.
func join(earlier, later data.Session) data.Session {
	return data.Session{
		ID:        later.ID,
		Start:     min(earlier.Start, later.Start),
		End:       max(earlier.End, later.End),
		Events:    earlier.Events + later.Events,
		PageViews: earlier.PageViews + later.PageViews,
		Items:     earlier.Items + later.Items,
		Purchases: earlier.Purchases + later.Purchases,
		Closed:    earlier.Closed && later.Closed,
	}
}
