package httpapi

import (
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"time"
)

// arriving is a body on its way from its sender. What comes first is read before the body has
// a place among those that are taken in, so that who sends no more than a few bytes, and
// those slowly, keeps no place from others; and a body has to come on, or it is cut off.
type arriving struct {
	from           io.Reader
	head           []byte // what was read ahead
	read           int    // of head
	end            error  // that of from, behind head
	cut            bool   // the connection ended the body, or its time was up
	came           int    // bytes from the sender
	control        *http.ResponseController
	start          time.Time
	patience, most time.Duration
	next           int // bytes at which there is more time
}

const (
	// firstRoom is what a body is admitted with, and how much of it is read before.
	firstRoom = 16 << 10
	// slowestBody is how many bytes make a second more of patience.
	slowestBody = 4 << 10
)

// open begins a request's body. Its sender has patience, and a second for each slowestBody
// bytes that have come, in all at most most.
func (a *arriving) open(w http.ResponseWriter, r *http.Request, patience, most time.Duration) {
	*a = arriving{from: r.Body, head: a.head[:0], control: http.NewResponseController(w), patience: patience, most: most}
	if a.from == nil {
		a.from = http.NoBody
	}
	a.start = time.Now() // the connection's time, not that of events
}

// ahead reads until firstRoom bytes or the end are there.
func (a *arriving) ahead(length int64) {
	if n := int(min(max(length+1, 512), firstRoom)); cap(a.head) < n {
		a.head = make([]byte, 0, n)
	}
	for a.end == nil && len(a.head) < firstRoom {
		if len(a.head) == cap(a.head) {
			a.head = slices.Grow(a.head, len(a.head))
		}
		var n int
		n, a.end = a.receive(a.head[len(a.head):min(cap(a.head), firstRoom)])
		a.head = a.head[:len(a.head)+n]
	}
}

// Read reads what is ahead, then the rest.
func (a *arriving) Read(p []byte) (int, error) {
	if a.read < len(a.head) {
		n := copy(p, a.head[a.read:])
		a.read += n
		return n, nil
	}
	if a.end != nil {
		return 0, a.end
	}
	n, err := a.receive(p)
	a.end = err
	return n, err
}

// Close closes nothing: the connection is net/http's.
func (a *arriving) Close() error { return nil }

func (a *arriving) receive(p []byte) (int, error) {
	if a.came >= a.next {
		a.until(min(a.patience+time.Duration(a.came)*time.Second/slowestBody, a.most))
		a.next = a.came + slowestBody
	}
	n, err := a.from.Read(p)
	a.came += n
	var network net.Error
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network) {
		a.cut = true
	}
	return n, err
}

// until sets the time at which the sender's time is up. Not every writer has a
// connection; then nobody is slow.
func (a *arriving) until(d time.Duration) { _ = a.control.SetReadDeadline(a.start.Add(d)) }

// close forgets the request. While it is answered the connection is watched as long as before.
func (a *arriving) close() {
	if !a.cut {
		a.until(a.most)
	}
	*a = arriving{head: a.head[:0]}
}
