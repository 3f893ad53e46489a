package event

import (
	"strings"
	"time"
	"unicode/utf8"

	"kindred/data"
)

// Parser makes canonical events of tracking calls in one pass, in memory that it
// uses again: ParseCall and Call.Canonical in one, for who takes in many.
//
// The strings and raw fields of an event alias the bytes of its call or memory of
// the parser, so it is valid until those bytes change or Reset is called, whichever
// comes first. What is accepted, what becomes of it and with which error the rest
// is refused is exactly what ParseCall and Canonical say: the parser leaves to them
// the calls it does not understand at a glance, above all the wrong ones.
//
// Who calls Reset between batches of similar size allocates nothing after the first
// few. The zero value is ready; a Parser is not safe for concurrent use.
type Parser struct {
	scan  scan
	side  scan // over bytes that are not the call's
	arena arena
	call  callParts
}

// callParts is what the pass over one call has found.
type callParts struct {
	typ                                         data.EventType
	messageID, user, anonymous, group, previous string
	event                                       string
	name, category                              []byte // quoted, or nil
	timestamp, sent                             time.Time
	properties, traits, context                 []byte // objects, or nil
	props                                       propParts
	ctx                                         contextParts
	rest                                        []span // unknown fields: name, colon and value
}

// Reset gives the memory of all events made so far back to p.
func (p *Parser) Reset() { p.arena.reset() }

// Event makes the event of one call into e, whatever e held before; Profile stays
// empty for the caller to route. typ is ParseCall's, in Canonical's. With an error,
// which is theirs, e is the zero event.
func (p *Parser) Event(raw []byte, typ data.EventType, in *Intake, e *data.Event) (err error) {
	if len(raw) <= MaxCallBytes && p.event(raw, typ, in, e) {
		return nil
	}
	*e = data.Event{}
	c, err := ParseCall(raw, typ)
	if err != nil {
		return err
	}
	*e, err = c.Canonical(*in)
	return err
}

// event reports false where it gives up, with e in any state.
func (p *Parser) event(raw []byte, typ data.EventType, in *Intake, e *data.Event) bool {
	s := &p.scan
	s.reset(raw)
	if !p.read(typ) {
		return false
	}
	if s.spaced { // the pieces of a call can be joined only without the space between them
		raw = compact(p.arena.bytes.room(len(raw)), raw)
		if s.reset(raw); !p.read(typ) {
			return false
		}
	}
	return p.canonical(raw, in, e)
}

// read passes the call and notes its parts.
func (p *Parser) read(typ data.EventType) bool {
	s, c := &p.scan, &p.call
	*c = callParts{typ: typ, rest: c.rest[:0]}
	if s.at() != '{' {
		return false
	}
	s.i++
	if s.at() == '}' {
		return false
	}
	for sketch := uint64(0); ; {
		from, to, ok := s.name()
		if !ok || !s.unique(0, &sketch, from, to) {
			return false
		}
		if s.at() == 'n' {
			ok = s.literal("null")
		} else {
			ok = p.field(from, to)
		}
		if !ok {
			return false
		}
		again, ok := s.more('}')
		if again {
			continue
		}
		s.keys = s.keys[:0]
		return ok && s.at() == 0 && s.i == len(s.b)
	}
}

// canonical is Call.Canonical of what was read. The call is compact.
func (p *Parser) canonical(raw []byte, in *Intake, e *data.Event) bool {
	c := &p.call
	if !c.valid() {
		return false
	}
	times, err := clock(c.timestamp, c.sent, in)
	if err != nil {
		return false
	}
	traits := c.typ == data.Identify || c.typ == data.Group
	*e = data.Event{
		V: data.EventVersion, ID: c.messageID, Source: in.Source, Space: data.Space(in.Space), Env: in.Env,
		Type: c.typ, Props: c.properties, Times: times,
		IDs: data.IDs{User: data.UserID(c.user), Anonymous: data.AnonymousID(c.anonymous), Group: c.group},
	}
	switch c.typ {
	case data.Track:
		e.Name = c.event
	case data.Page:
		e.Name = "Page Viewed"
		p.name(e)
	case data.Screen:
		e.Name = "Screen Viewed"
		p.name(e)
	}
	if traits {
		e.Traits = c.traits
	}
	if c.previous != "" {
		from := p.arena.external.begin()
		from = p.arena.external.push(from, data.ExternalID{Type: "previous", ID: c.previous})
		e.IDs.External = p.arena.external.run(from)
	}
	if !p.moveContext(e, in.BatchContext) || !p.deriveFromProps(e) {
		return false
	}
	if len(c.rest) > 0 || !traits && c.traits != nil {
		p.extra(e, traits)
	}
	if e.ID == "" {
		if c.timestamp.IsZero() {
			e.ID = in.NewID()
		} else {
			e.ID = callHash(c.typ, raw)
		}
	}
	return true
}

// valid is Call.validate where nobody asks for the reason.
func (c *callParts) valid() bool {
	blank := func(s string) bool {
		return s == "" || s[0] <= ' ' && strings.TrimSpace(s) == "" || s[0] >= utf8.RuneSelf && strings.TrimSpace(s) == ""
	}
	switch c.typ {
	case data.Track:
		if blank(c.event) {
			return false
		}
	case data.Group:
		if blank(c.group) {
			return false
		}
	case data.Alias:
		if blank(c.previous) {
			return false
		}
	case data.Identify, data.Page, data.Screen:
	default:
		return false
	}
	return !blank(c.user) || !blank(c.anonymous)
}

// name gives a page or screen the properties name and category that it lacks; see
// withText.
func (p *Parser) name(e *data.Event) {
	c := &p.call
	name := len(c.name) > len(`""`) && !c.props.hasName
	category := len(c.category) > len(`""`) && !c.props.hasCategory
	if !name && !category {
		return
	}
	b := append(p.arena.bytes.room(len(e.Props)+len(c.name)+len(c.category)+24), '{')
	if len(e.Props) > 0 {
		b = append(b[:0], e.Props[:len(e.Props)-1]...)
	}
	if name {
		b = append(appendComma(b), `"name":`...)
		b = appendText(b, c.name)
	}
	if category {
		b = append(appendComma(b), `"category":`...)
		b = appendText(b, c.category)
		c.props.product.category = c.category
	}
	e.Props = append(b, '}')
}

func appendComma(b []byte) []byte {
	if b[len(b)-1] == '{' {
		return b
	}
	return append(b, ',')
}

// appendText appends a checked string, given with its quotes, as appendString writes it.
func appendText(b, quoted []byte) []byte {
	if hasBackslash(quoted) {
		return appendString(b, unquote(quoted))
	}
	return append(b, quoted...)
}

// extra keeps what the call carried and the event has no place for; see Call.extra.
func (p *Parser) extra(e *data.Event, traits bool) {
	c, size := &p.call, len(`{"traits":}`)+len(p.call.traits)
	for _, f := range c.rest {
		size += f.to - f.from + 1
	}
	b := append(p.arena.bytes.room(size), '{')
	for _, f := range c.rest {
		b = append(appendComma(b), p.scan.b[f.from:f.to]...)
	}
	if !traits && c.traits != nil {
		b = append(append(appendComma(b), `"traits":`...), c.traits...)
	}
	e.Extra = p.arena.extras.take()
	e.Extra["call"] = append(b, '}')
}

// Seal appends the envelope of e to dst, as Seal makes it. e is an event that p
// made since its last Reset, changed at most in Profile, Items and the fields that
// are text; its raw fields, which are known to be compact, are copied as they are.
func (p *Parser) Seal(dst []byte, e *data.Event) []byte {
	return appendEvent(append(dst, EnvelopeVersion, keyNone), e, true)
}
