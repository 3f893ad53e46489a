package door

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"

	"kindred/data/event"
)

// Mapping makes tracking calls of a webhook's document: none for what is not of interest. An error is
// a reject of the whole document. It must not keep the document, and give the same for the same.
type Mapping func(document json.RawMessage, header Header) ([]json.RawMessage, error)

// Webhook is what of a webhook is configured per source.
type Webhook struct {
	// Source is the name in the route.
	Source string `yaml:"-"`
	// IDHeader is the header that repeats when the sender tries again, such as X-GitHub-Delivery or Idempotency-Key; without it, a hash of the body names the delivery.
	IDHeader string `yaml:"id_header"`
	// Signature of the sender; nil takes the write key alone.
	Signature *Signature `yaml:"signature"`
}

// Calls reads a delivery whose signature has been verified. contentType is the request's; see
// Document. A document that is no JSON, or that the mapping cannot map, is a reject: the sender would only
// send it again. Calls without a messageId are named by the delivery and their place.
func (w Webhook) Calls(body []byte, contentType string, header Header, mapping Mapping, l Limits) (Batch, error) {
	c := newCollector("webhook "+w.Source, l)
	if err := l.body(c.door, body); err != nil {
		return Batch{}, err
	}
	doc := Document(contentType, body)
	if err := checkJSON(doc); err != nil {
		err := c.reject(body, "the body %v", err)
		return c.Batch, err
	}
	calls, err := mapping(doc, header)
	if err != nil {
		err := c.reject(body, "%v", err)
		return c.Batch, err
	}
	delivery := []string{"webhook", w.Source, "body", string(body)}
	if w.IDHeader != "" {
		if id := header(w.IDHeader); id != "" && utf8.ValidString(id) {
			delivery = []string{"webhook", w.Source, "id", id}
		}
	}
	for i, raw := range calls {
		o, err := parseObject(raw)
		if err != nil {
			err = c.reject(body, "call %d of the mapping: %v", i, err)
		} else {
			if o.text("messageId") == "" {
				o.set("messageId", quote(identity(append(delivery, strconv.Itoa(i))...)))
			}
			err = c.add(o.bytes())
		}
		if err != nil {
			return Batch{}, err
		}
	}
	return c.Batch, nil
}

// AsCall is the Mapping for documents that are tracking calls already, or a batch of them.
func AsCall(document json.RawMessage, _ Header) ([]json.RawMessage, error) {
	parts, ok := event.Split(document, false)
	if ok {
		return parts.Calls, nil
	}
	return []json.RawMessage{document}, nil
}
