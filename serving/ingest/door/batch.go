package door

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"kindred/data/event"
)

// Batch is what a door made of one request.
type Batch struct {
	Calls    []json.RawMessage // tracking calls of Segment's shape, each with its type
	Context  json.RawMessage   // for calls that lack fields of it, or nil
	SentAt   time.Time         // zero where the calls say it themselves, or nobody does
	WriteKey string            // that the request names outside its headers
	Rejected []Reject          // records that could not be translated; they belong to the dead letters
	// Anonymous says that the sender asked for neither IP address nor network id to be
	// kept: the caller must not add the address it sees.
	Anonymous bool
}

// Reject is a record that no call could be made of.
type Reject struct {
	Raw    []byte
	Reason string
}

// BodyError says why a request as a whole cannot be read. No retry can mend it.
type BodyError struct {
	Door   string
	Reason string
}

func (e *BodyError) Error() string { return "read the " + e.Door + " request: " + e.Reason }

func refuse(door, format string, args ...any) error {
	return &BodyError{door, fmt.Sprintf(format, args...)}
}

// Limits bounds a request.
type Limits struct {
	// Bytes is the largest body, after decompression.
	Bytes int `yaml:"max_bytes"`
	// Calls is how many calls and rejects one body may give.
	Calls int `yaml:"max_calls"`
}

// DefaultLimits suit Firehose's and Pub/Sub's largest requests.
func DefaultLimits() Limits { return Limits{Bytes: 8 << 20, Calls: 10_000} }

// Validate names the limit that cannot be.
func (l Limits) Validate() error {
	switch {
	case l.Bytes < 1:
		return fmt.Errorf("max_bytes: is %d; it must be at least 1", l.Bytes)
	case l.Calls < 1:
		return fmt.Errorf("max_calls: is %d; it must be at least 1", l.Calls)
	}
	return nil
}

func (l Limits) body(door string, b []byte) error {
	if len(b) > l.Bytes {
		return refuse(door, "%d bytes; at most %d are taken", len(b), l.Bytes)
	}
	return nil
}

// collector fills a batch up to the limits.
type collector struct {
	Batch
	door  string
	limit int // calls and rejects
	bytes int // that calls may still have: what is shared by many must not multiply
}

func newCollector(door string, l Limits) collector {
	return collector{door: door, limit: l.Calls, bytes: 4*l.Bytes + 1<<20}
}

func (c *collector) room() error {
	if len(c.Calls)+len(c.Rejected) >= c.limit {
		return refuse(c.door, "more than %d records; send fewer at a time", c.limit)
	}
	return nil
}

func (c *collector) add(call json.RawMessage) error {
	if err := c.room(); err != nil {
		return err
	}
	if c.bytes -= len(call); c.bytes < 0 {
		return refuse(c.door, "the calls are more than four times as large as the body; send less at a time")
	}
	c.Calls = append(c.Calls, call)
	return nil
}

func (c *collector) reject(raw []byte, format string, args ...any) error {
	if err := c.room(); err != nil {
		return err
	}
	c.Rejected = append(c.Rejected, Reject{raw, c.door + ": " + fmt.Sprintf(format, args...)})
	return nil
}

// maxDepth bounds how deep a request may nest. It leaves room around a call, which
// may nest event.MaxDepth levels.
const maxDepth = event.MaxDepth + 8

// identity names a message by what stays the same when it is sent again: the first 128
// bits of SHA-256 over the parts, each with its length.
func identity(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p))
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}
