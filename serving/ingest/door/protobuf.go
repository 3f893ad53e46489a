package door

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// Protobuf reads a kindred.v1.Batch (proto/kindred.proto). Fields that are unknown are
// passed over, as the format asks; a call that cannot be read is a reject.
//
// The reader knows the one schema and goes over the bytes itself, which bounds depth and
// size where a general one recurses up to ten thousand levels.
func Protobuf(body []byte, l Limits) (Batch, error) {
	c := newCollector("protobuf", l)
	if err := l.body(c.door, body); err != nil {
		return Batch{}, err
	}
	var calls [][]byte
	var context []byte
	err := eachPart(body, func(f part) (err error) {
		switch f.num {
		case 1:
			b, err := f.message()
			calls = append(calls, b)
			return err
		case 2:
			ms, err := f.varint()
			c.SentAt = time.Time{}
			if ms > 0 && ms < 1e13 { // else the calls' own times stand
				c.SentAt = time.UnixMilli(int64(ms)).UTC()
			}
			return err
		case 3:
			c.WriteKey, err = f.text()
		case 4:
			context, err = f.join(context)
		}
		return err
	})
	if err != nil {
		return Batch{}, refuse(c.door, "the body is no kindred.v1.Batch: %v", err)
	}
	if len(calls) > l.Calls {
		return Batch{}, refuse(c.door, "%d calls; at most %d are taken", len(calls), l.Calls)
	}
	if context != nil {
		if c.Context, err = structJSON(context, 1); err != nil {
			return Batch{}, refuse(c.door, "context: %v", err)
		}
	}
	for _, b := range calls {
		if call, err := protoCall(b); err != nil {
			err = c.reject(b, "%v", err)
			if err != nil {
				return Batch{}, err
			}
		} else if err := c.add(call); err != nil {
			return Batch{}, err
		}
	}
	return c.Batch, nil
}

// protoTypes are the names of kindred.v1.Type.
var protoTypes = [...]string{"", "track", "identify", "page", "screen", "group", "alias"}

// protoFields are a call's text and object fields by their number.
var protoFields = [...]string{2: "messageId", 3: "userId", 4: "anonymousId", 5: "groupId", 6: "previousId",
	7: "event", 8: "name", 9: "category", 10: "timestamp", 11: "sentAt", 12: "properties", 13: "traits", 14: "context"}

// protoCall is a kindred.v1.Call as a call.
func protoCall(b []byte) (json.RawMessage, error) {
	var texts [10]string
	var stamps [12]uint64
	var structs [15][]byte
	var typ uint64
	err := eachPart(b, func(f part) (err error) {
		switch {
		case f.num == 1:
			typ, err = f.varint()
		case f.num >= 2 && f.num <= 9:
			texts[f.num], err = f.text()
		case f.num == 10 || f.num == 11:
			stamps[f.num], err = f.varint()
		case f.num >= 12 && f.num <= 14:
			structs[f.num], err = f.join(structs[f.num])
		}
		if err != nil && int(f.num) < len(protoFields) {
			return fmt.Errorf("%s: %w", protoFields[f.num], err)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	o := newObject()
	if typ > 0 && typ < uint64(len(protoTypes)) {
		o.setText("type", protoTypes[typ])
	} else if typ != 0 {
		return nil, fmt.Errorf("type: %d is no kindred.v1.Type", int64(typ))
	}
	for num, s := range texts {
		if s != "" {
			o.setText(protoFields[num], s)
		}
	}
	for _, num := range []int{10, 11} {
		if stamps[num] != 0 {
			o.set(protoFields[num], json.RawMessage(strconv.FormatInt(int64(stamps[num]), 10)))
		}
	}
	for _, num := range []int{12, 13, 14} {
		if structs[num] != nil {
			v, err := structJSON(structs[num], 1)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", protoFields[num], err)
			}
			o.set(protoFields[num], v)
		}
	}
	return o.bytes(), nil
}

// part is one field of a message.
type part struct {
	num   protowire.Number
	typ   protowire.Type
	value []byte
}

var errWire = errors.New("has another wire type than the schema says")

func (f part) varint() (uint64, error) {
	if f.typ != protowire.VarintType {
		return 0, errWire
	}
	v, _ := protowire.ConsumeVarint(f.value)
	return v, nil
}

func (f part) message() ([]byte, error) {
	if f.typ != protowire.BytesType {
		return nil, errWire
	}
	b, _ := protowire.ConsumeBytes(f.value)
	return b, nil
}

// join appends a message to the pieces of it that came before: a message that is written several
// times is, by the format, its pieces joined. The result is not nil.
func (f part) join(before []byte) ([]byte, error) {
	b, err := f.message()
	if err == nil {
		err = eachPart(b, func(part) error { return nil }) // no field straddles two pieces
	}
	if before == nil {
		before = []byte{}
	}
	return append(before, b...), err
}

func (f part) text() (string, error) {
	b, err := f.message()
	if err == nil && !utf8.Valid(b) {
		err = errors.New("is not UTF-8")
	}
	return string(b), err
}

// eachPart goes over the fields of a message. Groups, which proto3 does not have, are refused.
func eachPart(b []byte, field func(part) error) error {
	for at := 0; at < len(b); {
		num, typ, n := protowire.ConsumeTag(b[at:])
		if n < 0 {
			return fmt.Errorf("byte %d: %v", at, protowire.ParseError(n))
		}
		if num > protowire.MaxValidNumber {
			return fmt.Errorf("byte %d: field number %d is beyond what the format has", at, num)
		}
		if at += n; typ == protowire.StartGroupType || typ == protowire.EndGroupType {
			return fmt.Errorf("byte %d: begins a group; proto3 has none", at)
		}
		size := protowire.ConsumeFieldValue(num, typ, b[at:])
		if size < 0 {
			return fmt.Errorf("byte %d: %v", at, protowire.ParseError(size))
		}
		if err := field(part{num, typ, b[at : at+size]}); err != nil {
			return err
		}
		at += size
	}
	return nil
}
