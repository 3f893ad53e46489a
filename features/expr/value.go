package expr

import (
	"time"

	"cel.dev/cel-go/common/types"
)

// TextOf is the text that v is, if it is one.
func TextOf(v Value) (string, bool) {
	s, ok := v.(types.String)
	return string(s), ok
}

// NumberOf is the number that v is, of whatever type, if it is one.
func NumberOf(v Value) (float64, bool) {
	switch v := v.(type) {
	case types.Double:
		return float64(v), true
	case types.Int:
		return float64(v), true
	case types.Uint:
		return float64(v), true
	}
	return 0, false
}

// TimeOf is the instant that v is, if it is one.
func TimeOf(v Value) (time.Time, bool) {
	t, ok := v.(types.Timestamp)
	return t.Time, ok
}

// TypeOf is the name of v's type in CEL.
func TypeOf(v Value) string { return v.Type().TypeName() }

// TextValue is s as a value.
func TextValue(s string) Value { return types.String(s) }

// NumberValue is f as a value.
func NumberValue(f float64) Value { return types.Double(f) }

// TimeValue is t as a value.
func TimeValue(t time.Time) Value { return types.Timestamp{Time: t} }
