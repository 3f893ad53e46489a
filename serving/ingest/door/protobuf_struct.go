package door

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// structJSON is a google.protobuf.Struct as a JSON object, names in order, so that a client
// whose maps have none sends the same call twice. Refused are numbers that JSON has not, values that
// are none or several kinds, and more than maxDepth levels.
func structJSON(b []byte, depth int) (json.RawMessage, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nests deeper than %d levels", maxDepth)
	}
	o := newObject()
	err := eachPart(b, func(f part) error {
		if f.num != 1 {
			return nil
		}
		entry, err := f.message()
		if err != nil {
			return err
		}
		var name string
		value := []byte{}
		if err := eachPart(entry, func(f part) (err error) {
			switch f.num {
			case 1:
				name, err = f.text()
			case 2:
				value, err = f.join(value)
			}
			return err
		}); err != nil {
			return err
		}
		v, err := valueJSON(value, depth+1)
		if err != nil {
			return fmt.Errorf("%s: %w", clip(name), err)
		}
		o.set(name, v) // of two equal names the last wins, as the format says
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(o.names)
	return o.bytes(), nil
}

// valueJSON is a google.protobuf.Value as JSON.
func valueJSON(b []byte, depth int) (v json.RawMessage, err error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("nests deeper than %d levels", maxDepth)
	}
	err = eachPart(b, func(f part) (err error) {
		if f.num < 1 || f.num > 6 {
			return nil
		}
		if v != nil {
			return errors.New("is several values at once")
		}
		v, err = kindJSON(f, depth)
		return err
	})
	if err == nil && v == nil {
		err = errors.New("is no value; null has to be said")
	}
	return v, err
}

// kindJSON is the one field that a Value has.
func kindJSON(f part, depth int) (json.RawMessage, error) {
	switch f.num {
	case 1:
		_, err := f.varint()
		return json.RawMessage("null"), err
	case 2:
		if f.typ != protowire.Fixed64Type {
			return nil, errWire
		}
		bits, _ := protowire.ConsumeFixed64(f.value)
		x := math.Float64frombits(bits)
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("is %v, which JSON cannot say", x)
		}
		b, err := json.Marshal(x)
		return b, err
	case 3:
		s, err := f.text()
		return quote(s), err
	case 4:
		n, err := f.varint()
		return json.RawMessage(strconv.FormatBool(n != 0)), err
	case 5:
		m, err := f.message()
		if err != nil {
			return nil, err
		}
		return structJSON(m, depth)
	}
	m, err := f.message()
	if err != nil {
		return nil, err
	}
	elements := []json.RawMessage{}
	err = eachPart(m, func(f part) error {
		if f.num != 1 {
			return nil
		}
		b, err := f.message()
		if err != nil {
			return err
		}
		e, err := valueJSON(b, depth+1)
		elements = append(elements, e)
		return err
	})
	return list(elements...), err
}
