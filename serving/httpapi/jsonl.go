package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

const (
	maxLineBytes  = 1 << 20
	maxLineErrors = 100 // reported; the rest is counted
)

// lineError says what is wrong with one field of one line.
type lineError struct {
	Field  string
	Reason string
}

func (e *lineError) Error() string { return e.Field + ": " + e.Reason }

// readLines decodes a body of one JSON object per line and checks each. Empty
// lines are skipped. All lines are good, or the error is a problem that names the
// bad ones, as body.line[3].price with lines counted from 1.
func readLines[T any](body []byte, check func(*T) *lineError) ([]T, error) {
	var out []T
	var errs []*huma.ErrorDetail
	bad := 0
	refuse := func(line int, e *lineError) {
		if bad++; len(errs) < maxLineErrors {
			location := fmt.Sprintf("body.line[%d]", line)
			if e.Field != "" {
				location += "." + e.Field
			}
			errs = append(errs, field(location, e.Reason, nil))
		}
	}
	for line := 1; len(body) > 0; line++ {
		var raw []byte
		raw, body, _ = bytes.Cut(body, []byte{'\n'})
		if raw = bytes.TrimSpace(raw); len(raw) == 0 {
			continue
		}
		v, err := readLine[T](raw)
		if err == nil {
			err = check(&v)
		}
		if err != nil {
			refuse(line, err)
			continue
		}
		out = append(out, v)
	}
	switch {
	case bad > 0:
		return nil, problem(http.StatusUnprocessableEntity, fmt.Sprintf("%d lines are not acceptable; nothing was stored", bad), errs...)
	case len(out) == 0:
		return nil, problem(http.StatusUnprocessableEntity, "the body holds no lines", field("body", "write one JSON object per line", nil))
	}
	return out, nil
}

// readLine decodes one object strictly.
func readLine[T any](raw []byte) (v T, _ *lineError) {
	if len(raw) > maxLineBytes {
		return v, &lineError{"", fmt.Sprintf("%d bytes; at most %d are taken", len(raw), maxLineBytes)}
	}
	if raw[0] != '{' {
		return v, &lineError{"", "is not a JSON object"}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, explain(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return v, &lineError{"", "holds more than one JSON value"}
	}
	return v, nil
}

// explain names the field that encoding/json stumbled over.
func explain(err error) *lineError {
	var shape *json.UnmarshalTypeError
	if errors.As(err, &shape) {
		name := strings.TrimPrefix(shape.Field, "itemBody.") // encoding/json names embedded structs
		return &lineError{name, "is a " + shape.Value + ", should be " + inWords(shape.Type.Kind())}
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return &lineError{strings.Trim(name, `"`), "unknown field"}
	}
	return &lineError{"", "is not JSON: " + strings.TrimPrefix(err.Error(), "json: ")}
}

// inWords is a kind of value as JSON calls it.
func inWords(k reflect.Kind) string {
	switch k {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Map, reflect.Struct:
		return "an object"
	}
	return "a number"
}

// errorOrNil keeps a nil *lineError from becoming a non-nil error.
func errorOrNil(e *lineError, location string) error {
	if e == nil {
		return nil
	}
	if e.Field != "" {
		location += "." + e.Field
	}
	return problem(http.StatusUnprocessableEntity, "validation failed", field(location, e.Reason, nil))
}
