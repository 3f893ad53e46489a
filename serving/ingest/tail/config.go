package tail

import (
	"fmt"
	"time"
)

// Config bounds the tail and says what it hides.
type Config struct {
	// Recent is how many events, and how many refused calls, of each source are kept for "what came just now"; 0 keeps none.
	Recent int `yaml:"recent"`
	// RecentPerSecond is how many of a source are put there each second; others are not looked at.
	RecentPerSecond int `yaml:"recent_per_second"`
	// MaxSources is how many sources are kept apart; others share "(other)".
	MaxSources int `yaml:"max_sources"`
	// MaxEventBytes bounds one event as it is shown.
	MaxEventBytes int `yaml:"max_event_bytes"`

	// MaxSubscribers is how many may follow at the same time.
	MaxSubscribers int `yaml:"max_subscribers"`
	// Backlog is how many events subscribers may lag behind, or come back to.
	Backlog int `yaml:"backlog"`
	// PerSecond is how many events a second all subscribers together get to see; others are counted.
	PerSecond int `yaml:"per_second"`
	// Linger is how long events are kept for a subscriber that went away and may come back.
	Linger time.Duration `yaml:"linger"`
	// Heartbeat is the pause after which a comment is sent, so that proxies keep the connection.
	Heartbeat time.Duration `yaml:"heartbeat"`

	// Hidden are words; the values of fields whose names have one of them are not shown.
	// Words of four letters and more also count inside others: email hides userEmail and emailaddress.
	Hidden []string `yaml:"hidden"`
	// Shown are whole names that are shown although a word of them is hidden, and whose digits are; e-mail addresses never are.
	Shown []string `yaml:"shown"`
}

// Default shows 20 events of each source, and hides what usually names somebody.
func Default() Config {
	return Config{
		Recent: 20, RecentPerSecond: 5, MaxSources: 64, MaxEventBytes: 2048,
		MaxSubscribers: 16, Backlog: 1024, PerSecond: 500, Linger: time.Minute, Heartbeat: 15 * time.Second,
		Hidden: []string{
			"email", "mail", "phone", "mobile", "tel", "fax", "name", "address", "street", "city", "postal", "postcode", "zip", "birth", "dob",
			"password", "passwd", "passphrase", "pwd", "secret", "token", "auth", "authorization", "apikey", "cookie", "session", "otp", "pin",
			"ip", "lat", "lon", "lng", "latitude", "longitude", "ssn", "tax", "passport", "iban", "bic", "card", "cvc", "cvv", "account", "avatar",
		},
		Shown: []string{
			"product_id", "sku", "item_id", "variant", "product_name", "event_name", "category", "page_name", "message_id", "request_id", "order_id",
			"address_type", "utm_campaign",
		},
	}
}

// Validate reports the first field that makes no sense, and what would.
func (c Config) Validate() error {
	for _, n := range []struct {
		name            string
		got, least, top int
	}{
		{"recent", c.Recent, 0, 1000}, {"recent_per_second", c.RecentPerSecond, 1, 10_000}, {"max_sources", c.MaxSources, 1, 10_000},
		{"max_event_bytes", c.MaxEventBytes, minEventBytes, 64 << 10}, {"max_subscribers", c.MaxSubscribers, 1, 1000},
		{"backlog", c.Backlog, 1, 100_000}, {"per_second", c.PerSecond, 1, 1_000_000},
	} {
		if n.got < n.least || n.got > n.top {
			return fmt.Errorf("tail: %s is %d; use %d to %d", n.name, n.got, n.least, n.top)
		}
	}
	switch {
	case c.Linger < 0 || c.Linger > time.Hour:
		return fmt.Errorf("tail: linger is %v; use 0 to 1h", c.Linger)
	case c.Heartbeat < time.Second || c.Heartbeat > 10*time.Minute:
		return fmt.Errorf("tail: heartbeat is %v; use 1s to 10m", c.Heartbeat)
	}
	for _, list := range []struct {
		name  string
		words []string
	}{{"hidden", c.Hidden}, {"shown", c.Shown}} {
		for _, w := range list.words {
			if len(plain(nil, w)) == 0 {
				return fmt.Errorf("tail: %s has %q; use words of letters and digits", list.name, w)
			}
		}
	}
	return nil
}

// minEventBytes holds the parts of an event that are never cut.
const minEventBytes = 1024
