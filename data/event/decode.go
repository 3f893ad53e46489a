package event

import (
	"encoding/json"

	"kindred/data"
)

// Decode reads one canonical JSON event, the inverse of Append. Times are cut to
// milliseconds; props, traits, ctx, bot, consent and schema are kept as compacted
// objects; unknown top-level fields go to Extra.
//
// Required are v, id and type; name for track and system events; t.received, and
// t.event for everything but system events. The error is a *DecodeError. The
// result shares no memory with b. Cost is O(len(b)).
func Decode(b []byte) (data.Event, error) {
	var e data.Event
	if len(b) > MaxBytes {
		return e, refuse("", "%d bytes; an event may have at most %d", len(b), MaxBytes)
	}
	if err := check(b, 1); err != nil {
		return e, err
	}
	b = b[skipSpace(b, 0):]
	if b[0] != '{' {
		return e, wrongType(b, "an object")
	}
	if err := eachField(b, func(name string, v []byte) error { return decodeField(&e, name, v) }); err != nil {
		return data.Event{}, err
	}
	if err := complete(&e); err != nil {
		return data.Event{}, err
	}
	return e, nil
}

// complete checks what must be there.
func complete(e *data.Event) error {
	switch {
	case e.V == 0:
		return refuse("v", "is missing; this build writes version %d", data.EventVersion)
	case e.ID == "":
		return refuse("id", "is missing or empty")
	case e.Type == "":
		return refuse("type", "is missing")
	case e.Name == "" && (e.Type == data.Track || e.Type == data.System):
		return refuse("name", "is missing or empty; a %s event needs one", e.Type)
	case e.Times.Received.IsZero():
		return refuse("t.received", "is missing")
	case e.Times.Event.IsZero() && e.Type != data.System:
		return refuse("t.event", "is missing")
	}
	return nil
}

// decodeField reads one top-level field into e.
func decodeField(e *data.Event, name string, v []byte) (err error) {
	if !known(name) {
		if e.Extra == nil {
			e.Extra = make(map[string]json.RawMessage)
		}
		e.Extra[name] = compact(nil, v)
		return nil
	}
	if isNull(v) {
		return nil
	}
	switch name {
	case "v":
		var n int64
		if n, err = getInt(v); err == nil && n != data.EventVersion {
			err = refuse("", "version %d is not one this build reads; it reads %d", n, data.EventVersion)
		}
		e.V = int(n)
	case "id":
		e.ID, err = getID(v)
	case "source":
		e.Source, err = getID(v)
	case "tenant":
		var s string
		if s, err = getString(v); err == nil {
			if bad := data.Space(s).Validate(); bad != nil {
				err = refuse("", "%s", bad)
			}
		}
		e.Space = data.Space(s)
	case "env":
		e.Env, err = getString(v)
	case "type":
		e.Type, err = getType(v)
	case "name":
		e.Name, err = getString(v)
	case "ids":
		err = decodeIDs(&e.IDs, v)
	case "profile":
		var s string
		s, err = getID(v)
		e.Profile = data.ProfileID(s)
	case "t":
		err = decodeTimes(&e.Times, v)
	case "session":
		err = decodeSession(&e.Session, v)
	case "props":
		e.Props, err = getObject(v)
	case "traits":
		e.Traits, err = getObject(v)
	case "items":
		e.Items, err = decodeItems(v)
	case "value":
		e.Value, err = getFloat(v)
	case "ctx":
		e.Ctx, err = getObject(v)
	case "bot":
		e.Bot, err = getObject(v)
	case "consent":
		e.Consent, err = getObject(v)
	case "schema":
		e.Schema, err = getObject(v)
	case "rec":
		e.Rec, err = decodeRec(v)
	case "imported":
		e.Imported, err = getBool(v)
	default:
		err = decodeSystem(e, name, v)
	}
	return err
}

// known reports whether name is a field of ours; all others go to Extra.
func known(name string) bool {
	switch name {
	case "v", "id", "source", "tenant", "env", "type", "name", "ids", "profile", "t", "session",
		"props", "traits", "items", "value", "ctx", "bot", "consent", "schema", "rec", "imported",
		"marker", "absorb", "skip", "shown":
		return true
	}
	return false
}

// getType reads one of the seven event types.
func getType(v []byte) (data.EventType, error) {
	s, err := getString(v)
	if err != nil {
		return "", err
	}
	switch t := data.EventType(s); t {
	case data.Track, data.Identify, data.Page, data.Screen, data.Group, data.Alias, data.System:
		return t, nil
	}
	return "", refuse("", "%q is no event type; use track, identify, page, screen, group or alias", clip(s))
}

// getID reads a string that can be an identifier.
func getID(v []byte) (string, error) {
	s, err := getString(v)
	if err == nil {
		err = checkID(s)
	}
	return s, err
}

// IsCanonical reports whether b is a JSON object with the field v, which a
// canonical event has and a tracking call has not.
func IsCanonical(b []byte) bool {
	if has, ok := hasVersion(b); ok {
		return has
	}
	if check(b, 1) != nil {
		return false
	}
	b = b[skipSpace(b, 0):]
	return b[0] == '{' && hasField(b, "v")
}

// hasVersion is IsCanonical in one pass; ok is false where it gives up.
func hasVersion(b []byte) (has, ok bool) {
	var s scan
	s.reset(b)
	if s.at() != '{' {
		return false, false
	}
	s.i++
	if s.at() == '}' {
		return false, false
	}
	for sketch := uint64(0); ; {
		from, to, ok := s.name()
		if !ok || !s.unique(0, &sketch, from, to) || !s.value(2) {
			return false, false
		}
		has = has || to-from == 1 && b[from] == 'v'
		again, ok := s.more('}')
		if !again {
			return has, ok && s.at() == 0 && s.i == len(b)
		}
	}
}
