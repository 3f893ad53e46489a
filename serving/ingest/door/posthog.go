package door

import (
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kindred/data/event"
)

// PostHog reads the body of /batch/, /capture/, /e/ and their like: a batch, a list of events, or
// one event. query is the request's: posthog-js puts the time of sending there. The
// event names that PostHog gives a meaning become calls (see posthogEvent.translate), the
// others are track calls. $set with any event is an identify of its own behind it.
func PostHog(body []byte, query url.Values, l Limits) (Batch, error) {
	c := newCollector("PostHog", l)
	if err := l.body(c.door, body); err != nil {
		return Batch{}, err
	}
	if err := checkJSON(body); err != nil {
		return Batch{}, refuse(c.door, "the body %v", err)
	}
	c.SentAt, _ = event.ParseTime(query.Get("_"))
	events := listOf(json.RawMessage(strings.TrimSpace(string(body))))
	if events == nil {
		o, err := fieldsOf(body)
		if err != nil {
			return Batch{}, refuse(c.door, "the body %v", err)
		}
		if c.WriteKey = o.text("api_key"); c.WriteKey == "" {
			c.WriteKey = o.text("token")
		}
		if sent, err := event.ParseTime(o.text("sent_at")); err == nil {
			c.SentAt = sent
		}
		switch batch := o.get("batch"); {
		case len(batch) > 0 && batch[0] == '[':
			events = listOf(batch)
		case o.get("event") != nil:
			o.take("api_key")
			o.take("sent_at")
			events = []json.RawMessage{o.bytes()}
		default:
			return Batch{}, refuse(c.door, `neither "batch" nor "event" is there; send a list of events or one`)
		}
	}
	for _, raw := range events {
		if err := c.posthog(raw); err != nil {
			return Batch{}, err
		}
	}
	return c.Batch, nil
}

// posthog adds the call or calls of one event.
func (c *collector) posthog(raw json.RawMessage) error {
	o, err := fieldsOf(raw)
	if err != nil {
		return c.reject(raw, "the event %v", err)
	}
	if c.WriteKey == "" {
		if c.WriteKey = o.text("api_key"); c.WriteKey == "" {
			c.WriteKey = o.child("properties").text("token")
		}
	}
	e := posthogEvent{event: o, props: o.child("properties"), call: newObject(), ctx: newObject()}
	if reason := e.translate(c.SentAt); reason != "" {
		return c.reject(raw, "%s", reason)
	}
	if err := c.add(e.call.bytes()); err != nil || e.traits == nil {
		return err
	}
	return c.add(e.identify())
}

// identify is the call that sets what the event has said about its person.
func (e *posthogEvent) identify() json.RawMessage {
	o := newObject()
	o.setText("type", "identify")
	if id := e.call.text("messageId"); id != "" {
		o.setText("messageId", id+".set")
	}
	for _, name := range []string{"userId", "anonymousId", "timestamp"} {
		o.set(name, e.call.get(name))
	}
	o.set("traits", e.traits)
	return o.bytes()
}

// times are the event's own, or the time of sending less the offset.
func (e *posthogEvent) times(sent time.Time) {
	at := e.event.take("timestamp")
	offset, err := strconv.ParseInt(e.event.takeText("offset"), 10, 64)
	switch {
	case at != nil:
		e.call.set("timestamp", at)
	case err == nil && !sent.IsZero() && offset >= 0 && offset < 1e12:
		e.call.setText("timestamp", sent.Add(-time.Duration(offset)*time.Millisecond).UTC().Format("2006-01-02T15:04:05.000Z"))
	}
}
