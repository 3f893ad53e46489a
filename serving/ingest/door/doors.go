package door

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"kindred/serving/ingest/secret"
)

// Doors are the doors that a configuration sets up. They are safe for concurrent use; nil has none.
type Doors struct {
	limits   Limits
	webhooks map[string]*Hook
	pubsub   map[string]*Push
	debezium map[string]DebeziumSource
	feeds    map[string]FeedSource
	avro     *Registry
	names    []Name
}

// Name is a door and the source that comes in by it.
type Name struct{ Door, Source string }

// The names of doors in Name.
const (
	DoorWebhook  = "webhook"
	DoorPubSub   = "pubsub"
	DoorDebezium = "debezium"
	DoorFeed     = "feed"
)

// Open sets the doors up. The error names the setting, and a secret that is not there, never its value.
func Open(cfg Config, secrets secret.Source, get Get) (*Doors, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d := &Doors{limits: cfg.Limits, webhooks: map[string]*Hook{}, pubsub: map[string]*Push{}, debezium: map[string]DebeziumSource{}, feeds: map[string]FeedSource{}}
	for i, w := range cfg.Webhooks {
		h, err := w.open(secrets)
		if err != nil {
			return nil, fmt.Errorf("doors: webhooks[%d] (%s): %w", i, w.Source, err)
		}
		d.webhooks[w.Source] = h
		d.names = append(d.names, Name{DoorWebhook, w.Source})
	}
	for _, p := range cfg.PubSub {
		d.pubsub[p.Source] = &Push{p.OIDC, newKeySet(func(ctx context.Context) ([]byte, error) {
			if strings.Contains(p.Keys, "://") {
				return get(ctx, p.Keys, "", maxJWKS)
			}
			return secrets.File(p.Keys)
		})}
		d.names = append(d.names, Name{DoorPubSub, p.Source})
	}
	for _, s := range cfg.Debezium {
		d.debezium[s.Source] = s
		d.names = append(d.names, Name{DoorDebezium, s.Source})
	}
	for _, f := range cfg.Feeds {
		d.feeds[f.Name] = f
		d.names = append(d.names, Name{DoorFeed, f.Name})
	}
	return d, d.openAvro(cfg.Avro, secrets, get)
}

func (d *Doors) openAvro(cfg AvroConfig, secrets secret.Source, get Get) error {
	var fetch Fetch
	if cfg.Registry != "" {
		authorization, err := secrets.Expand(cfg.Authorization)
		if err != nil {
			return fmt.Errorf("doors: avro.authorization: %w", err)
		}
		base := strings.TrimRight(cfg.Registry, "/")
		fetch = func(ctx context.Context, path string) ([]byte, error) {
			return get(ctx, base+path, authorization, 2*maxSchemaBytes)
		}
	}
	d.avro = NewRegistry(fetch)
	for i, file := range cfg.Schemas {
		b, err := secrets.File(file)
		if err == nil {
			err = d.avro.Add(b)
		}
		if err != nil {
			return fmt.Errorf("doors: avro.schemas[%d]: %w", i, err)
		}
	}
	return nil
}

// Names are the doors in the configuration's order.
func (d *Doors) Names() []Name {
	if d == nil {
		return nil
	}
	return d.names
}

// Limits bound a request.
func (d *Doors) Limits() Limits {
	if d == nil {
		return DefaultLimits()
	}
	return d.limits
}

// Avro holds the schemas; nil-safe.
func (d *Doors) Avro() *Registry {
	if d == nil {
		return NewRegistry(nil)
	}
	return d.avro
}

// Webhook is the source's, nil for none.
func (d *Doors) Webhook(source string) *Hook {
	if d == nil {
		return nil
	}
	return d.webhooks[source]
}

// PubSub is the source's subscription, nil for none.
func (d *Doors) PubSub(source string) *Push {
	if d == nil {
		return nil
	}
	return d.pubsub[source]
}

// Debezium is the source's change stream.
func (d *Doors) Debezium(source string) (DebeziumSource, bool) {
	if d == nil {
		return DebeziumSource{}, false
	}
	s, ok := d.debezium[source]
	return s, ok
}

// Items reports whether the stream may change the catalog.
func (s DebeziumSource) Items() bool {
	for _, t := range s.Tables {
		if t.Rows == RowsItems {
			return true
		}
	}
	return false
}

// Feed is the feed of that name.
func (d *Doors) Feed(name string) (FeedSource, bool) {
	if d == nil {
		return FeedSource{}, false
	}
	f, ok := d.feeds[name]
	return f, ok
}

// Hook is a webhook that is set up.
type Hook struct {
	webhook Webhook
	mapping Mapping
}

func (w WebhookSource) open(secrets secret.Source) (*Hook, error) {
	s, err := w.signature()
	if err != nil {
		return nil, err
	}
	for i := range s.all() {
		if s.Secrets[i], err = secrets.Expand(s.Secrets[i]); err != nil {
			return nil, fmt.Errorf("secrets[%d]: %w", i, err)
		}
	}
	mapping, err := compileRules(w.Rules, w.Headers)
	return &Hook{Webhook{Source: w.Source, IDHeader: w.IDHeader, Signature: s}, mapping}, err
}

func (s *Signature) all() []string {
	if s == nil {
		return nil
	}
	return s.Secrets
}

// Signed reports whether a signature proves who sends; else a write key does.
func (h *Hook) Signed() bool { return h.webhook.Signature != nil }

// Verify checks the signature of a delivery.
func (h *Hook) Verify(header Header, body []byte, now time.Time) error {
	return h.webhook.Signature.Verify(header, body, now)
}

// Calls reads a delivery.
func (h *Hook) Calls(body []byte, contentType string, header Header, l Limits) (Batch, error) {
	return h.webhook.Calls(body, contentType, header, h.mapping, l)
}

// Fingerprint names a feed's document by what is in it.
func Fingerprint(body []byte) string { return identity(string(body)) }

// Identify is the call of a feed's record about a user: named by the document and the record, so that
// a document that is sent again changes nothing, and one that says again what an older one said does.
func (f FeedSource) Identify(record json.RawMessage, document string) (json.RawMessage, error) {
	o, err := fieldsOf(record)
	if err != nil {
		return nil, fmt.Errorf("the record %w", err)
	}
	user := o.text(f.Key)
	if user == "" {
		return nil, fmt.Errorf("the record has no %s", f.Key)
	}
	call := newObject()
	call.setText("type", "identify")
	call.setText("messageId", identity("feed", f.Name, document, user, string(record)))
	call.setText("userId", user)
	o.take(f.Key)
	call.set("traits", o.bytes())
	return call.bytes(), nil
}
