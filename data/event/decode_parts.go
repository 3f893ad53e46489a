package event

import (
	"encoding/base64"

	"kindred/data"
)

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
