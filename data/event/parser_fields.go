package event

import (
	"time"
	"unicode/utf8"
)

// The fields of a call.
type callField byte

const (
	otherField callField = iota // kept in Extra
	typeField
	messageIDField
	userIDField
	anonymousIDField
	groupIDField
	previousIDField
	eventField
	nameField
	categoryField
	timestampField
	originalTimestampField
	sentAtField
	propertiesField
	traitsField
	contextField
	transportField // not content
)

func fieldOf(name string) callField {
	switch name {
	case "type":
		return typeField
	case "messageId":
		return messageIDField
	case "userId":
		return userIDField
	case "anonymousId":
		return anonymousIDField
	case "groupId":
		return groupIDField
	case "previousId":
		return previousIDField
	case "event":
		return eventField
	case "name":
		return nameField
	case "category":
		return categoryField
	case "timestamp":
		return timestampField
	case "originalTimestamp":
		return originalTimestampField
	case "sentAt":
		return sentAtField
	case "properties":
		return propertiesField
	case "traits":
		return traitsField
	case "context":
		return contextField
	case "integrations", "_metadata", "writeKey", "writekey", "receivedAt", "channel", "version":
		return transportField
	}
	return otherField
}

// field reads the field b[from:to] of the call, which is not null.
func (p *Parser) field(from, to int) (ok bool) {
	s, c := &p.scan, &p.call
	field, start := fieldOf(alias(s.b[from:to])), s.i
	switch field {
	case propertiesField:
		ok = p.properties(callLevel + 1)
	case contextField:
		ok = p.ctx(s, &c.ctx, callLevel+1)
	default:
		ok = s.value(callLevel + 1)
	}
	if !ok {
		return false
	}
	v := s.b[start:s.i:s.i]
	switch field {
	case typeField:
		if c.typ == "" {
			c.typ, ok = typeOf(textOf(v))
		}
	case messageIDField:
		c.messageID, ok = s.idOf(v)
		ok = ok && (len(c.messageID) < MaxMessageID || utf8.RuneCountInString(c.messageID) < MaxMessageID)
	case userIDField:
		c.user, ok = s.idOf(v)
	case anonymousIDField:
		c.anonymous, ok = s.idOf(v)
	case groupIDField:
		c.group, ok = s.idOf(v)
	case previousIDField:
		c.previous, ok = s.idOf(v)
	case eventField:
		c.event, ok = textOf(v), v[0] == '"'
	case nameField:
		c.name, ok = v, v[0] == '"'
	case categoryField:
		c.category, ok = v, v[0] == '"'
	case timestampField:
		c.timestamp, ok = timeOf(v)
	case originalTimestampField:
		if c.timestamp.IsZero() {
			c.timestamp, ok = timeOf(v)
		}
	case sentAtField:
		c.sent, ok = timeOf(v)
	case propertiesField:
		c.properties = v
	case contextField:
		c.context = v
	case traitsField:
		c.traits, ok = v, v[0] == '{'
	case otherField:
		c.rest = append(c.rest, span{from - 1, s.i})
	}
	return ok
}

// idOf is idOf of the value that s has just passed.
func (s *scan) idOf(v []byte) (id string, ok bool) {
	if v[0] == '"' && !s.odd {
		return alias(v[1 : len(v)-1]), len(v)-2 <= MaxIDBytes
	}
	return idOf(v)
}

// textOf is the text of a checked string, without a copy where it stands as it is.
func textOf(v []byte) string {
	if v[0] != '"' {
		return ""
	}
	if text := v[1 : len(v)-1]; !hasBackslash(text) {
		return alias(text)
	}
	return unquote(v)
}

// idOf is looseID for strings and plain whole numbers.
func idOf(v []byte) (id string, ok bool) {
	if v[0] == '"' {
		id = textOf(v)
		for i := range len(id) {
			if id[i] < ' ' || id[i] == 0x7f {
				return "", false
			}
		}
		return id, len(id) <= MaxIDBytes
	}
	if kindOf(v) != "a number" || v[0] == '-' {
		return "", false
	}
	_, ok = wholeOf(v)
	return alias(v), ok
}

// timeOf is looseTime.
func timeOf(v []byte) (time.Time, bool) {
	if v[0] == '"' {
		if ms, ok := instantMS(v[1 : len(v)-1]); ok {
			return time.UnixMilli(ms).UTC(), true
		}
	}
	t, err := looseTime(v)
	return t, err == nil
}
