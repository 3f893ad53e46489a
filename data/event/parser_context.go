package event

import (
	"encoding/json"

	"kindred/data"
)

// contextParts is what readContext looks for in a context, noted in passing.
type contextParts struct {
	span                                                   // of the object
	rec, consent, session, start, device, traits []byte    // values, or nil where they are absent or null
	external                                     [2][]byte // externalIds and externalId, in the client's order
	externals                                    int
	hasZone                                      bool // a tz that is not null

	moved  [4]movedField // fields that do not stay as they are, in the client's order
	nMoved int
}

// movedField is a field of the context that may leave it or change its name.
type movedField struct {
	span       // from the name's opening quote to the end of the value
	value int  // where the value begins
	kind  byte // r: rec, c: consent, t: traits, z: timezone
}

// ctx passes a context, an object at this depth, and notes its parts.
func (p *Parser) ctx(s *scan, c *contextParts, depth int) bool {
	*c = contextParts{span: span{s.i, s.i + 2}}
	if s.at() != '{' || depth > MaxDepth {
		return false
	}
	s.i++
	if s.at() == '}' {
		s.i++
		return true
	}
	first := len(s.keys)
	for sketch := uint64(0); ; {
		from, to, ok := s.name()
		if !ok || !s.unique(first, &sketch, from, to) {
			return false
		}
		s.at()
		start := s.i
		if !s.value(depth + 1) {
			return false
		}
		v := s.b[start:s.i:s.i]
		var kind byte
		switch string(s.b[from:to]) {
		case "rec":
			if v[0] == '{' {
				c.rec, kind = v, 'r'
			}
		case "consent":
			if v[0] == '{' {
				c.consent, kind = v, 'c'
			}
		case "traits":
			if v[0] == '{' {
				c.traits, kind = v, 't'
			}
		case "timezone":
			kind = 'z'
		case "tz":
			c.hasZone = v[0] != 'n'
		case "sessionId":
			c.session = v
		case "sessionStart":
			c.start = v
		case "device":
			if v[0] == '{' {
				c.device = v
			}
		case "externalIds", "externalId":
			if v[0] == '[' {
				c.external[c.externals] = v
				c.externals++
			}
		}
		if kind != 0 {
			c.moved[c.nMoved] = movedField{span{from - 1, s.i}, start, kind}
			c.nMoved++
		}
		again, ok := s.more('}')
		if !again {
			s.keys, c.to = s.keys[:first], s.i
			return ok
		}
	}
}

// moveContext is readContext of the call's context with the batch's.
func (p *Parser) moveContext(e *data.Event, batch json.RawMessage) bool {
	c, s, parts := p.call.context, &p.scan, &p.call.ctx
	if len(batch) > 0 && len(batch) <= MaxCallBytes {
		if c = mergeObjects(c, batch); len(c) > 0 {
			s = &p.side
			if s.reset(c); !p.ctx(s, parts, callLevel+1) || s.spaced {
				return false
			}
		}
	}
	if len(c) == 0 {
		return true
	}
	if parts.rec != nil {
		var ok bool
		if e.Rec, ok = p.rec(parts.rec); !ok {
			return false
		}
	}
	e.Consent = parts.consent
	if parts.session != nil {
		if id, err := looseIDOf(parts.session); err == nil {
			e.Session.ID = id
		}
	}
	e.Session.First = parts.start != nil && parts.start[0] == 't'
	if parts.device != nil {
		if id, err := looseIDOf(property(parts.device, "id")); err == nil {
			e.IDs.Device = id
		}
	}
	for _, list := range parts.external[:parts.externals] {
		e.IDs.External = append(e.IDs.External, externalIDs(list)...)
	}
	takesTraits := parts.traits != nil && e.Type == data.Identify && len(e.Traits) == 0
	if takesTraits {
		e.Traits = parts.traits
	}
	e.Ctx = p.keepContext(s, c, parts, takesTraits)
	return true
}

// looseIDOf is looseID without a copy where there is no need for one.
func looseIDOf(v []byte) (string, error) {
	if len(v) > 0 {
		if id, ok := idOf(v); ok {
			return id, nil
		}
	}
	return looseID(v)
}

// keepContext is the context c without the fields that have moved, or nil where
// nothing is left. s is what the parts were found in.
func (p *Parser) keepContext(s *scan, c []byte, parts *contextParts, takesTraits bool) []byte {
	changed := false
	for _, m := range parts.moved[:parts.nMoved] {
		changed = changed || m.kind == 'r' || m.kind == 'c' || m.kind == 't' && takesTraits || m.kind == 'z' && !parts.hasZone
	}
	if !changed {
		if len(c) == len("{}") {
			return nil
		}
		return c
	}
	b := append(p.arena.bytes.room(len(c)), '{')
	at := parts.from + 1
	for _, m := range parts.moved[:parts.nMoved] {
		if m.kind == 't' && !takesTraits || m.kind == 'z' && parts.hasZone {
			continue
		}
		b = appendFields(b, s.b[at:m.from])
		if m.kind == 'z' {
			b = append(append(appendComma(b), `"tz":`...), s.b[m.value:m.to]...)
		}
		if at = m.to; s.b[at] == ',' {
			at++
		}
	}
	if b = appendFields(b, s.b[at:parts.to-1]); len(b) == 1 {
		return nil
	}
	return append(b, '}')
}

// appendFields appends fields, with or without a comma behind the last.
func appendFields(b, fields []byte) []byte {
	if n := len(fields); n > 0 && fields[n-1] == ',' {
		fields = fields[:n-1]
	}
	if len(fields) == 0 {
		return b
	}
	return append(appendComma(b), fields...)
}
