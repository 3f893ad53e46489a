package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
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
}

// BodyError says why a whole body cannot be read. Clients drop it on the 400 that
// it becomes, so it is kept for what no retry can mend.
type BodyError struct{ Reason string }

func (e *BodyError) Error() string { return "read the tracking call: " + e.Reason }

// ParseBody reads the body of a route for calls of type typ; typ "" is the batch
// route. Space around the document is ignored. The error is a *BodyError: bytes
// that are no JSON object, not UTF-8, larger than maxBytes, more calls than
// maxCalls, no batch. b is kept.
func ParseBody(b []byte, typ data.EventType, maxBytes int64, maxCalls int) (Body, error) {
	switch {
	case int64(len(b)) > maxBytes:
		return Body{}, &BodyError{fmt.Sprintf("%d bytes; at most %d are taken", len(b), maxBytes)}
	case !utf8.Valid(b):
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
		if int64(len(b)) > event.MaxCallBytes {
			return Body{}, &BodyError{fmt.Sprintf("%d bytes; one call may have at most %d", len(b), event.MaxCallBytes)}
		}
		body.Calls = []json.RawMessage{b}
		return body, nil
	}
	if envelope.Batch == nil {
		return Body{}, &BodyError{`the field "batch" is missing; it must be a list of calls`}
	}
	if len(*envelope.Batch) > maxCalls {
		return Body{}, &BodyError{fmt.Sprintf("%d calls in batch; at most %d are taken", len(*envelope.Batch), maxCalls)}
	}
	body.Calls = *envelope.Batch
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
