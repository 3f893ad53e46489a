package rawjson

import (
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// Put appends to dst the object with its field set to value, in the field's place or
// behind the others; a nil value takes the field away. What is no object counts as {}.
func Put(dst, object []byte, field string, value []byte) []byte {
	dst = append(dst, '{')
	first, done := true, false
	for o := Fields(object); o.Next(); {
		v := o.Value
		if o.Is(field) {
			if done || value == nil {
				continue
			}
			v, done = value, true
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = append(append(dst, '"'), o.Name...)
		dst = append(append(dst, '"', ':'), v...)
	}
	if !done && value != nil {
		if !first {
			dst = append(dst, ',')
		}
		dst = append(append(AppendText(dst, field), ':'), value...)
	}
	return append(dst, '}')
}

// PutPath is object with the value behind the path set, objects on the way made where they
// are missing or something else; a nil value takes the last field away and makes nothing.
func PutPath(object []byte, path []string, value []byte) []byte {
	switch {
	case len(path) == 0:
		return value
	case len(path) == 1:
		return Put(nil, object, path[0], value)
	}
	inner := Field(object, path[0])
	if value == nil && (inner == nil || inner[0] != '{') {
		return object
	}
	return Put(nil, object, path[0], PutPath(inner, path[1:], value))
}

// Rewrite is object with fn applied to every value behind the path, in which "[]" stands
// for every element of an array. fn's value nil leaves what is there. The
// result is object itself where nothing changed.
func Rewrite(object []byte, path []string, fn func(value []byte) []byte) []byte {
	if len(path) == 0 {
		if v := fn(object); v != nil {
			return v
		}
		return object
	}
	if path[0] != "[]" {
		inner := Field(object, path[0])
		if inner == nil {
			return object
		}
		changed := Rewrite(inner, path[1:], fn)
		if same(inner, changed) {
			return object
		}
		return Put(make([]byte, 0, len(object)+len(changed)), object, path[0], changed)
	}
	var out []byte
	n := 0
	for a := Elements(object); a.Next(); n++ {
		changed := Rewrite(a.Value, path[1:], fn)
		if out == nil {
			if same(a.Value, changed) {
				continue
			}
			out = append(make([]byte, 0, len(object)+len(changed)), '[')
			before := Elements(object)
			for range n {
				before.Next()
				out = append(append(out, before.Value...), ',')
			}
		}
		out = append(append(out, changed...), ',')
	}
	if out == nil {
		return object
	}
	out[len(out)-1] = ']'
	return out
}

// same reports whether b is a itself.
func same(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// Path takes a dotted path apart; a name followed by [] is two steps.
func Path(dotted string) []string {
	var out []string
	for _, part := range strings.Split(dotted, ".") {
		if inner, is := strings.CutSuffix(part, "[]"); is {
			out = append(out, inner, "[]")
		} else {
			out = append(out, part)
		}
	}
	return out
}

// AppendText appends s as a JSON string.
func AppendText(dst []byte, s string) []byte {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] >= ' ' && s[i] != '"' && s[i] != '\\' && s[i] < utf8.RuneSelf
	}
	if plain {
		return append(append(append(dst, '"'), s...), '"')
	}
	b, err := json.Marshal(s) // bytes that are no UTF-8 become U+FFFD
	if err != nil {           // a string always marshals
		return append(dst, `""`...)
	}
	return append(dst, b...)
}
