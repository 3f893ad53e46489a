package tail

import (
	"strconv"
	"time"

	"kindred/data"
)

// event makes e presentable: one JSON object of one line and at most MaxEventBytes.
func (b *bench) event(s *Source, e *data.Event) {
	limit := s.tail.cfg.MaxEventBytes
	b.head(s, e.Times.Received)
	b.field("type", string(e.Type), mask)
	b.field("name", e.Name, mask)
	b.field("message_id", e.ID, maskMail)
	b.field("user", string(e.IDs.User), hash)
	b.field("anonymous", string(e.IDs.Anonymous), hash)
	b.field("group", e.IDs.Group, hash)
	if e.Profile != "" {
		b.field("profile", string(e.Profile), maskMail)
	}
	if !e.Times.Event.Equal(e.Times.Received) {
		b.json = append(b.json, `,"happened":"`...)
		b.json = append(e.Times.Event.UTC().AppendFormat(b.json, timeLayout), '"')
	}
	cut := b.document("bot", e.Bot, limit)
	cut = b.document("schema", e.Schema, limit) || cut
	cut = b.document("properties", e.Props, limit) || cut
	cut = b.document("traits", e.Traits, limit) || cut
	b.foot(cut)
}

// refusal makes a refused call presentable.
func (b *bench) refusal(s *Source, at time.Time, reason string, raw []byte, valid bool) {
	b.head(s, at)
	b.field("reason", reason, mask)
	b.json = strconv.AppendInt(append(b.json, `,"bytes":`...), int64(len(raw)), 10)
	cut := false
	switch {
	case valid:
		cut = b.document("call", raw, s.tail.cfg.MaxEventBytes)
	case len(raw) > 0:
		b.field("call", "[not JSON]", mask)
	}
	b.foot(cut)
}

const timeLayout = "2006-01-02T15:04:05.000Z"

func (b *bench) head(s *Source, at time.Time) {
	b.json = append(b.json[:0], `{"at":"`...)
	b.json = append(at.UTC().AppendFormat(b.json, timeLayout), '"')
	b.field("source", s.name, maskMail)
}

// maxField bounds a field of the head, so that all of them fit into minEventBytes.
const maxField = 64

func (b *bench) field(name, value string, t treatment) {
	if value == "" {
		return
	}
	b.json = append(append(append(b.json, ',', '"'), name...), '"', ':')
	s := b.scrubber
	s.plain = append(s.plain[:0], value...)
	before, most := len(b.json), maxField
	if name == "reason" {
		most = maxText
	}
	b.json = s.text(b.json, s.plain, t)
	if len(b.json)-before > most+8 {
		b.json = append(append(b.json[:before], cutText(b.json[before:], most)...), `…"`...)
	}
}

// cutText is the beginning of a JSON string, at most n bytes that end behind a whole character.
func cutText(quoted []byte, n int) []byte {
	end := 1
	for i := 1; i < n; {
		end = i
		switch c := quoted[i]; {
		case c == '\\' && quoted[i+1] == 'u':
			i += 6
		case c == '\\':
			i += 2
		default:
			for i++; quoted[i]&0xC0 == 0x80; i++ {
			}
		}
	}
	return quoted[:end]
}

// footBytes is what foot appends at most.
const footBytes = len(`,"cut":true}`)

// document appends a JSON document, scrubbed, as far as it fits, and reports whether it was cut.
func (b *bench) document(name string, in []byte, limit int) (cut bool) {
	if len(in) == 0 {
		return false
	}
	room := limit - len(b.json) - len(name) - len(`,"":`) - footBytes
	if room < 2*maxDepth+64 {
		return true
	}
	b.json = append(append(append(b.json, ',', '"'), name...), '"', ':')
	b.json, cut = b.scrubber.Append(b.json, in, room)
	return cut
}

func (b *bench) foot(cut bool) {
	if cut {
		b.json = append(b.json, `,"cut":true`...)
	}
	b.json = append(b.json, '}')
}
