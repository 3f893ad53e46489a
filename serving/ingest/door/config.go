package door

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"kindred/serving/ingest/secret"
)

// Config is the doors that have to be set up: who may come in by them, and what becomes of what
// they bring. Secrets are texts in which ${NAME} is an environment variable and ${file:/path} a file.
type Config struct {
	// Limits bound a request of these doors, and of Firehose.
	Limits `yaml:",inline"`
	// Webhooks are the sources that may post to /v1/webhooks/{source}: source, form or signature, secrets, id_header, headers, rules (docs/doors.md).
	Webhooks []WebhookSource `yaml:"webhooks"`
	// PubSub are the push subscriptions of Google Cloud Pub/Sub at /v1/pubsub/{source}: source, issuers, audience, email, leeway, keys.
	PubSub []PubSubSource `yaml:"pubsub"`
	// Debezium are the change streams at /v1/debezium/{source}: source and tables, each with name, rows (users or items), key and columns.
	Debezium []DebeziumSource `yaml:"debezium"`
	// Feeds are XML documents at /v1/feeds/{feed}: feed, rows, key, record, fields, max_record_bytes.
	Feeds []FeedSource `yaml:"feeds"`
	// Avro is where the schemas of Avro bodies come from.
	Avro AvroConfig `yaml:"avro"`
}

// WebhookSource is a webhook's sender.
type WebhookSource struct {
	Source    string     `yaml:"source"`    // the name in the route, and the events' source
	Form      string     `yaml:"form"`      // the usual signature of a sender: see Forms; "" with no signature asks for a write key
	Signature *Signature `yaml:"signature"` // in place of form
	Secrets   []string   `yaml:"secrets"`   // that may have signed
	IDHeader  string     `yaml:"id_header"` // see Webhook
	Headers   []string   `yaml:"headers"`   // that rules may read, as headers["name in small letters"]
	Rules     []Rule     `yaml:"rules"`     // what becomes of a document; none takes it as a call or a batch
}

// PubSubSource is a push subscription.
type PubSubSource struct {
	Source string `yaml:"source"` // the name in the route, and the events' source
	OIDC   `yaml:",inline"`
	Keys   string `yaml:"keys"` // the issuer's keys: an address, or a file; GoogleJWKS
}

// UnmarshalYAML reads a subscription over the defaults.
func (p *PubSubSource) UnmarshalYAML(read func(any) error) error {
	type plain PubSubSource // without this method
	over := plain{OIDC: DefaultOIDC(), Keys: GoogleJWKS}
	if err := read(&over); err != nil {
		return err
	}
	*p = PubSubSource(over)
	return nil
}

// DebeziumSource is a database's change stream.
type DebeziumSource struct {
	Source string  `yaml:"source"` // the name in the route, and the events' source
	Tables []Table `yaml:"tables"`
}

// FeedSource is an XML feed.
type FeedSource struct {
	Name string `yaml:"feed"` // in the route, and the events' source
	Rows string `yaml:"rows"` // items (the catalog's) or users (traits)
	Key  string `yaml:"key"`  // the field that is the user's id, for users
	Feed `yaml:",inline"`
}

// UnmarshalYAML reads a feed over the default, whose fields stand only where neither record nor fields are given.
func (f *FeedSource) UnmarshalYAML(read func(any) error) error {
	type plain FeedSource // without this method
	over := plain{Rows: RowsItems, Feed: Feed{MaxRecordBytes: DefaultFeed().MaxRecordBytes}}
	if err := read(&over); err != nil {
		return err
	}
	if over.Record == "" && len(over.Fields) == 0 {
		over.Record, over.Fields = DefaultFeed().Record, DefaultFeed().Fields
	}
	*f = FeedSource(over)
	return nil
}

// AvroConfig says where the schemas of Avro bodies come from.
type AvroConfig struct {
	// Registry is the address of a Confluent schema registry; "" has none.
	Registry string `yaml:"registry"`
	// Authorization is the header of that name for the registry, a secret such as "Basic ${REGISTRY_LOGIN}".
	Authorization string `yaml:"authorization"`
	// Schemas are files of schemas for the single-object encoding.
	Schemas []string `yaml:"schemas"`
}

// Default sets no door up.
func Default() Config { return Config{Limits: DefaultLimits()} }

// signature is the source's, or nil for a write key.
func (w WebhookSource) signature() (*Signature, error) {
	var s Signature
	switch form, known := Forms()[w.Form]; {
	case w.Signature != nil && w.Form != "":
		return nil, errors.New("form: is set, and so is signature; choose one")
	case w.Signature != nil:
		s = *w.Signature
	case w.Form == "" && len(w.Secrets) > 0:
		return nil, errors.New("secrets: need form or signature, which says how they sign")
	case w.Form == "":
		return nil, nil
	case !known:
		return nil, fmt.Errorf("form: is %q; it must be one of %s", w.Form, strings.Join(slices.Sorted(maps.Keys(Forms())), ", "))
	default:
		s = form
	}
	s.Secrets = append(slices.Clone(s.Secrets), w.Secrets...)
	return &s, s.Validate()
}

// maxRules bounds the rules of a webhook.
const maxRules = 100

// Validate names the field that cannot be.
func (w WebhookSource) Validate() error {
	if _, err := w.signature(); err != nil {
		return err
	}
	if len(w.Rules) > maxRules {
		return fmt.Errorf("rules: there are %d; at most %d are taken", len(w.Rules), maxRules)
	}
	_, err := compileRules(w.Rules, w.Headers)
	return err
}

// Validate names the field that cannot be.
func (p PubSubSource) Validate() error {
	if p.Keys == "" {
		return errors.New("keys: is missing; it is the address of the issuer's keys, or a file of them")
	}
	if strings.Contains(p.Keys, "://") {
		if err := address(p.Keys); err != nil {
			return fmt.Errorf("keys: %w", err)
		}
	}
	return p.OIDC.Validate()
}

// Validate names the field that cannot be.
func (d DebeziumSource) Validate() error {
	if len(d.Tables) == 0 {
		return errors.New("tables: is empty; name at least one")
	}
	for i, t := range d.Tables {
		if err := t.Validate(); err != nil {
			return fmt.Errorf("tables[%d].%w", i, err)
		}
	}
	return nil
}

// Validate names the field that cannot be.
func (f FeedSource) Validate() error {
	switch {
	case f.Rows != RowsItems && f.Rows != RowsUsers:
		return fmt.Errorf("rows: is %q; it must be %s or %s", f.Rows, RowsItems, RowsUsers)
	case f.Rows == RowsUsers && f.Key == "":
		return errors.New("key: is missing; it is the field that is the user's id")
	}
	return f.Feed.Validate()
}

// address is the objection to fetching from an address: https, or this machine.
func address(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "":
		return fmt.Errorf("%q is no address", clip(text))
	case u.User != nil:
		return errors.New("the address holds a password; use authorization")
	case u.Scheme != "https" && !(u.Scheme == "http" && slices.Contains([]string{"localhost", "127.0.0.1", "::1"}, u.Hostname())):
		return fmt.Errorf("%q must begin with https, unless it is this machine's", clip(text))
	}
	return nil
}

var goodSource = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// Validate reports the first field that makes no sense, and what would.
func (c Config) Validate() error {
	if err := c.Limits.Validate(); err != nil {
		return fmt.Errorf("doors: %w", err)
	}
	if c.Avro.Registry != "" {
		if err := address(c.Avro.Registry); err != nil {
			return fmt.Errorf("doors: avro.registry: %w", err)
		}
	}
	names := map[string]bool{}
	check := func(list string, i int, field, name string, err error) error {
		where := fmt.Sprintf("doors: %s[%d]", list, i)
		switch {
		case !goodSource.MatchString(name):
			return fmt.Errorf("%s.%s: is %q; use up to 64 letters, digits, dots, - and _", where, field, name)
		case names[list+"/"+name]:
			return fmt.Errorf("%s.%s: %q is used twice", where, field, name)
		case err != nil:
			return fmt.Errorf("%s (%s): %w", where, name, err)
		}
		names[list+"/"+name] = true
		return nil
	}
	var errs []error
	for i, w := range c.Webhooks {
		errs = append(errs, check("webhooks", i, "source", w.Source, w.Validate()))
	}
	for i, p := range c.PubSub {
		errs = append(errs, check("pubsub", i, "source", p.Source, p.Validate()))
	}
	for i, d := range c.Debezium {
		errs = append(errs, check("debezium", i, "source", d.Source, d.Validate()))
	}
	for i, f := range c.Feeds {
		errs = append(errs, check("feeds", i, "feed", f.Name, f.Validate()))
	}
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// hidden stands for a secret.
const hidden = "(hidden)"

// Masked is c without its secrets. What only names one stays.
func (c Config) Masked() Config {
	mask := func(secrets []string) []string {
		out := slices.Clone(secrets)
		for i, s := range out {
			if !secret.Only(s) {
				out[i] = hidden
			}
		}
		return out
	}
	c.Webhooks = slices.Clone(c.Webhooks)
	for i := range c.Webhooks {
		w := &c.Webhooks[i]
		if w.Secrets = mask(w.Secrets); w.Signature != nil {
			s := *w.Signature
			s.Secrets = mask(s.Secrets)
			w.Signature = &s
		}
	}
	if c.Avro.Authorization != "" && !secret.Only(c.Avro.Authorization) {
		c.Avro.Authorization = hidden
	}
	return c
}
