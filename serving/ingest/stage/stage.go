// Package stage is what a step between parsing an event and routing it looks like:
// clean-up (serving/ingest/clean), the tracking plan (serving/ingest/plan).
//
// It is a package of its own so that the steps need not import serving/ingest, which runs them.
package stage

import (
	"net/netip"

	"kindred/data"
)

// Stage is one step. It may change the event, and says whether it goes on. It must be
// safe for concurrent use; e and from are the caller's again when Apply returns, and
// what Apply puts into e stays as it is until from.Reset.
type Stage interface {
	Apply(e *data.Event, from *Caller) Verdict
}

// Fate is what becomes of an event.
type Fate uint8

// The fates. Drop is for what nobody will want to see again: it is counted, and the sender
// told that it was taken. Refuse is for what somebody may mend: it goes to the dead letters
// with its reason and its bytes.
const (
	Keep Fate = iota
	Drop
	Refuse
)

// Verdict is a stage's answer. The zero Verdict keeps the event.
type Verdict struct {
	Fate   Fate
	Reason string // for people: what is wrong, where, and what would be right
	Kind   string // for counting, of a small set: plan.reject, plan.quarantine, bot.drop…
}

// Caller is who sent an event.
type Caller struct {
	Source string // the write key's name
	// Client says that the sender is the person's own browser or app, so that IP and
	// UserAgent are the person's and not a server's.
	Client    bool
	IP        netip.Addr // the zero Addr where it is not known or must not be
	UserAgent string     // of the request
	// Hints are the request's client hints by header name in lower case, such as sec-ch-ua-platform.
	Hints map[string]string
	// Again says that the event was refused before and is tried again: it is judged as any
	// other and counted nowhere, for it was when it first came.
	Again bool
	// Fast says of such an event that it came faster than people act.
	Fast bool

	room []byte
}

// Room is n bytes that stay the taker's until Reset: where stages put the parts of an
// event that they rewrite, so that who uses one Caller again allocates nothing.
func (c *Caller) Room(n int) []byte {
	if cap(c.room)-len(c.room) < n {
		c.room = make([]byte, 0, max(2*cap(c.room), n, 1024)) // the former stays with its takers
	}
	from := len(c.room)
	c.room = c.room[:from+n]
	return c.room[from : from+n : from+n]
}

// maxRoom is how much a Caller keeps from one request to the next.
const maxRoom = 1 << 20

// Reset takes all room back: no event that stages have changed for this Caller may be
// used after it. The other fields stay.
func (c *Caller) Reset() {
	if cap(c.room) > maxRoom {
		c.room = nil
	}
	c.room = c.room[:0]
}
