package features

import (
	"fmt"

	"kindred/data"
	"kindred/features/compact"
	"kindred/features/segment"
	"kindred/features/session"
)

const sessionSlot = "session"

// session puts the event into its session. A session whose gap has not passed in
// log time is open: a timer will close it. One that an import or a late event
// brings after its gap is born closed and publishes nothing.
func (f *fold) session(p *data.Profile, e data.Event, at int64, acts []data.Interaction) {
	a := session.Act{At: at, Named: e.Session.ID, Items: uint32(len(acts))}
	if a.Named == "" {
		a.Fresh = session.Derived(fmt.Sprintf("%016x", sessionHash(e.Source, p.ID, e.ID)))
	}
	if e.Type == data.Page || e.Type == data.Screen {
		a.Pages = 1
	}
	if len(acts) > 0 && acts[0].Kind == data.Purchase {
		a.Purchase = 1
	}
	before := p.Session
	s, effect := session.Sessions{Current: p.Session, Previous: p.Previous, Count: p.Sessions}.Add(a, f.b.gap)
	p.Session, p.Previous, p.Sessions = s.Current, s.Previous, s.Count
	switch effect {
	case session.Earlier:
		p.Previous.Closed = true
	case session.Opened, session.Joined:
		f.settle(p, before)
	}
}

// sessionHash is the number in the name of a session that an event opens.
func sessionHash(source string, profile data.ProfileID, id string) uint64 {
	return fnvAdd(fnvAdd(fnvAdd(fnvOffset, source)*fnvPrime, string(profile))*fnvPrime, id)
}

// settle brings the current session in line with log time, where before was the
// current session until now: it ends the one that was replaced, sets or clears the
// timer, and publishes a start, which for a session that had ended means it goes on.
func (f *fold) settle(p *data.Profile, before data.Session) {
	s := &p.Session
	wasOpen := before.Events > 0 && !before.Closed
	replaced := before.Events > 0 && before.ID != s.ID
	if replaced && wasOpen {
		if p.Previous.ID == before.ID {
			p.Previous.Closed = true
		}
		f.change(data.Change{Profile: p.ID, Type: "session_ended", From: before.ID}, f.now)
	}
	if s.Events == 0 {
		return
	}
	due := s.End + f.b.gap
	if s.Closed = due <= f.now; s.Closed {
		if wasOpen {
			f.m.clearTimer(f.who, f.m.people.At(f.who))
		}
		return
	}
	f.m.setTimer(f.who, f.m.people.At(f.who), due)
	if replaced || !wasOpen {
		f.change(data.Change{Profile: p.ID, Type: "session_started", To: s.ID}, f.now)
	}
}

// sessionTimer ends the current session of a person: its gap has passed in log time.
func (f *fold) sessionTimer(who compact.Ref, at int64) error {
	f.who = who
	p := f.m.people.At(who)
	if f.m.people.IsOpen(who) {
		q := f.m.open(who)
		if s := &q.Session; s.Events > 0 && !s.Closed && s.End+f.b.gap <= at {
			s.Closed = true
			f.m.touch(who, p)
			f.change(data.Change{Profile: q.ID, Type: "session_ended", From: s.ID}, at)
			return f.segmentsDue(at, segment.Affected{Session: true})
		}
		return nil
	}
	if s := &p.Session; s.Events > 0 && !p.Closed() && s.End+f.b.gap <= at {
		p.SetClosed(true)
		f.m.touch(who, p)
		f.change(data.Change{Profile: f.m.people.ID(who), Type: "session_ended", From: f.m.people.SessionID(p)}, at)
		return f.segmentsDue(at, segment.Affected{Session: true})
	}
	return nil
}
