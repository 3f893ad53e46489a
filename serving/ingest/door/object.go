package door

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// object is a JSON object whose fields keep their order and their bytes.
type object struct {
	names  []string
	values map[string]json.RawMessage
}

func newObject() *object { return &object{values: map[string]json.RawMessage{}} }

// parseObject reads one strict JSON object: see checkJSON, and no name twice.
func parseObject(raw []byte) (*object, error) {
	if err := checkJSON(raw); err != nil {
		return nil, err
	}
	return fieldsOf(raw)
}

// fieldsOf is parseObject of bytes that checkJSON has accepted.
func fieldsOf(raw []byte) (*object, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("must be a JSON object")
	}
	o := newObject()
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		name := t.(string)
		if _, twice := o.values[name]; twice {
			return nil, fmt.Errorf("the name %q occurs twice in one object", clip(name))
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return nil, err
		}
		o.set(name, v)
	}
	return o, nil
}

// listOf are the elements of an array that checkJSON has accepted, nil for any other value.
func listOf(raw json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	if len(raw) == 0 || raw[0] != '[' || json.Unmarshal(raw, &list) != nil {
		return nil
	}
	return list
}

// get is the value of a field; nil where it is absent or null.
func (o *object) get(name string) json.RawMessage {
	if v := o.values[name]; string(v) != "null" {
		return v
	}
	return nil
}

// take is get, and the field is gone.
func (o *object) take(name string) json.RawMessage {
	v := o.get(name)
	if _, has := o.values[name]; has {
		delete(o.values, name)
		for i, n := range o.names {
			if n == name {
				o.names = append(o.names[:i], o.names[i+1:]...)
				break
			}
		}
	}
	return v
}

// text is a field that is a string, or a number as it is written; else "".
func (o *object) text(name string) string { return textOf(o.get(name)) }

func (o *object) takeText(name string) string { return textOf(o.take(name)) }

// child is a field that is an object, or an empty one.
func (o *object) child(name string) *object {
	if v := o.get(name); len(v) > 0 && v[0] == '{' {
		if c, err := fieldsOf(v); err == nil {
			return c
		}
	}
	return newObject()
}

// set replaces or adds a field; a nil value changes nothing.
func (o *object) set(name string, v json.RawMessage) {
	if v == nil {
		return
	}
	if _, has := o.values[name]; !has {
		o.names = append(o.names, name)
	}
	o.values[name] = v
}

// setText sets a field to a string; an empty one changes nothing.
func (o *object) setText(name, s string) {
	if s != "" {
		o.set(name, quote(s))
	}
}

// setNumber sets a field to s where it is a JSON number, else to the string s.
func (o *object) setNumber(name, s string) {
	if n, ok := numberOf(s); ok {
		o.set(name, n)
		return
	}
	o.setText(name, s)
}

// setObject sets a field to an object that has fields.
func (o *object) setObject(name string, v *object) {
	if len(v.names) > 0 {
		o.set(name, v.bytes())
	}
}

// lacks adds the fields of other that o has not.
func (o *object) lacks(other *object) {
	for _, name := range other.names {
		if _, has := o.values[name]; !has {
			o.set(name, other.values[name])
		}
	}
}

func (o *object) bytes() json.RawMessage {
	b := []byte{'{'}
	for i, name := range o.names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, quote(name)...), ':')
		b = append(b, o.values[name]...)
	}
	return append(b, '}')
}

// quote is s as a JSON string.
func quote(s string) json.RawMessage {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil { // cannot be
		return json.RawMessage(`""`)
	}
	return bytes.TrimRight(b.Bytes(), "\n")
}

// textOf is a JSON string's text, or a number as it is written; else "".
func textOf(v json.RawMessage) string {
	if len(v) == 0 {
		return ""
	}
	if c := v[0]; c == '-' || c >= '0' && c <= '9' {
		return string(v)
	}
	var s string
	if v[0] != '"' || json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}

// numberOf is s as a JSON number, if it is one that a float64 holds.
func numberOf(s string) (json.RawMessage, bool) {
	if s == "" || len(s) > 64 || !(s[0] == '-' || s[0] >= '0' && s[0] <= '9') || !json.Valid([]byte(s)) {
		return nil, false
	}
	_, err := strconv.ParseFloat(s, 64)
	return json.RawMessage(s), err == nil
}

// checkJSON accepts one JSON value in UTF-8 without half surrogates that nests at most
// maxDepth levels.
func checkJSON(b []byte) error {
	if !utf8.Valid(b) {
		return errors.New("is not UTF-8")
	}
	if err := checkShape(b); err != nil {
		return err
	}
	var v json.RawMessage
	if err := json.Unmarshal(b, &v); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return fmt.Errorf("is not JSON: %s at byte %d", syntax.Error(), syntax.Offset)
		}
		return errors.New("is not JSON")
	}
	return nil
}

// checkShape bounds the depth and finds half surrogates, in bytes that need not be JSON.
func checkShape(b []byte) error {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("nests deeper than %d levels", maxDepth)
			}
		case '}', ']':
			depth--
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] != '\\' {
					continue
				}
				high, n := escapeAt(b[i:])
				if high >= 0xdc00 && high < 0xe000 {
					return errors.New("has half of a surrogate pair; no character is written so")
				}
				if high >= 0xd800 && high < 0xdc00 {
					low, m := escapeAt(b[min(i+n, len(b)):])
					if low < 0xdc00 || low >= 0xe000 {
						return errors.New("has half of a surrogate pair; no character is written so")
					}
					n += m
				}
				i += n - 1
			}
		}
	}
	return nil
}

// escapeAt is the code of the \uXXXX at the start of b and its length; 0 and 2 for another escape.
func escapeAt(b []byte) (code uint64, n int) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, 2
	}
	code, err := strconv.ParseUint(string(b[2:6]), 16, 32)
	if err != nil {
		return 0, 2
	}
	return code, 6
}

// splitValues are the JSON values of b, one behind the other with or without white space
// (a line each, or concatenated); rest is what follows the last good one and is none.
func splitValues(b []byte, limit int) (values []json.RawMessage, rest []byte, err error) {
	if !utf8.Valid(b) {
		return nil, b, errors.New("is not UTF-8")
	}
	if err := checkShape(b); err != nil {
		return nil, b, err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	for len(values) <= limit {
		at := d.InputOffset()
		var v json.RawMessage
		switch err := d.Decode(&v); {
		case errors.Is(err, io.EOF):
			return values, nil, nil
		case err != nil:
			return values, bytes.TrimSpace(b[at:]), fmt.Errorf("is not JSON: %s", err)
		}
		values = append(values, v)
	}
	return values, nil, nil
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "…"
	}
	return s
}
