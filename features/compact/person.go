package compact

import "kindred/data"

// Ref is a person in a Store. It stays the same until the person is forgotten.
type Ref uint32

// Person is the fixed part of a profile; the parts whose size differs from person to
// person are in a block of the store's arena.
type Person struct {
	id [2]uint64 // of the profile id, see key

	LastOffset int64
	engagement float64 // its time is below
	Session    Session
	Previous   Session

	// Of the fold, not of the profile: when the session's timer is due, which of the
	// entries in the timer queue counts, and the number, as far as it fits, of the batch
	// that last used the person.
	Due    int64
	Queued uint16
	Flags  Flags
	Used   uint16

	firstSeen, lastSeen, engaged stamp

	Version  uint32
	Sessions uint32
	size     uint32 // see Size

	block uint32 // of the parts
	words uint16 // that it has
	lens  [parts]uint16
}

// FirstSeen is data.Profile.FirstSeen.
func (p *Person) FirstSeen() int64 { return p.firstSeen.time() }

// LastSeen is data.Profile.LastSeen.
func (p *Person) LastSeen() int64 { return p.lastSeen.time() }

// SeeAt notes an event at time t, for which Fits holds.
func (p *Person) SeeAt(t int64) {
	if first := p.firstSeen.time(); first == 0 || t < first {
		p.firstSeen = stamped(t, 0)
	}
	if t > p.lastSeen.time() {
		p.lastSeen = stamped(t, 0)
	}
}

// Engagement is data.Profile.Engagement.
func (p *Person) Engagement() data.Decayed {
	return data.Decayed{S: p.engagement, T: p.engaged.time()}
}

// SetEngagement replaces it. Fits(d.T) must hold.
func (p *Person) SetEngagement(d data.Decayed) {
	p.engagement, p.engaged = d.S, stamped(d.T, 0)
}

// Flags are what is yes or no about a person.
type Flags uint16

// The flags.
const (
	Touched       Flags = 1 << iota // the profile changed since the last commit
	TimerSet                        // there is a session timer, at Due
	TimerKnown                      // the fold knows whether there is one
	TimerChanged                    // since the last commit
	TimerQueued                     // the timer queue holds the person
	Plain                           // the profile is in its compact form and may be folded into
	Deleted                         // data.Profile.Deleted
	Redirected                      // there is a redirect
	inUse                           // the record is somebody's
	foreign                         // the profile id is not of the usual form; its text is in the store
	currentClosed                   // Session.Closed
	previousClosed
	currentNamed // Session.ID is a tracker's, in papers
	previousNamed
	wideHistory
	widePanes
)

// Session is a data.Session but for its name and whether it is closed. ID is the
// number in a derived name; a name that a tracker gave is in the person's papers.
type Session struct {
	ID         uint64
	Start, End int64
	Events     uint32
	PageViews  uint32
	Items      uint32
	Purchases  uint32
}

// stamp is a time in Unix ms in six bytes.
type stamp [3]uint16

// Times that fit into a stamp: the years −2,489 to 6,429. Two bits are left over.
const (
	minTime = -1 << 45
	maxTime = 1<<45 - 1
)

// Fits reports whether the compact form can hold time t of an event.
func Fits(t int64) bool { return minTime <= t && t <= maxTime }

// stamped packs t, for which Fits holds, and two bits.
func stamped(t int64, extra uint16) stamp {
	u := uint64(t)
	return stamp{uint16(u), uint16(u >> 16), uint16(u>>32)&0x3fff | extra<<14}
}

func (s stamp) time() int64 {
	return int64(uint64(s[0])|uint64(s[1])<<16|uint64(s[2])<<32) << 18 >> 18
}

func (s stamp) extra() uint16 { return s[2] >> 14 }
