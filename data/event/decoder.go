package event

import (
	"time"

	"kindred/data"
)

// Decoder reads canonical events into memory that it uses again, for readers of
// the log that look at an event and go on: the strings and raw fields of an event
// alias the bytes it was read from, and its slices, maps and pointers belong to
// the decoder.
//
// An event is therefore valid until its bytes change or Reset is called, whichever
// comes first; who keeps part of one beyond that copies it (strings.Clone,
// bytes.Clone, maps.Clone). What is read, what is refused and with which error is
// exactly what Decode and Open say: the decoder reads in one pass what Append
// writes, and leaves to them everything that looks different (white space, escapes
// in what is not a raw field, null, and every mistake).
//
// A reader that calls Reset between batches of similar size allocates nothing after
// the first few. One that never does stays correct and allocates a little. The zero
// value is ready; a Decoder is not safe for concurrent use.
type Decoder struct {
	scan  scan
	arena arena
	space data.Space // the last one that was found valid
}

// Reset gives the memory of all events decoded so far back to d.
func (d *Decoder) Reset() { d.arena.reset() }

// Decode reads one canonical JSON event into e, whatever e held before. With an
// error, which is Decode's, e is the zero event.
func (d *Decoder) Decode(b []byte, e *data.Event) (err error) {
	if len(b) <= MaxBytes && d.event(b, e) {
		return nil
	}
	*e, err = Decode(b)
	return err
}

// Open reads the value of a log record into e, whatever e held before. With an
// error, which is Open's, e is the zero event.
func (d *Decoder) Open(b []byte, e *data.Event) error {
	payload, err := unseal(b)
	if err != nil {
		*e = data.Event{}
		return err
	}
	return d.Decode(payload, e)
}

// The top-level fields, as bits of what an event has said.
const (
	hasV = 1 << iota
	hasID
	hasSource
	hasTenant
	hasEnv
	hasType
	hasName
	hasIDs
	hasProfile
	hasT
	hasSession
	hasProps
	hasTraits
	hasItems
	hasValue
	hasCtx
	hasBot
	hasConsent
	hasSchema
	hasRec
	hasImported
	hasShown
)

// event is Decode's single pass. It reports false where it gives up, with e in any state.
func (d *Decoder) event(b []byte, e *data.Event) bool {
	s := &d.scan
	s.reset(b)
	*e = data.Event{}
	if s.at() != '{' {
		return false
	}
	s.i++
	for seen := 0; ; {
		from, to, ok := s.name()
		if !ok {
			return false
		}
		bit := 0
		switch string(b[from:to]) {
		case "v":
			bit = hasV
			n, okay := s.whole()
			e.V, ok = int(n), okay && n == data.EventVersion
		case "id":
			bit = hasID
			e.ID, ok = s.id()
		case "source":
			bit = hasSource
			e.Source, ok = s.id()
		case "tenant":
			bit = hasTenant
			e.Space, ok = d.tenant()
		case "env":
			bit = hasEnv
			e.Env, ok = s.string()
		case "type":
			bit = hasType
			e.Type, ok = s.eventType()
		case "name":
			bit = hasName
			e.Name, ok = s.string()
		case "ids":
			bit = hasIDs
			ok = d.ids(&e.IDs)
		case "profile":
			bit = hasProfile
			var id string
			id, ok = s.id()
			e.Profile = data.ProfileID(id)
		case "t":
			bit = hasT
			ok = d.times(&e.Times)
		case "session":
			bit = hasSession
			ok = d.session(&e.Session)
		case "props":
			bit = hasProps
			e.Props, ok = s.rawObject()
		case "traits":
			bit = hasTraits
			e.Traits, ok = s.rawObject()
		case "items":
			bit = hasItems
			e.Items, ok = d.items()
		case "value":
			bit = hasValue
			e.Value, ok = s.float()
		case "ctx":
			bit = hasCtx
			e.Ctx, ok = s.rawObject()
		case "bot":
			bit = hasBot
			e.Bot, ok = s.rawObject()
		case "consent":
			bit = hasConsent
			e.Consent, ok = s.rawObject()
		case "schema":
			bit = hasSchema
			e.Schema, ok = s.rawObject()
		case "rec":
			bit = hasRec
			e.Rec, ok = d.rec()
		case "imported":
			bit = hasImported
			e.Imported, ok = s.flag()
		case "shown":
			bit = hasShown
			e.Shown, ok = d.shown()
		case "marker", "absorb", "skip":
			return false
		default:
			ok = d.extra(e, alias(b[from:to]))
		}
		if !ok || seen&bit != 0 {
			return false
		}
		seen |= bit
		again, ok := s.more('}')
		if again {
			continue
		}
		return ok && !s.spaced && s.i == len(b) && isComplete(e)
	}
}

// isComplete is complete for an answer that needs no reason.
func isComplete(e *data.Event) bool {
	return e.V != 0 && e.ID != "" && e.Type != "" && (e.Name != "" || e.Type != data.Track && e.Type != data.System) &&
		!e.Times.Received.IsZero() && (e.Type == data.System || !e.Times.Event.IsZero())
}

// string reads a string that says what it means as it stands.
func (s *scan) string() (string, bool) {
	if s.at() != '"' {
		return "", false
	}
	from, to, odd, ok := s.text()
	return alias(s.b[from:to]), ok && !odd
}

// id reads a string that can be an identifier; see checkID.
func (s *scan) id() (string, bool) {
	id, ok := s.string()
	return id, ok && len(id) <= MaxIDBytes
}

func (s *scan) eventType() (data.EventType, bool) {
	t, ok := s.string()
	if !ok {
		return "", false
	}
	return typeOf(t)
}

// typeOf is the event type of that name, in memory of its own.
func typeOf(name string) (data.EventType, bool) {
	switch name {
	case "track":
		return data.Track, true
	case "identify":
		return data.Identify, true
	case "page":
		return data.Page, true
	case "screen":
		return data.Screen, true
	case "group":
		return data.Group, true
	case "alias":
		return data.Alias, true
	case "system":
		return data.System, true
	}
	return "", false
}

// rawObject reads an object at the top level of an event as its bytes.
func (s *scan) rawObject() ([]byte, bool) {
	if s.at() != '{' {
		return nil, false
	}
	from := s.i
	ok := s.object(2)
	return s.b[from:s.i:s.i], ok
}

// time reads a time in the form that Append writes.
func (s *scan) time() (time.Time, bool) {
	if s.at() != '"' {
		return time.Time{}, false
	}
	from, to, _, ok := s.text()
	if !ok {
		return time.Time{}, false
	}
	ms, ok := instantMS(s.b[from:to])
	return time.UnixMilli(ms).UTC(), ok
}

// tenant reads a space, which the last event usually had too.
func (d *Decoder) tenant() (data.Space, bool) {
	text, ok := d.scan.string()
	if !ok {
		return "", false
	}
	if text != string(d.space) || text == "" {
		space := data.Space([]byte(text))
		if space.Validate() != nil {
			return "", false
		}
		d.space = space
	}
	return d.space, true
}

// extra keeps an unknown field.
func (d *Decoder) extra(e *data.Event, name string) bool {
	if e.Extra == nil {
		e.Extra = d.arena.extras.take()
	}
	if _, twice := e.Extra[name]; twice {
		return false
	}
	d.scan.at()
	from := d.scan.i
	if !d.scan.value(2) {
		return false
	}
	e.Extra[name] = d.scan.b[from:d.scan.i:d.scan.i]
	return true
}
