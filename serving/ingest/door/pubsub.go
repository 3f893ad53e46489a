package door

import (
	"bytes"
	"encoding/base64"
	"net/textproto"
	"strings"
)

// Header gives a request's header by its name in any case, "" for none.
type Header func(name string) string

// PubSubMessage is one pushed message of Google Cloud Pub/Sub.
type PubSubMessage struct {
	ID           string
	Subscription string
	Batch
}

// PubSub reads a push: wrapped ({"message": {"data": Base64, "messageId", "attributes", …},
// "subscription"}) or, with payload unwrapping, the payload itself, whose metadata are in headers if
// the subscription writes them. The payload is one call, many, or batches, as in Firehose. Calls
// without a messageId are named by the message, whose id a redelivery repeats, those without a
// time by when it was published; attributes are kept in context.pubsub.
func PubSub(body []byte, header Header, l Limits) (PubSubMessage, error) {
	c := newCollector("Pub/Sub", l)
	m := PubSubMessage{ID: header("X-Goog-Pubsub-Message-Id"), Subscription: header("X-Goog-Pubsub-Subscription-Name")}
	if err := l.body(c.door, body); err != nil {
		return m, err
	}
	published, payload := header("X-Goog-Pubsub-Publish-Time"), body
	attributes := newObject()
	if m.ID == "" {
		envelope, message := wrapped(body)
		if message != nil {
			var err error
			if payload, err = base64.StdEncoding.DecodeString(message.text("data")); err != nil {
				return m, refuse(c.door, "message.data: is not Base64")
			}
			m.Subscription = envelope.text("subscription")
			m.ID = firstText(message, "messageId", "message_id")
			published = firstText(message, "publishTime", "publish_time")
			attributes = message.child("attributes")
		}
	}
	var seed []string
	if m.ID != "" { // else it is unwrapped, without metadata: nothing tells a redelivery from a twin
		seed = []string{"pubsub", m.Subscription, m.ID}
	}
	if err := c.document(payload, seed...); err != nil {
		return m, err
	}
	if len(bytes.TrimSpace(payload)) == 0 {
		return m, refuse(c.door, "the message is empty")
	}
	for i, raw := range c.Calls {
		o, err := fieldsOf(raw)
		if err != nil || o.get("timestamp") != nil || o.get("originalTimestamp") != nil || published == "" {
			continue
		}
		o.setText("timestamp", published)
		c.Calls[i] = o.bytes()
	}
	if len(attributes.names) > 0 {
		ctx := newObject()
		ctx.setObject("pubsub", attributes)
		c.Context = ctx.bytes()
	}
	m.Batch = c.Batch
	return m, nil
}

// wrapped are the envelope and its message, or nil where the body is none.
func wrapped(body []byte) (envelope, message *object) {
	envelope, err := parseObject(body)
	if err != nil || envelope.get("type") != nil {
		return nil, nil
	}
	message = envelope.child("message")
	if firstText(message, "messageId", "message_id") == "" {
		return nil, nil
	}
	return envelope, message
}

func firstText(o *object, names ...string) string {
	for _, name := range names {
		if s := o.text(name); s != "" {
			return s
		}
	}
	return ""
}

// bearer is the token of an Authorization header, or "".
func bearer(authorization string) string {
	scheme, token, _ := strings.Cut(textproto.TrimString(authorization), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
