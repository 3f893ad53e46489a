package event

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"kindred/data"
)

// The bounds of one tracking call.
const (
	// MaxCallBytes is the largest tracking call.
	MaxCallBytes = 32 << 10
	// MaxMessageID is one more than the characters a messageId may have.
	MaxMessageID = 100
	// callLevel is the nesting level a call counts from: its fields may end up as
	// deep as event, Extra["call"], field.
	callLevel = 2
)

// Call is one tracking call as Segment's specification defines it, decoded but not
// yet an event: what ParseCall read from the bytes of one client message.
type Call struct {
	Type        data.EventType
	MessageID   string // "" where the client sent none
	UserID      string
	AnonymousID string
	GroupID     string
	PreviousID  string
	Event       string // track: the event's name
	Name        string // page, screen: its name
	Category    string // page: its category
	Timestamp   time.Time
	SentAt      time.Time
	Properties  json.RawMessage // a compacted object or nil
	Traits      json.RawMessage // a compacted object or nil
	Context     json.RawMessage // a compacted object or nil

	rest [][2][]byte // fields unknown here, as (quoted name, compacted value), in the client's order
	hash string      // of the message without what a retry may change
}

// ParseCall reads one tracking call. typ is the type that the route implies; ""
// takes the body's field "type".
//
// Clients are met halfway: ids may be numbers (kept as their digits), dates ISO
// 8601 or Unix milliseconds (see ParseTime), null means absent. Refused are a call
// above MaxCallBytes, what check refuses, fields of another type, and dates that
// are none. The error is a *DecodeError that names the field.
func ParseCall(raw []byte, typ data.EventType) (Call, error) {
	c := Call{Type: typ}
	if len(raw) > MaxCallBytes {
		return c, refuse("", "%d bytes; a tracking call may have at most %d", len(raw), MaxCallBytes)
	}
	if err := check(raw, callLevel); err != nil {
		return c, err
	}
	raw = raw[skipSpace(raw, 0):]
	if raw[0] != '{' {
		return c, wrongType(raw, "an object")
	}
	err := eachField(raw, func(name string, v []byte) error {
		if isNull(v) {
			return nil
		}
		return c.field(name, v)
	})
	if err != nil {
		return Call{}, err
	}
	c.hash = callHash(c.Type, raw)
	return c, nil
}

// field reads one field of the call, which is not null.
func (c *Call) field(name string, v []byte) (err error) {
	switch name {
	case "type":
		if c.Type == "" {
			c.Type, err = getType(v)
		}
	case "messageId":
		if c.MessageID, err = looseID(v); err == nil {
			if n := utf8.RuneCountInString(c.MessageID); n >= MaxMessageID {
				err = refuse("", "is %d characters long; it must have fewer than %d", n, MaxMessageID)
			}
		}
	case "userId":
		c.UserID, err = looseID(v)
	case "anonymousId":
		c.AnonymousID, err = looseID(v)
	case "groupId":
		c.GroupID, err = looseID(v)
	case "previousId":
		c.PreviousID, err = looseID(v)
	case "event":
		c.Event, err = getString(v)
	case "name":
		c.Name, err = getString(v)
	case "category":
		c.Category, err = getString(v)
	case "timestamp":
		c.Timestamp, err = looseTime(v)
	case "originalTimestamp":
		if c.Timestamp.IsZero() {
			c.Timestamp, err = looseTime(v)
		}
	case "sentAt":
		c.SentAt, err = looseTime(v)
	case "properties":
		c.Properties, err = getObject(v)
	case "traits":
		c.Traits, err = getObject(v)
	case "context":
		c.Context, err = getObject(v)
	case "integrations", "_metadata", "writeKey", "writekey", "receivedAt", "channel", "version":
		// transport, not content
	default:
		c.rest = append(c.rest, [2][]byte{appendString(nil, name), compact(nil, v)})
	}
	return err
}

// looseID is an identifier that clients send as a string or as a number.
func looseID(v []byte) (string, error) {
	switch kindOf(v) {
	case "a string":
		s := unquote(v)
		return s, checkID(s)
	case "a number":
		if n, err := strconv.ParseInt(string(v), 10, 64); err == nil {
			return strconv.FormatInt(n, 10), nil
		}
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil {
			return "", refuse("", "%s is not a finite number", clip(string(v)))
		}
		return string(appendFloat(nil, f)), nil
	}
	return "", wrongType(v, "a string or a number")
}

// looseFloat is a number, or a string that reads as a finite one.
func looseFloat(v []byte) (float64, bool) {
	s := alias(v)
	switch {
	case len(v) == 0:
		return 0, false
	case v[0] == '"':
		s = strings.TrimSpace(unquote(v))
	case kindOf(v) != "a number":
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || strings.ContainsAny(s, "xX_") {
		return 0, false
	}
	return f, true
}

// looseTime is a date as ParseTime reads it, from a string or a number.
func looseTime(v []byte) (time.Time, error) {
	switch kindOf(v) {
	case "a string":
		return parseTime(unquote(v))
	case "a number":
		return parseTime(string(v))
	}
	return time.Time{}, wrongType(v, "a date: an ISO 8601 string or Unix milliseconds")
}

// callHash names a call that came without a messageId: SHA-256, cut to 128 bits,
// over its type and its fields without those that change when a client retries.
func callHash(typ data.EventType, raw []byte) string {
	var b bytes.Buffer
	b.WriteString(string(typ))
	_ = eachField(raw, func(name string, v []byte) error {
		switch name {
		case "sentAt", "_metadata", "writeKey":
			return nil
		}
		b.WriteByte(0)
		b.WriteString(name)
		b.WriteByte(0)
		b.Write(compact(nil, v))
		return nil
	})
	return shortHash(b.Bytes())
}
