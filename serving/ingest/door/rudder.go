package door

import (
	"encoding/json"
	"fmt"
	"strings"

	"kindred/data/event"
)

// Rudder reads the body of RudderStack's /v1/{batch,import} and /beacon/v1/batch. It is
// Segment's batch with other habits, most of which data/event knows (originalTimestamp,
// channel, traits inside the context); what is left are merge calls: see mergeCall.
// queryKey is the write key of the query, for the beacon.
func Rudder(body []byte, queryKey string, l Limits) (Batch, error) {
	c := newCollector("RudderStack", l)
	if err := l.body(c.door, body); err != nil {
		return Batch{}, err
	}
	o, err := parseObject(body)
	if err != nil {
		return Batch{}, refuse(c.door, "the body %v", err)
	}
	batch := o.get("batch")
	if len(batch) == 0 || batch[0] != '[' {
		return Batch{}, refuse(c.door, `the field "batch" is missing; it must be a list of calls`)
	}
	c.Context, c.WriteKey = o.get("context"), o.text("writeKey")
	if c.WriteKey == "" {
		c.WriteKey = queryKey
	}
	c.SentAt, _ = event.ParseTime(o.text("sentAt")) // without it the calls' own times stand
	for _, raw := range listOf(batch) {
		if err := c.rudderCall(raw); err != nil {
			return Batch{}, err
		}
	}
	return c.Batch, nil
}

// RudderMerge reads the body of /v1/merge.
func RudderMerge(body []byte, l Limits) (Batch, error) {
	c := newCollector("RudderStack", l)
	if err := l.body(c.door, body); err != nil {
		return Batch{}, err
	}
	o, err := parseObject(body)
	if err != nil {
		return Batch{}, refuse(c.door, "the body %v", err)
	}
	c.WriteKey = o.text("writeKey")
	if err := c.merge(body, o); err != nil {
		return Batch{}, err
	}
	return c.Batch, nil
}

// rudderCall adds one call of a batch: all but merges are left to data/event.
func (c *collector) rudderCall(raw json.RawMessage) error {
	if o, err := fieldsOf(raw); err == nil && o.text("type") == "merge" {
		return c.merge(raw, o)
	}
	return c.add(raw)
}

func (c *collector) merge(raw []byte, o *object) error {
	call, err := mergeCall(o)
	if err != nil {
		return c.reject(raw, "%v", err)
	}
	return c.add(call)
}

// mergeCall makes one call of the two identifiers that a merge joins. Two users are an
// alias, the second known as the first; so are two anonymous ids. A user or anonymous id with something else is an
// identify that carries both. Two others, such as an e-mail and a phone number, name
// nobody here unless the call has an id of its own.
func mergeCall(o *object) (json.RawMessage, error) {
	list := listOf(o.take("mergeProperties"))
	if len(list) != 2 {
		return nil, fmt.Errorf("mergeProperties: has %d entries; a merge joins two", len(list))
	}
	var users, anonymous []string
	var external []json.RawMessage
	for i, raw := range list {
		p, err := fieldsOf(raw)
		if err != nil || p.text("type") == "" || p.text("value") == "" {
			return nil, fmt.Errorf("mergeProperties[%d]: must be an object with type and value", i)
		}
		switch kind, value := p.text("type"), p.text("value"); strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(kind)) {
		case "userid":
			users = append(users, value)
		case "anonymousid":
			anonymous = append(anonymous, value)
		default:
			e := newObject()
			e.setText("type", kind)
			e.setText("id", value)
			external = append(external, e.bytes())
		}
	}
	for name, both := range map[string][]string{"userId": users, "anonymousId": anonymous} {
		if len(both) == 2 {
			o.set("type", quote("alias"))
			o.set(name, quote(both[0]))
			o.set("previousId", quote(both[1]))
			return o.bytes(), nil
		}
	}
	o.set("type", quote("identify"))
	if len(users) > 0 {
		o.set("userId", quote(users[0]))
	}
	if len(anonymous) > 0 {
		o.set("anonymousId", quote(anonymous[0]))
	}
	if o.text("userId") == "" && o.text("anonymousId") == "" {
		return nil, fmt.Errorf("mergeProperties: names no user and no anonymous id, nor does the call")
	}
	if len(external) > 0 {
		ctx := o.child("context")
		ids, _ := json.Marshal(append(listOf(ctx.get("externalIds")), external...))
		ctx.set("externalIds", ids)
		o.set("context", ctx.bytes())
	}
	return o.bytes(), nil
}

// RudderConfig answers GET /sourceConfig/, without which RudderStack's browser client does not
// start: a source that is enabled, with no destination to load and no telemetry.
func RudderConfig(writeKey string) []byte {
	source := newObject()
	source.set("id", quote(identity("source", writeKey)))
	source.set("name", quote("kindred"))
	source.set("writeKey", quote(writeKey))
	source.set("enabled", json.RawMessage("true"))
	source.set("workspaceId", quote("kindred"))
	source.set("config", json.RawMessage(`{"statsCollection":{"errors":{"enabled":false},"metrics":{"enabled":false}}}`))
	source.set("destinations", json.RawMessage("[]"))
	source.set("connections", json.RawMessage("[]"))
	source.set("dataplanes", json.RawMessage("{}"))
	o := newObject()
	o.set("source", source.bytes())
	return o.bytes()
}
