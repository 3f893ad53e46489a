package rawjson

import (
	"bytes"
	"encoding/json"
	"strconv"
	"unsafe"
)

// Object walks the fields of an object:
//
//	for o := rawjson.Fields(raw); o.Next(); {
//		use(o.Name, o.Value)
//	}
type Object struct {
	Name  []byte // between its quotes, escapes as they stand
	Value []byte

	b []byte
	i int
}

// Fields begins a walk over raw, which has no fields where it is no object.
func Fields(raw []byte) Object { return Object{b: raw, i: open(raw, '{')} }

// Bare begins a walk over the fields of an object without the braces around them.
func Bare(fields []byte) Object { return Object{b: fields} }

// Next passes to the next field and reports whether there is one.
func (o *Object) Next() bool {
	i := space(o.b, o.i)
	if i < len(o.b) && o.b[i] == ',' {
		i = space(o.b, i+1)
	}
	if i >= len(o.b) || o.b[i] != '"' {
		o.i = len(o.b)
		return false
	}
	end := skip(o.b, i)
	if end-i < 2 {
		o.i = len(o.b)
		return false
	}
	o.Name = o.b[i+1 : end-1]
	if i = space(o.b, end); i >= len(o.b) || o.b[i] != ':' {
		o.i = len(o.b)
		return false
	}
	i = space(o.b, i+1)
	if o.i = skip(o.b, i); o.i == i {
		o.i = len(o.b)
		return false
	}
	o.Value = o.b[i:o.i]
	return true
}

// Is reports whether the field is called name.
func (o *Object) Is(name string) bool { return nameIs(o.Name, name) }

// Array walks the elements of an array as Object does the fields.
type Array struct {
	Value []byte

	b []byte
	i int
}

// Elements begins a walk over raw, which has no elements where it is no array.
func Elements(raw []byte) Array { return Array{b: raw, i: open(raw, '[')} }

// Next passes to the next element and reports whether there is one.
func (a *Array) Next() bool {
	i := space(a.b, a.i)
	if i < len(a.b) && a.b[i] == ',' {
		i = space(a.b, i+1)
	}
	if i >= len(a.b) || a.b[i] == ']' {
		a.i = len(a.b)
		return false
	}
	if a.i = skip(a.b, i); a.i == i {
		a.i = len(a.b)
		return false
	}
	a.Value = a.b[i:a.i]
	return true
}

// Field is the value of the object's field, or nil. Of several fields with one name it is the first.
func Field(raw []byte, name string) []byte {
	for o := Fields(raw); o.Next(); {
		if nameIs(o.Name, name) {
			return o.Value
		}
	}
	return nil
}

// Get is the value behind a path of field names, or nil.
func Get(raw []byte, path ...string) []byte {
	for _, name := range path {
		if raw = Field(raw, name); raw == nil {
			return nil
		}
	}
	return raw
}

// IsNull reports whether v is absent or null.
func IsNull(v []byte) bool { return len(v) == 0 || v[0] == 'n' }

// Kind names the type of a value in JSON Schema's words, numbers as number.
func Kind(v []byte) string {
	if len(v) == 0 {
		return "nothing"
	}
	switch v[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}

// Text is the text of a string and whether v is one. Without escapes it aliases v.
func Text(v []byte) (string, bool) {
	if len(v) < 2 || v[0] != '"' {
		return "", false
	}
	return name(v[1 : len(v)-1]), true
}

// Number is the value of a number and whether v is one.
func Number(v []byte) (float64, bool) {
	if len(v) == 0 || v[0] != '-' && (v[0] < '0' || v[0] > '9') {
		return 0, false
	}
	f, err := strconv.ParseFloat(alias(v), 64)
	return f, err == nil
}

// NameOf is the text of an object's name as Fields gives it.
func NameOf(raw []byte) string { return name(raw) }

func nameIs(raw []byte, want string) bool {
	if string(raw) == want {
		return true
	}
	return bytes.IndexByte(raw, '\\') >= 0 && name(raw) == want
}

// name is the text of a string without its quotes.
func name(raw []byte) string {
	if bytes.IndexByte(raw, '\\') < 0 {
		return alias(raw)
	}
	var s string
	quoted := make([]byte, 0, len(raw)+2)
	quoted = append(append(append(quoted, '"'), raw...), '"')
	if json.Unmarshal(quoted, &s) != nil { // not checked bytes
		return string(raw)
	}
	return s
}

// alias is b as a string without a copy.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// open is the index behind the bracket that b begins with, or the end.
func open(b []byte, bracket byte) int {
	if i := space(b, 0); i < len(b) && b[i] == bracket {
		return i + 1
	}
	return len(b)
}

func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '\n' || b[i] == '\r') {
		i++
	}
	return i
}

// skip is the index behind the value that begins at i.
func skip(b []byte, i int) int {
	for depth := 0; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
			if i >= len(b) {
				return len(b)
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 { // behind a number or a word
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\n', '\r', ':':
			if depth == 0 {
				return i
			}
		}
	}
	return len(b)
}
