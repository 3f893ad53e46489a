package event

import (
	"encoding/base64"
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

// unknownField refuses a field inside an object of ours.
func unknownField() error { return refuse("", "unknown field") }

// strictFields is eachField without nulls.
func strictFields(raw []byte, fn func(name string, v []byte) error) error {
	if raw[0] != '{' {
		return wrongType(raw, "an object")
	}
	return eachField(raw, func(name string, v []byte) error {
		if isNull(v) {
			return nil
		}
		return fn(name, v)
	})
}

func decodeIDs(ids *data.IDs, raw []byte) error {
	return strictFields(raw, func(name string, v []byte) (err error) {
		var s string
		switch name {
		case "user":
			s, err = getID(v)
			ids.User = data.UserID(s)
		case "anon":
			s, err = getID(v)
			ids.Anonymous = data.AnonymousID(s)
		case "group":
			ids.Group, err = getID(v)
		case "device":
			ids.Device, err = getID(v)
		case "ext":
			if v[0] != '[' {
				return wrongType(v, "an array")
			}
			err = eachElement(v, func(v []byte) error {
				var x data.ExternalID
				err := strictFields(v, func(name string, v []byte) (err error) {
					switch name {
					case "type":
						x.Type, err = getID(v)
					case "id":
						x.ID, err = getID(v)
					default:
						err = unknownField()
					}
					return err
				})
				ids.External = append(ids.External, x)
				return err
			})
		default:
			err = unknownField()
		}
		return err
	})
}

func decodeTimes(t *data.Times, raw []byte) error {
	return strictFields(raw, func(name string, v []byte) (err error) {
		switch name {
		case "event":
			t.Event, err = getTime(v)
		case "original":
			t.Original, err = getTime(v)
		case "sent":
			t.Sent, err = getTime(v)
		case "received":
			t.Received, err = getTime(v)
		case "skew_ms":
			t.SkewMS, err = getInt(v)
		case "clamped":
			t.Clamped, err = getBool(v)
		case "late":
			t.Late, err = getBool(v)
		default:
			err = unknownField()
		}
		return err
	})
}

func decodeSession(s *data.SessionRef, raw []byte) error {
	return strictFields(raw, func(name string, v []byte) (err error) {
		switch name {
		case "id":
			s.ID, err = getID(v)
		case "index":
			var n int64
			n, err = getInt(v)
			s.Index = int(n)
		case "first":
			s.First, err = getBool(v)
		default:
			err = unknownField()
		}
		return err
	})
}

func decodeItems(raw []byte) ([]data.EventItem, error) {
	if raw[0] != '[' {
		return nil, wrongType(raw, "an array")
	}
	var items []data.EventItem
	err := eachElement(raw, func(v []byte) error {
		var it data.EventItem
		err := strictFields(v, func(name string, v []byte) (err error) {
			switch name {
			case "id":
				var s string
				s, err = getID(v)
				it.ID = data.ItemID(s)
			case "qty":
				it.Quantity, err = getFloat(v)
			case "price":
				it.Price, err = getFloat(v)
			case "facets":
				it.Facets, err = decodeFacets(v)
			default:
				err = unknownField()
			}
			return err
		})
		if err == nil && it.ID == "" {
			err = refuse("id", "is missing or empty")
		}
		items = append(items, it)
		return err
	})
	return items, err
}

func decodeFacets(raw []byte) (map[string][]string, error) {
	var facets map[string][]string
	err := strictFields(raw, func(name string, v []byte) error {
		if v[0] != '[' {
			return wrongType(v, "an array of strings")
		}
		var values []string
		err := eachElement(v, func(v []byte) error {
			s, err := getString(v)
			values = append(values, s)
			return err
		})
		if len(values) > 0 {
			if facets == nil {
				facets = make(map[string][]string)
			}
			facets[name] = values
		}
		return err
	})
	return facets, err
}

func decodeRec(raw []byte) (*data.RecRef, error) {
	var r data.RecRef
	err := strictFields(raw, func(name string, v []byte) (err error) {
		switch name {
		case "request_id":
			r.Request, err = getID(v)
		case "slot":
			r.Slot, err = getID(v)
		case "position":
			var n int64
			n, err = getInt(v)
			r.Position = int(n)
		case "model":
			r.Model, err = getID(v)
		default:
			err = unknownField()
		}
		return err
	})
	return &r, err
}

// decodeBytes reads base64 (standard alphabet, padded).
func decodeBytes(v []byte) ([]byte, error) {
	s, err := getString(v)
	if err != nil {
		return nil, err
	}
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, refuse("", "is not base64 in the standard alphabet with padding")
	}
	return b, nil
}

// IsCanonical reports whether b is a JSON object with the field v, which a
// canonical event has and a tracking call has not.
func IsCanonical(b []byte) bool {
	if check(b, 1) != nil {
		return false
	}
	b = b[skipSpace(b, 0):]
	return b[0] == '{' && hasField(b, "v")
}
