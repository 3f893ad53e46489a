package compact

import (
	"unsafe"

	"kindred/data"
)

// SessionIs reports whether the current session, or the one before it, has the name
// that a tracker gave it.
func (s *Store) SessionIs(p *Person, name string) bool {
	if p.Flags&currentNamed == 0 {
		return false
	}
	_, current, _, _ := s.sections(p)
	return string(current) == name
}

// SessionText is the name that a tracker gave the current session, or "". It is good
// until the person changes.
func (s *Store) SessionText(p *Person) string {
	if p.Flags&currentNamed == 0 {
		return ""
	}
	_, current, _, _ := s.sections(p)
	return unsafe.String(unsafe.SliceData(current), len(current))
}

// Derived reports whether the names of both sessions, as far as there are any, are derived.
func (p *Person) Derived() bool { return p.Flags&(currentNamed|previousNamed) == 0 }

// CurrentDerived reports whether the current session's name is derived.
func (p *Person) CurrentDerived() bool { return p.Flags&currentNamed == 0 }

// PreviousDerived reports whether the previous session's name is derived.
func (p *Person) PreviousDerived() bool { return p.Flags&previousNamed == 0 }

// PreviousIs reports whether the previous session has the name that a tracker gave it.
func (s *Store) PreviousIs(p *Person, name string) bool {
	if p.Flags&previousNamed == 0 {
		return false
	}
	_, _, previous, _ := s.sections(p)
	return string(previous) == name
}

// Closed and PreviousClosed are Session.Closed of the two sessions.
func (p *Person) Closed() bool         { return p.Flags&currentClosed != 0 }
func (p *Person) PreviousClosed() bool { return p.Flags&previousClosed != 0 }

// SetClosed closes or opens the current session.
func (p *Person) SetClosed(closed bool) { p.set(currentClosed, closed) }

// SetPreviousClosed closes or opens the session before it.
func (p *Person) SetPreviousClosed(closed bool) { p.set(previousClosed, closed) }

func (p *Person) set(f Flags, on bool) {
	if on {
		p.Flags |= f
	} else {
		p.Flags &^= f
	}
}

// SessionID is the name of the current session, in memory of its own.
func (s *Store) SessionID(p *Person) string {
	_, named, _, _ := s.sections(p)
	return s.sessionName(&p.Session, p.Flags&currentNamed != 0, named)
}

// PreviousID is the name of the session before it.
func (s *Store) PreviousID(p *Person) string {
	_, _, named, _ := s.sections(p)
	return s.sessionName(&p.Previous, p.Flags&previousNamed != 0, named)
}

func (s *Store) sessionName(x *Session, named bool, name []byte) string {
	switch {
	case named:
		return s.strings.of(name)
	case x.Events == 0:
		return ""
	}
	var b [len(derivedPrefix) + 16]byte
	return s.strings.of(appendDerived(b[:0], x.ID))
}

// NextSession makes the current session the previous one and begins another, named by
// a tracker or else derived from id.
func (s *Store) NextSession(p *Person, named string, id uint64, at int64) {
	if named != "" || !p.Derived() {
		s.setNames(p, named, s.SessionText(p), named != "", !p.CurrentDerived())
	}
	p.Previous = p.Session
	p.set(previousNamed, p.Flags&currentNamed != 0)
	p.set(previousClosed, p.Flags&currentClosed != 0)
	p.Session = Session{ID: id, Start: at, End: at}
	p.set(currentNamed, named != "")
	p.set(currentClosed, false)
}

// SetPrevious replaces the previous session by one that begins at time at.
func (s *Store) SetPrevious(p *Person, named string, id uint64, at int64) {
	if named != "" || !p.PreviousDerived() {
		s.setNames(p, s.SessionText(p), named, !p.CurrentDerived(), named != "")
	}
	p.Previous = Session{ID: id, Start: at, End: at}
	p.set(previousNamed, named != "")
}

// setNames writes the names of the sessions anew, as far as a tracker gave them. They
// may lie in the papers.
func (s *Store) setNames(p *Person, current, previous string, hasCurrent, hasPrevious bool) {
	s.setPapers(p, func(dst []byte) []byte {
		ids, _, _, rest := s.sections(p)
		if dst = append(dst, ids...); len(ids) == 0 {
			dst = append(dst, 0)
		}
		if hasCurrent {
			dst = appendName(dst, current)
		}
		if hasPrevious {
			dst = appendName(dst, previous)
		}
		return append(dst, rest...)
	})
}

// derivedPrefix is what session.Derived puts before the sixteen digits of a number.

const derivedPrefix = "~"

func appendDerived(dst []byte, id uint64) []byte {
	dst = append(dst, derivedPrefix...)
	const digits = "0123456789abcdef"
	for shift := 60; shift >= 0; shift -= 4 {
		dst = append(dst, digits[id>>shift&15])
	}
	return dst
}

// parseDerived reads a derived name.
func parseDerived(name string) (id uint64, ok bool) {
	if len(name) != len(derivedPrefix)+16 || name[:len(derivedPrefix)] != derivedPrefix {
		return 0, false
	}
	var bad uint8
	for i := len(derivedPrefix); i < len(name); i++ {
		d := hexDigit[name[i]]
		bad |= d
		id = id<<4 | uint64(d&15)
	}
	return id, bad&0xf0 == 0
}

// packSession is the compact form of a session, and whether its name needs the papers.
func packSession(x data.Session) (Session, bool) {
	id, derived := parseDerived(x.ID)
	return Session{ID: id, Start: x.Start, End: x.End, Events: x.Events, PageViews: x.PageViews, Items: x.Items, Purchases: x.Purchases},
		!derived && (x.ID != "" || x.Events > 0)
}

func fitSession(x data.Session) bool {
	return len(x.ID) <= maxText && (x.Events > 0 || x == data.Session{})
}

func unpackSession(x *Session, id string, closed bool) data.Session {
	return data.Session{ID: id, Start: x.Start, End: x.End, Events: x.Events, PageViews: x.PageViews, Items: x.Items, Purchases: x.Purchases, Closed: closed}
}
