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
// writes, and leaves to them everything that looks different (another order of the
// fields, white space, null, escapes outside the raw fields, and every mistake).
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

// event is Decode's single pass: it follows Append, field by field in Append's
// order, so that no field can come twice. It reports false where it gives up, with
// e in any state.
func (d *Decoder) event(b []byte, e *data.Event) (ok bool) {
	s := &d.scan
	s.reset(b)
	*e = data.Event{}
	if !s.literal(`{"v":1,"id":`) {
		return false
	}
	e.V = data.EventVersion
	if e.ID, ok = s.id(); !ok {
		return false
	}
	if s.literal(`,"source":`) {
		if e.Source, ok = s.id(); !ok {
			return false
		}
	}
	if s.literal(`,"tenant":`) {
		if e.Space, ok = d.tenant(); !ok {
			return false
		}
	}
	if s.literal(`,"env":`) {
		if e.Env, ok = s.string(); !ok {
			return false
		}
	}
	if !s.literal(`,"type":`) {
		return false
	}
	if e.Type, ok = s.eventType(); !ok {
		return false
	}
	if s.literal(`,"name":`) {
		if e.Name, ok = s.string(); !ok {
			return false
		}
	}
	if s.literal(`,"ids":`) && !d.ids(&e.IDs) {
		return false
	}
	if s.literal(`,"profile":`) {
		id, ok := s.id()
		if e.Profile = data.ProfileID(id); !ok {
			return false
		}
	}
	if !s.literal(`,"t":`) || !d.times(&e.Times) {
		return false
	}
	if s.literal(`,"session":`) && !d.session(&e.Session) {
		return false
	}
	if s.literal(`,"props":`) {
		if e.Props, ok = s.rawObject(); !ok {
			return false
		}
	}
	if s.literal(`,"traits":`) {
		if e.Traits, ok = s.rawObject(); !ok {
			return false
		}
	}
	if s.literal(`,"items":`) {
		if e.Items, ok = d.items(); !ok {
			return false
		}
	}
	if s.literal(`,"value":`) {
		if e.Value, ok = s.float(); !ok {
			return false
		}
	}
	return d.second(e)
}

// second is the half of an event that few events have much of.
func (d *Decoder) second(e *data.Event) (ok bool) {
	s := &d.scan
	if s.literal(`,"ctx":`) {
		if e.Ctx, ok = s.rawObject(); !ok {
			return false
		}
	}
	if s.literal(`,"bot":`) {
		if e.Bot, ok = s.rawObject(); !ok {
			return false
		}
	}
	if s.literal(`,"consent":`) {
		if e.Consent, ok = s.rawObject(); !ok {
			return false
		}
	}
	if s.literal(`,"schema":`) {
		if e.Schema, ok = s.rawObject(); !ok {
			return false
		}
	}
	if s.literal(`,"rec":`) {
		if e.Rec, ok = d.rec(); !ok {
			return false
		}
	}
	if s.literal(`,"imported":true`) {
		e.Imported = true
	}
	if s.literal(`,"shown":`) {
		if e.Shown, ok = d.shown(); !ok {
			return false
		}
	}
	for last := ""; s.at() == ','; {
		s.i++
		from, to, ok := s.name()
		name := alias(s.b[from:to])
		if !ok || name <= last && e.Extra != nil || known(name) || !d.extra(e, name) {
			return false
		}
		last = name
	}
	return s.comes('}') && s.i == len(s.b) && !s.spaced && isComplete(e)
}

// isComplete is complete where nobody asks for the reason.
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

// instant reads a time in the form that Append writes.
func (s *scan) instant() (time.Time, bool) {
	const n = len(`"2006-01-02T15:04:05.000Z"`)
	if len(s.b)-s.i < n || s.b[s.i] != '"' || s.b[s.i+n-1] != '"' {
		return time.Time{}, false
	}
	ms, ok := instantMS(s.b[s.i+1 : s.i+n-1])
	s.i += n
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

// extra keeps an unknown field. Append writes them in the order of their names, so
// the caller knows that this one is new.
func (d *Decoder) extra(e *data.Event, name string) bool {
	if e.Extra == nil {
		e.Extra = d.arena.extras.take()
	}
	d.scan.at()
	from := d.scan.i
	if !d.scan.value(2) {
		return false
	}
	e.Extra[name] = d.scan.b[from:d.scan.i:d.scan.i]
	return true
}
