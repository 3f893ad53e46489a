package door

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/hamba/avro/v2"
)

// maxNodes bounds the values of a datum: an array of nulls takes no bytes.
const maxNodes = 200_000

// avroWalk reads a datum along its schema.
type avroWalk struct {
	r     *avro.Reader
	nodes int
	left  int // bytes of JSON
}

// avroValue is a datum as JSON: records and maps are objects (a map's names in order), unions the
// value itself, bytes and fixed Base64, times RFC 3339, decimals numbers. Bytes behind the datum are an error.
func avroValue(schema avro.Schema, datum []byte, l Limits) (json.RawMessage, error) {
	config := avro.Config{MaxByteSliceSize: l.Bytes, MaxSliceAllocSize: l.Bytes}.Freeze()
	w := avroWalk{r: avro.NewReader(nil, 0, avro.WithReaderConfig(config)), left: 4*l.Bytes + 1<<16}
	w.r.Reset(datum)
	v, err := w.value(schema, 1)
	if err != nil {
		return nil, err
	}
	w.r.Peek()
	if w.r.Error == nil {
		return nil, errors.New("ends before the body does")
	}
	return v, nil
}

func (w *avroWalk) value(schema avro.Schema, depth int) (v json.RawMessage, err error) {
	if w.nodes++; w.nodes > maxNodes {
		return nil, fmt.Errorf("has more than %d values", maxNodes)
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("nests deeper than %d levels", maxDepth)
	}
	switch s := schema.(type) {
	case *avro.RefSchema:
		return w.value(s.Schema(), depth)
	case *avro.RecordSchema:
		o := newObject()
		for _, f := range s.Fields() {
			v, err := w.value(f.Type(), depth+1)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f.Name(), err)
			}
			o.set(f.Name(), v)
			if err := w.spend(len(f.Name()) + 4); err != nil {
				return nil, err
			}
		}
		v = o.bytes()
	case *avro.ArraySchema:
		elements := []json.RawMessage{}
		if err := w.blocks(func() error {
			e, err := w.value(s.Items(), depth+1)
			elements = append(elements, e)
			return err
		}); err != nil {
			return nil, err
		}
		v = list(elements...)
	case *avro.MapSchema:
		o := newObject()
		if err := w.blocks(func() error {
			name := w.r.ReadString()
			if w.r.Error == nil && !utf8.ValidString(name) {
				return errors.New("has a name that is not UTF-8")
			}
			e, err := w.value(s.Values(), depth+1)
			o.set(name, e)
			return err
		}); err != nil {
			return nil, err
		}
		slices.Sort(o.names)
		v = o.bytes()
	case *avro.UnionSchema:
		i, types := w.r.ReadLong(), s.Types()
		if w.r.Error != nil || i < 0 || i >= int64(len(types)) {
			return nil, fmt.Errorf("has no branch %d in its union", i)
		}
		return w.value(types[i], depth+1)
	case *avro.EnumSchema:
		i := w.r.ReadInt()
		symbol, ok := s.Symbol(int(i))
		if w.r.Error == nil && (!ok || i < 0) {
			return nil, fmt.Errorf("has no symbol %d in its enum", i)
		}
		v = quote(symbol)
		err = w.spend(len(v))
	case *avro.FixedSchema:
		if s.Size() > w.left {
			return nil, errors.New("is larger than a datum may be")
		}
		b := make([]byte, s.Size())
		w.r.Read(b)
		if v, err = bytesJSON(b, s.Logical()); err == nil {
			err = w.spend(len(v))
		}
	case *avro.NullSchema:
		return json.RawMessage("null"), nil
	case *avro.PrimitiveSchema:
		if v, err = w.primitive(s); err == nil {
			err = w.spend(len(v))
		}
	default:
		return nil, fmt.Errorf("has a schema of type %s, which is not read here", schema.Type())
	}
	switch {
	case w.r.Error != nil:
		return nil, fmt.Errorf("does not fit its schema: %w", w.r.Error)
	case err != nil:
		return nil, err
	}
	return v, nil
}

// spend counts bytes of JSON: names of records are in the schema once and in the JSON each time.
func (w *avroWalk) spend(n int) error {
	if w.left -= n; w.left < 0 {
		return errors.New("is too large as JSON")
	}
	return nil
}

// blocks reads the blocks of an array or a map.
func (w *avroWalk) blocks(element func() error) error {
	for {
		n, _ := w.r.ReadBlockHeader()
		if n == 0 || w.r.Error != nil {
			return nil // the caller looks at the error
		}
		for ; n > 0; n-- {
			if err := element(); err != nil {
				return err
			}
		}
		if n < 0 {
			return errors.New("has a block of a negative number of values")
		}
	}
}

func (w *avroWalk) primitive(s *avro.PrimitiveSchema) (json.RawMessage, error) {
	r := w.r
	switch s.Type() {
	case avro.Boolean:
		return json.RawMessage(strconv.FormatBool(r.ReadBool())), nil
	case avro.Int:
		return integerJSON(int64(r.ReadInt()), s.Logical()), nil
	case avro.Long:
		return integerJSON(r.ReadLong(), s.Logical()), nil
	case avro.Float:
		return floatJSON(float64(r.ReadFloat()), 32)
	case avro.Double:
		return floatJSON(r.ReadDouble(), 64)
	case avro.String:
		text := r.ReadString()
		if !utf8.ValidString(text) {
			return nil, errors.New("has a string that is not UTF-8")
		}
		return quote(text), nil
	case avro.Bytes:
		return bytesJSON(r.ReadBytes(), s.Logical())
	}
	return nil, fmt.Errorf("has a schema of type %s, which is not read here", s.Type())
}

// integerJSON is a number, or the date or time that it stands for.
func integerJSON(n int64, logical avro.LogicalSchema) json.RawMessage {
	v := json.RawMessage(strconv.FormatInt(n, 10))
	if logical == nil {
		return v
	}
	switch logical.Type() {
	case avro.Date:
		return quote(time.Unix(n*86400, 0).UTC().Format(time.DateOnly))
	case avro.TimestampMillis, avro.LocalTimestampMillis:
		return instant(v, time.Millisecond)
	case avro.TimestampMicros, avro.LocalTimestampMicros:
		return instant(v, time.Microsecond)
	}
	return v
}

func floatJSON(f float64, bits int) (json.RawMessage, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("has the number %v, which JSON cannot say", f)
	}
	return json.RawMessage(strconv.FormatFloat(f, 'g', -1, bits)), nil
}

// bytesJSON is Base64, or the decimal number that the bytes stand for.
func bytesJSON(b []byte, logical avro.LogicalSchema) (json.RawMessage, error) {
	text := quote(base64.StdEncoding.EncodeToString(b))
	if d, ok := logical.(*avro.DecimalLogicalSchema); ok {
		if len(b) > 64 || d.Scale() > 64 {
			return nil, errors.New("has a decimal of more than 64 bytes or digits behind the point")
		}
		return decimal(text, d.Scale()), nil
	}
	return text, nil
}
