package event

import "kindred/data"

// decodeSystem reads the payload of a system event.
func decodeSystem(e *data.Event, name string, v []byte) (err error) {
	switch name {
	case "marker":
		e.Marker = &data.Marker{}
		err = decodeMarker(e.Marker, v)
	case "absorb":
		e.Absorb = &data.Absorb{}
		err = decodeAbsorb(e.Absorb, v)
	case "skip":
		var n int64
		n, err = getInt(v)
		e.Skip = &n
	case "shown":
		e.Shown = &data.Shown{}
		err = decodeShown(e.Shown, v)
	}
	return err
}

func decodeMarker(m *data.Marker, raw []byte) error {
	return strictFields(raw, func(name string, v []byte) (err error) {
		switch name {
		case "rules":
			m.Rules, err = getID(v)
		case "models":
			m.Models, err = getID(v)
		default:
			err = unknownField()
		}
		return err
	})
}

func decodeAbsorb(a *data.Absorb, raw []byte) error {
	return strictFields(raw, func(name string, v []byte) (err error) {
		switch name {
		case "from":
			var s string
			s, err = getID(v)
			a.From = data.ProfileID(s)
		case "state":
			a.State, err = decodeBytes(v)
		case "dedup":
			a.Dedup, err = decodeBytes(v)
		default:
			err = unknownField()
		}
		return err
	})
}

func decodeShown(s *data.Shown, raw []byte) error {
	return strictFields(raw, func(name string, v []byte) (err error) {
		switch name {
		case "request_id":
			s.Request, err = getID(v)
		case "slot":
			s.Slot, err = getID(v)
		case "model":
			s.Model, err = getID(v)
		case "arm":
			s.Arm, err = getID(v)
		case "items":
			if v[0] != '[' {
				return wrongType(v, "an array")
			}
			err = eachElement(v, func(v []byte) error {
				it, err := decodeShownItem(v)
				s.Items = append(s.Items, it)
				return err
			})
		default:
			err = unknownField()
		}
		return err
	})
}

func decodeShownItem(raw []byte) (it data.ShownItem, err error) {
	err = strictFields(raw, func(name string, v []byte) (err error) {
		switch name {
		case "id":
			var s string
			s, err = getID(v)
			it.Item = data.ItemID(s)
		case "position":
			var n int64
			n, err = getInt(v)
			it.Position = int(n)
		case "score":
			it.Score, err = getFloat(v)
		case "propensity":
			it.Propensity, err = getFloat(v)
		default:
			err = unknownField()
		}
		return err
	})
	return it, err
}
