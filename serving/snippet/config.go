package snippet

import (
	"fmt"
	"strings"
	"time"
)

// Config is what browsers are told about this server.
type Config struct {
	// APIHost is HOST[:PORT] and perhaps a path, without a scheme, where pages reach this
	// server's tracking routes; "" takes the host that the page asked for its settings.
	APIHost string `yaml:"api_host"`
	// Protocol is http or https; "" takes what the page asked for its settings with.
	Protocol string `yaml:"protocol"`
	// BatchSize is how many calls analytics.js sends at once; 1 sends each by itself. Single calls outlive their page in
	// the browser's storage until they have arrived; a batch that failed is lost with its page.
	BatchSize int `yaml:"batch_size"`
	// BatchWait is how long analytics.js lets calls wait for a batch to fill.
	BatchWait time.Duration `yaml:"batch_wait"`
	// MaxRetries is how often analytics.js sends calls again before it gives up.
	MaxRetries int `yaml:"max_retries"`
	// MaxBackoff bounds the growing pause between two tries of analytics.js.
	MaxBackoff time.Duration `yaml:"max_backoff"`
	// MaxRetryAfter bounds the pause that an overloaded server may ask of analytics.js.
	MaxRetryAfter time.Duration `yaml:"max_retry_after"`
	// MaxAge is how long browsers may keep the scripts and the settings.
	MaxAge time.Duration `yaml:"max_age"`
}

// Default loses no call, so it batches none, and retries as the library does by itself.
func Default() Config {
	return Config{
		BatchSize: 1, BatchWait: time.Second,
		MaxRetries: 10, MaxBackoff: time.Minute, MaxRetryAfter: 5 * time.Minute,
		MaxAge: 5 * time.Minute,
	}
}

// Validate reports the first field that makes no sense, and what would.
func (c Config) Validate() error {
	if strings.Contains(c.APIHost, "://") || strings.ContainsAny(c.APIHost, " \t\n") || strings.HasSuffix(c.APIHost, "/") {
		return fmt.Errorf("snippet: api_host is %q; write HOST[:PORT][/PATH] without a scheme and a slash at the end", c.APIHost)
	}
	if c.Protocol != "" && c.Protocol != "http" && c.Protocol != "https" {
		return fmt.Errorf("snippet: protocol is %q; use http, https, or nothing to take the page's", c.Protocol)
	}
	if c.BatchSize < 1 || c.BatchSize > 1000 {
		return fmt.Errorf("snippet: batch_size is %d; use 1 to 1000", c.BatchSize)
	}
	if c.MaxRetries < 0 || c.MaxRetries > 100 {
		return fmt.Errorf("snippet: max_retries is %d; use 0 to 100", c.MaxRetries)
	}
	for _, f := range []struct {
		name     string
		value    time.Duration
		min, max time.Duration
	}{ // the bounds are those that the library keeps by itself
		{"batch_wait", c.BatchWait, time.Millisecond, time.Minute},
		{"max_backoff", c.MaxBackoff, 100 * time.Millisecond, 24 * time.Hour},
		{"max_retry_after", c.MaxRetryAfter, 100 * time.Millisecond, 24 * time.Hour},
		{"max_age", c.MaxAge, 0, 24 * time.Hour},
	} {
		if f.value < f.min || f.value > f.max {
			return fmt.Errorf("snippet: %s is %v; use %v to %v", f.name, f.value, f.min, f.max)
		}
	}
	return nil
}
