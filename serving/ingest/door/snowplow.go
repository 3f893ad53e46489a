package door

import (
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Snowplow reads the body of a tracker's POST (…/tp2, payload_data with a list of events).
// anonymous is whether the request has the header SP-Anonymous.
//
// e says what an event is: pv a page, pp "Page Pinged", se a track call named by its action,
// ue what selfDescribing makes of it, tr with the ti behind it one "Order Completed". Ids: uid is
// the user; duid, else nuid, else the session's id, is anonymous. dtm and stm are the client's
// clock, so that its error cancels out; ttm is believed as it is. Parameters
// that have no place in a call are kept in context.snowplow. Coordinates are dropped.
func Snowplow(body []byte, anonymous bool, l Limits) (Batch, error) {
	c := newCollector("Snowplow", l)
	c.Anonymous = anonymous
	if err := l.body(c.door, body); err != nil {
		return Batch{}, err
	}
	o, err := parseObject(body)
	if err != nil {
		return Batch{}, refuse(c.door, "the body %v", err)
	}
	if schema := o.text("schema"); schema != "" && !strings.Contains(schema, "/payload_data/") {
		return Batch{}, refuse(c.door, "schema %q; only payload_data is taken", clip(schema))
	}
	data := o.get("data")
	if len(data) == 0 || data[0] != '[' {
		return Batch{}, refuse(c.door, `the field "data" is missing; it must be a list of events`)
	}
	var events []*spEvent
	for _, raw := range listOf(data) {
		p, err := fieldsOf(raw)
		if err != nil {
			if err := c.reject(raw, "the event %v", err); err != nil {
				return Batch{}, err
			}
			continue
		}
		events = append(events, &spEvent{raw: raw, params: p, anonymous: anonymous})
	}
	return c.snowplow(events)
}

// SnowplowGet reads the query of GET /i, one event.
func SnowplowGet(query url.Values, anonymous bool, l Limits) (Batch, error) {
	c := newCollector("Snowplow", l)
	c.Anonymous = anonymous
	p, size := newObject(), 0
	for _, name := range sortedKeys(query) {
		v := query.Get(name)
		if size += len(name) + len(v); !utf8.ValidString(name) || !utf8.ValidString(v) {
			return Batch{}, refuse(c.door, "the query is not UTF-8")
		}
		p.setText(name, v)
	}
	if size > l.Bytes {
		return Batch{}, refuse(c.door, "%d bytes; at most %d are taken", size, l.Bytes)
	}
	return c.snowplow([]*spEvent{{raw: p.bytes(), params: p, anonymous: anonymous}})
}

// spEvent is one event on its way into a call.
type spEvent struct {
	raw       json.RawMessage
	params    *object // what is still to be placed
	anonymous bool
	contexts  []described
	call      *object
	props     *object
	ctx       *object
	extra     *object // context.snowplow
}

// described is a self-describing value: {schema, data}.
type described struct {
	schema string // vendor/name
	data   *object
}

func (c *collector) snowplow(events []*spEvent) (Batch, error) {
	for _, e := range events { // the protocol has no key of its own
		if c.WriteKey == "" {
			c.WriteKey = e.params.text("aid")
		}
	}
	lines := orderLines(events)
	errs := make([]error, len(events))
	for i, e := range events { // orders first: those that cannot be read leave their lines alone
		if e.params.text("e") == "tr" {
			errs[i] = e.translate(lines)
		}
	}
	for i, e := range events {
		if e.call == nil && errs[i] == nil {
			if id := e.params.text("ti_id"); e.params.text("e") == "ti" && lines[id] != nil && lines[id].taken {
				continue // in the products of its order
			}
			errs[i] = e.translate(lines)
		}
		var err error
		if errs[i] == nil {
			err = c.add(e.call.bytes())
		} else {
			err = c.reject(e.raw, "%v", errs[i])
		}
		if err != nil {
			return Batch{}, err
		}
	}
	return c.Batch, nil
}

// translate makes the call.
func (e *spEvent) translate(lines map[string]*spLines) (err error) {
	e.call, e.props, e.ctx, e.extra = newObject(), newObject(), newObject(), newObject()
	if e.contexts, err = e.entities(); err != nil {
		return err
	}
	p := e.params
	kind := p.takeText("e")
	if err := e.kind(kind, lines); err != nil {
		return err
	}
	e.call.setText("messageId", p.takeText("eid"))
	e.times()
	e.person()
	e.surroundings(kind)
	for _, name := range p.names { // what nothing above has taken
		e.extra.set(name, p.get(name))
	}
	e.ctx.setObject("snowplow", e.extra)
	e.call.setObject("properties", e.props)
	e.call.setObject("context", e.ctx)
	return nil
}

// times are the true time alone, or the device's two stamps.
func (e *spEvent) times() {
	p := e.params
	created, sent, true_ := p.takeText("dtm"), p.takeText("stm"), p.takeText("ttm")
	if true_ != "" {
		e.call.setText("timestamp", true_)
		return
	}
	e.call.setText("timestamp", created)
	e.call.setText("sentAt", sent)
}

// person is who acted. With SP-Anonymous the network id and the address are gone.
func (e *spEvent) person() {
	p := e.params
	domain, session := p.takeText("duid"), p.takeText("sid")
	network := p.takeText("nuid")
	if tnuid := p.takeText("tnuid"); tnuid != "" {
		network = tnuid
	}
	ip := p.takeText("ip")
	if e.anonymous {
		network, ip = "", ""
	}
	e.call.setText("userId", p.takeText("uid"))
	for _, d := range e.contexts {
		if strings.HasSuffix(d.schema, "/client_session") {
			if domain == "" {
				domain = d.data.text("userId")
			}
			if session == "" {
				session = d.data.text("sessionId")
			}
		}
	}
	if domain == "" {
		domain = network
	} else {
		e.extra.setText("nuid", network)
	}
	if domain == "" {
		domain = session
	}
	e.call.setText("anonymousId", domain)
	e.ctx.setText("sessionId", session)
	e.ctx.setText("ip", ip)
}

// surroundings is the context: page, screen, device, library.
func (e *spEvent) surroundings(kind string) {
	p := e.params
	page := pageOf(p.takeText("url"), p.takeText("page"), p.takeText("refr"))
	e.ctx.setObject("page", page)
	if kind == "pv" || kind == "pp" {
		e.props.lacks(page)
	}
	e.ctx.setText("locale", p.takeText("lang"))
	e.ctx.setText("timezone", p.takeText("tz"))
	e.ctx.setText("userAgent", p.takeText("ua"))
	if screen := size(p.takeText("res")); screen != nil {
		e.ctx.set("screen", screen)
	}
	if view := size(p.takeText("vp")); view != nil {
		e.ctx.set("viewport", view)
	}
	library := newObject()
	library.setText("name", "snowplow")
	library.setText("version", p.takeText("tv"))
	e.ctx.setObject("library", library)
	app := newObject()
	app.setText("namespace", p.takeText("aid"))
	e.ctx.setObject("app", app)
	e.entityContext()
}

// pageOf is context.page.
func pageOf(address, title, referrer string) *object {
	page := newObject()
	page.setText("url", address)
	if u, err := url.Parse(address); err == nil && address != "" {
		page.setText("path", u.EscapedPath())
		if u.RawQuery != "" {
			page.setText("search", "?"+u.RawQuery)
		}
	}
	page.setText("title", title)
	page.setText("referrer", referrer)
	return page
}

// size is 1920x1080 as {"width":1920,"height":1080}, or nil.
func size(s string) json.RawMessage {
	w, h, _ := strings.Cut(s, "x")
	o := newObject()
	width, ok1 := numberOf(w)
	height, ok2 := numberOf(h)
	if !ok1 || !ok2 {
		return nil
	}
	o.set("width", width)
	o.set("height", height)
	return o.bytes()
}
