package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"kindred/data"
	"kindred/data/event"
)

// Body is one request of a tracker, taken apart and not yet judged call by call.
type Body struct {
	Calls    []json.RawMessage
	Type     data.EventType  // that all calls have; "" where each says its own
	Context  json.RawMessage // the batch's, for calls that lack fields of it
	SentAt   time.Time
	WriteKey string
	Unread   []Unread // what a translator could not make calls of
}

// Unread is a part of a body that is no call, for the dead letters.
type Unread struct {
	Raw    []byte
	Reason string
}

// BodyError says why a whole body cannot be read. Clients drop it on the 400 that
// it becomes, so it is kept for what no retry can mend.
type BodyError struct{ Reason string }

func (e *BodyError) Error() string { return "read the tracking call: " + e.Reason }

// ParseBody reads the body of a route for calls of type typ; typ "" is the batch
// route. Space around the document is ignored. The error is a *BodyError: bytes
// that are no JSON object, not UTF-8, larger than maxBytes, more calls than
// maxCalls, no batch. b is kept: the body's parts may alias it.
//
// Names in the envelope are read as encoding/json reads them: without regard to
// case, the last of several winning. Bodies where that makes no difference, which
// is what trackers send, are taken apart in one pass (event.Split).
func ParseBody(b []byte, typ data.EventType, maxBytes int64, maxCalls int) (Body, error) {
	if int64(len(b)) > maxBytes {
		return Body{}, &BodyError{fmt.Sprintf("%d bytes; at most %d are taken", len(b), maxBytes)}
	}
	if parts, ok := event.Split(bytes.TrimSpace(b), typ != ""); ok {
		body := Body{Calls: parts.Calls, Type: typ, WriteKey: strings.Clone(parts.WriteKey)}
		if typ == "" {
			body.Context = parts.Context
			body.SentAt, _ = event.ParseTime(parts.SentAt) // without it the calls' own times stand
		}
		if err := body.bounded(maxCalls); err != nil {
			return Body{}, err
		}
		return body, nil
	}
	return parseAnyBody(b, typ, maxCalls)
}

// bounded is the objection to too large a call on a route of its own, or too many
// calls in a batch.
func (b Body) bounded(maxCalls int) error {
	switch {
	case b.Type != "" && len(b.Calls[0]) > event.MaxCallBytes:
		return &BodyError{fmt.Sprintf("%d bytes; one call may have at most %d", len(b.Calls[0]), event.MaxCallBytes)}
	case b.Type == "" && len(b.Calls) > maxCalls:
		return &BodyError{fmt.Sprintf("%d calls in batch; at most %d are taken", len(b.Calls), maxCalls)}
	}
	return nil
}

// parseAnyBody is ParseBody for any body of a proper size.
func parseAnyBody(b []byte, typ data.EventType, maxCalls int) (Body, error) {
	if !utf8.Valid(b) {
		return Body{}, &BodyError{"the body is not UTF-8"}
	}
	b = bytes.TrimSpace(b)
	var envelope struct {
		Batch    *[]json.RawMessage `json:"batch"`
		Context  json.RawMessage    `json:"context"`
		SentAt   json.RawMessage    `json:"sentAt"`
		WriteKey json.RawMessage    `json:"writeKey"`
	}
	if err := json.Unmarshal(b, &envelope); err != nil {
		return Body{}, &BodyError{"the body is not a JSON object of the expected shape: " + reason(err)}
	}
	body := Body{Type: typ}
	json.Unmarshal(envelope.WriteKey, &body.WriteKey) // a key that is no string is no key
	if typ != "" {
		body.Calls = []json.RawMessage{b}
		if err := body.bounded(maxCalls); err != nil {
			return Body{}, err
		}
		return body, nil
	}
	if envelope.Batch == nil {
		return Body{}, &BodyError{`the field "batch" is missing; it must be a list of calls`}
	}
	body.Calls = *envelope.Batch
	if err := body.bounded(maxCalls); err != nil {
		return Body{}, err
	}
	body.Context = envelope.Context
	var sent string
	if json.Unmarshal(envelope.SentAt, &sent) == nil {
		body.SentAt, _ = event.ParseTime(sent) // without it the calls' own times stand
	}
	return body, nil
}

// reason is what encoding/json objects to, without its package name.
func reason(err error) string {
	switch e := err.(type) {
	case *json.SyntaxError:
		return fmt.Sprintf("%s at byte %d", e.Error(), e.Offset)
	case *json.UnmarshalTypeError:
		if e.Field == "" {
			return fmt.Sprintf("it is a %s", e.Value)
		}
		return fmt.Sprintf("%s is a %s", e.Field, e.Value)
	}
	return err.Error()
}
