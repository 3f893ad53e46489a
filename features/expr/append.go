package expr

import (
	"fmt"
	"math"
	"sort"
	"strconv"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"kindred/features/expr/rawjson"
)

// maxNesting bounds what AppendJSON writes.
const maxNesting = 32

// AppendJSON appends v as JSON: timestamps in RFC 3339, UTC, to the millisecond; durations in
// seconds; maps in the order of their names. present is false, with nothing appended, for an
// optional without a value. The error is a value that JSON has no form for.
func AppendJSON(dst []byte, v Value) (out []byte, present bool, err error) {
	if o, ok := v.(*types.Optional); ok {
		if !o.HasValue() {
			return dst, false, nil
		}
		v = o.GetValue()
	}
	out, err = appendJSON(dst, v, 0)
	if err != nil {
		return dst, false, err
	}
	return out, true, nil
}

func appendJSON(dst []byte, v ref.Val, depth int) ([]byte, error) {
	if depth > maxNesting {
		return dst, fmt.Errorf("nests deeper than %d levels", maxNesting)
	}
	switch v := v.(type) {
	case object:
		return append(dst, v...), nil
	case array:
		return append(dst, v...), nil
	case types.Null:
		return append(dst, "null"...), nil
	case types.Bool:
		return strconv.AppendBool(dst, bool(v)), nil
	case types.Int:
		return strconv.AppendInt(dst, int64(v), 10), nil
	case types.Uint:
		return strconv.AppendUint(dst, uint64(v), 10), nil
	case types.Double:
		return appendFloat(dst, float64(v))
	case types.String:
		return rawjson.AppendText(dst, string(v)), nil
	case types.Timestamp:
		return append(v.Time.UTC().Truncate(time.Millisecond).AppendFormat(append(dst, '"'), "2006-01-02T15:04:05.000Z"), '"'), nil
	case types.Duration:
		return appendFloat(dst, v.Seconds())
	case traits.Lister:
		dst = append(dst, '[')
		it := v.Iterator()
		for n := 0; it.HasNext() == types.True; n++ {
			if n > 0 {
				dst = append(dst, ',')
			}
			var err error
			if dst, err = appendJSON(dst, it.Next(), depth+1); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), nil
	case traits.Mapper:
		return appendMap(dst, v, depth)
	}
	return dst, fmt.Errorf("a %s has no form in JSON", v.Type().TypeName())
}

func appendMap(dst []byte, m traits.Mapper, depth int) ([]byte, error) {
	var names []string
	for it := m.Iterator(); it.HasNext() == types.True; {
		name, ok := it.Next().(types.String)
		if !ok {
			return dst, fmt.Errorf("a map with keys that are no strings has no form in JSON")
		}
		names = append(names, string(name))
	}
	sort.Strings(names)
	dst = append(dst, '{')
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(rawjson.AppendText(dst, name), ':')
		var err error
		if dst, err = appendJSON(dst, m.Get(types.String(name)), depth+1); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), nil
}

func appendFloat(dst []byte, f float64) ([]byte, error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return dst, fmt.Errorf("%v has no form in JSON", f)
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.AppendInt(dst, int64(f), 10), nil
	}
	return strconv.AppendFloat(dst, f, 'g', -1, 64), nil
}
