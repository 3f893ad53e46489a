package door

import (
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"kindred/data/event"
)

// FirehoseRequest is a delivery of Amazon Data Firehose to an HTTP endpoint.
type FirehoseRequest struct {
	ID string
	At time.Time // Firehose's; it corrects no client's clock
	Batch
}

// The headers of a delivery. The key's comparison is the caller's, in constant time.
const (
	FirehoseKeyHeader        = "X-Amz-Firehose-Access-Key"
	FirehoseRequestHeader    = "X-Amz-Firehose-Request-Id"
	FirehoseAttributesHeader = "X-Amz-Firehose-Common-Attributes"
)

// Firehose reads a delivery: each record is Base64 of one call, of many (a line each, or
// one behind the other), or of batches. requestID is the header's, attributes those
// of the header, or "". A record that is no JSON is a reject. Calls without a messageId are
// named by the request, which Firehose repeats with the same id, and their place in it. The error goes
// back as FirehoseAnswer's message.
func Firehose(body []byte, requestID, attributes string, l Limits) (FirehoseRequest, error) {
	c := newCollector("Firehose", l)
	f := FirehoseRequest{ID: requestID}
	if err := l.body(c.door, body); err != nil {
		return f, err
	}
	o, err := parseObject(body)
	if err != nil {
		return f, refuse(c.door, "the body %v", err)
	}
	if id := o.text("requestId"); id != "" {
		if requestID != "" && id != requestID {
			return f, refuse(c.door, "requestId: is %q in the body and %q in the header", clip(id), clip(requestID))
		}
		f.ID = id
	}
	if f.ID == "" {
		return f, refuse(c.door, "requestId: is missing")
	}
	f.At, _ = event.ParseTime(o.text("timestamp"))
	records := o.get("records")
	if len(records) == 0 || records[0] != '[' {
		return f, refuse(c.door, `the field "records" is missing; it must be a list of {"data": Base64}`)
	}
	if attributes != "" {
		if a, err := parseObject([]byte(attributes)); err == nil {
			ctx := newObject()
			ctx.setObject("firehose", a.child("commonAttributes"))
			if len(ctx.names) > 0 {
				c.Context = ctx.bytes()
			}
		}
	}
	for i, raw := range listOf(records) {
		if err := c.firehose(f.ID, i, raw); err != nil {
			return f, err
		}
	}
	f.Batch = c.Batch
	return f, nil
}

func (c *collector) firehose(request string, i int, raw json.RawMessage) error {
	r, err := fieldsOf(raw)
	if err != nil {
		return c.reject(raw, "records[%d]: %v", i, err)
	}
	data, err := base64.StdEncoding.DecodeString(r.text("data"))
	if err != nil {
		return c.reject(raw, "records[%d].data: is not Base64", i)
	}
	return c.document(data, "firehose", request, strconv.Itoa(i))
}

// document adds the calls of a document: JSON values one behind the other, each a call, a
// batch or a list of calls. Calls without a messageId are named by the seed and their place;
// without a seed they are left to data/event.
func (c *collector) document(doc []byte, seed ...string) error {
	n := 0
	take := func(raw json.RawMessage) error {
		n++
		o, err := fieldsOf(raw)
		if err != nil {
			return c.reject(raw, "the call %v", err)
		}
		if len(seed) > 0 && o.text("messageId") == "" {
			o.set("messageId", quote(identity(append(seed, strconv.Itoa(n))...)))
			raw = o.bytes()
		}
		return c.add(raw)
	}
	values, rest, bad := splitValues(doc, c.limit)
	for _, v := range values {
		calls, batch := []json.RawMessage{v}, (*object)(nil)
		if v[0] == '[' {
			calls = listOf(v)
		} else if o, err := fieldsOf(v); err == nil && o.get("type") == nil {
			if list := o.get("batch"); len(list) > 0 && list[0] == '[' {
				calls, batch = listOf(list), o
			}
		}
		for _, call := range calls {
			if err := take(withBatch(call, batch)); err != nil {
				return err
			}
		}
	}
	if bad != nil {
		return c.reject(rest, "%v", bad)
	}
	return nil
}

// withBatch gives a call what its batch, if any, says about all of them: sentAt, and the
// fields of context that it lacks.
func withBatch(call json.RawMessage, batch *object) json.RawMessage {
	if batch == nil {
		return call
	}
	o, err := fieldsOf(call)
	if err != nil {
		return call
	}
	if o.get("sentAt") == nil {
		o.set("sentAt", batch.get("sentAt"))
	}
	if ctx := o.get("context"); ctx == nil || ctx[0] == '{' {
		merged := o.child("context")
		merged.lacks(batch.child("context"))
		o.setObject("context", merged)
	}
	return o.bytes()
}

// FirehoseAnswer is the body of the answer, which Firehose compares with its request: the same id, a
// time in milliseconds, and what went wrong, or "".
func FirehoseAnswer(requestID string, at time.Time, errorMessage string) []byte {
	o := newObject()
	o.set("requestId", quote(requestID))
	o.set("timestamp", json.RawMessage(strconv.FormatInt(at.UnixMilli(), 10)))
	if len(errorMessage) > 4096 {
		errorMessage = strings.ToValidUTF8(errorMessage[:4096], "")
	}
	o.setText("errorMessage", errorMessage)
	return o.bytes()
}
