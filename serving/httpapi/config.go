package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"kindred/serving/snippet"
)

// Scope is a right that an API key carries.
type Scope string

// The scopes. Admin includes the others.
const (
	ScopeIngest    Scope = "ingest"    // send tracking calls
	ScopeRecommend Scope = "recommend" // ask for a visitor's recommendations by anonymous id; with ingest, all that a page needs
	ScopeRead      Scope = "read"      // ask for recommendations, profiles, lists, metrics
	ScopeAdmin     Scope = "admin"     // change items, users and models, start jobs
)

// scopes are all there are.
var scopes = []Scope{ScopeIngest, ScopeRecommend, ScopeRead, ScopeAdmin}

// Key is one API key. Exactly one of Secret and SHA256 is set.
type Key struct {
	Name   string  `yaml:"name"`   // appears in logs and as the source of events
	Secret string  `yaml:"secret"` // as clients send it
	SHA256 string  `yaml:"sha256"` // or its SHA-256 in hex, so that the file holds no secret
	Scopes []Scope `yaml:"scopes"`
}

// Config is what the HTTP server can be told.
type Config struct {
	// Addr is HOST:PORT to listen on. Anything but loopback needs Keys or Insecure.
	Addr string `yaml:"addr"`
	// Insecure allows an address that others can reach without any keys.
	Insecure bool `yaml:"insecure"`
	// Keys are the API keys; with none, every caller may do everything.
	Keys []Key `yaml:"keys"`
	// AllowedOrigins are the web origins whose pages may send tracking calls; "*" is all.
	AllowedOrigins []string `yaml:"allowed_origins"`
	// TrustedProxies are the addresses (CIDR) whose X-Forwarded-For is believed.
	TrustedProxies []string `yaml:"trusted_proxies"`

	// MaxBodyBytes bounds the body of an ordinary request, after decompression.
	MaxBodyBytes int64 `yaml:"max_body_bytes"`
	// MaxBulkBytes bounds the body of a bulk upload, after decompression.
	MaxBulkBytes int64 `yaml:"max_bulk_bytes"`
	// BodyTimeout is how long the body of a tracking call may take to come, and a second more for each 4 KiB that
	// have come; at most ReadTimeout.
	BodyTimeout time.Duration `yaml:"body_timeout"`
	// MaxAnswers bounds the recommendations that are made at the same time; beyond, callers are asked to wait.
	MaxAnswers int `yaml:"max_answers"`
	// RetryAfter is what an overloaded server asks clients to wait.
	RetryAfter time.Duration `yaml:"retry_after"`
	// IdempotencyTTL is how long an answer is kept for its Idempotency-Key.
	IdempotencyTTL time.Duration `yaml:"idempotency_ttl"`

	// SlowRequest is how long a request takes that is logged at level info for it.
	SlowRequest time.Duration `yaml:"slow_request"`

	// Snippet is set from its own section of the configuration.
	Snippet snippet.Config `yaml:"-"`

	ReadHeaderTimeout time.Duration `yaml:"read_header_timeout"`
	ReadTimeout       time.Duration `yaml:"read_timeout"`
	WriteTimeout      time.Duration `yaml:"write_timeout"`
	IdleTimeout       time.Duration `yaml:"idle_timeout"`
	// ShutdownTimeout is how long requests in flight may take after a stop.
	ShutdownTimeout time.Duration `yaml:"shutdown_timeout"`
}

// Default listens on 127.0.0.1:8080 without keys.
func Default() Config {
	return Config{
		Addr:              "127.0.0.1:8080",
		AllowedOrigins:    []string{"*"},
		MaxBodyBytes:      1 << 20,
		MaxBulkBytes:      64 << 20,
		BodyTimeout:       10 * time.Second,
		MaxAnswers:        256,
		RetryAfter:        time.Second,
		IdempotencyTTL:    24 * time.Hour,
		SlowRequest:       500 * time.Millisecond,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       60 * time.Second,
		WriteTimeout:      60 * time.Second,
		IdleTimeout:       120 * time.Second,
		ShutdownTimeout:   15 * time.Second,
		Snippet:           snippet.Default(),
	}
}

// Validate reports the first field that makes no sense, and what would.
func (c Config) Validate() error {
	if err := c.validateAddr(); err != nil {
		return err
	}
	names := map[string]bool{}
	for i, k := range c.Keys {
		if err := k.validate(); err != nil {
			return fmt.Errorf("http: keys[%d]: %w", i, err)
		}
		if names[k.Name] {
			return fmt.Errorf("http: keys[%d]: name %q is used twice; give each key its own", i, k.Name)
		}
		names[k.Name] = true
	}
	for i, o := range c.AllowedOrigins {
		if o != "*" && !strings.HasPrefix(o, "http://") && !strings.HasPrefix(o, "https://") {
			return fmt.Errorf("http: allowed_origins[%d] is %q; write * or scheme://host", i, o)
		}
	}
	for i, p := range c.TrustedProxies {
		if _, err := netip.ParsePrefix(p); err != nil {
			return fmt.Errorf("http: trusted_proxies[%d] is %q; write a range like 10.0.0.0/8", i, p)
		}
	}
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"max_body_bytes", c.MaxBodyBytes}, {"max_bulk_bytes", c.MaxBulkBytes}, {"max_answers", int64(c.MaxAnswers)},
		{"body_timeout", int64(c.BodyTimeout)},
		{"retry_after", int64(c.RetryAfter)}, {"idempotency_ttl", int64(c.IdempotencyTTL)},
		{"slow_request", int64(c.SlowRequest)}, {"read_header_timeout", int64(c.ReadHeaderTimeout)}, {"read_timeout", int64(c.ReadTimeout)},
		{"write_timeout", int64(c.WriteTimeout)}, {"idle_timeout", int64(c.IdleTimeout)},
		{"shutdown_timeout", int64(c.ShutdownTimeout)},
	} {
		if f.value <= 0 {
			return fmt.Errorf("http: %s is %d; use a positive value", f.name, f.value)
		}
	}
	return nil
}

func (c Config) validateAddr() error {
	host, _, err := net.SplitHostPort(c.Addr)
	if err != nil {
		return fmt.Errorf("http: addr %q: write HOST:PORT, for example 127.0.0.1:8080", c.Addr)
	}
	if len(c.Keys) == 0 && !c.Insecure && !isLoopback(host) {
		return fmt.Errorf("http: addr %q can be reached from other machines and there are no API keys; "+
			"configure keys, listen on 127.0.0.1, or say --insecure", c.Addr)
	}
	return nil
}

// isLoopback reports whether only this machine can reach the host.
func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func (k Key) validate() error {
	if k.Name == "" {
		return errors.New("name is empty; a key is known by its name in logs and events")
	}
	if (k.Secret == "") == (k.SHA256 == "") {
		return fmt.Errorf("%q: set either secret or sha256", k.Name)
	}
	if k.Secret != "" && len(k.Secret) < 8 {
		return fmt.Errorf("%q: secret is shorter than 8 bytes", k.Name)
	}
	if _, err := k.digest(); err != nil {
		return err
	}
	if len(k.Scopes) == 0 {
		return fmt.Errorf("%q: scopes is empty; use ingest, recommend, read or admin", k.Name)
	}
	for _, s := range k.Scopes {
		if !slices.Contains(scopes, s) {
			return fmt.Errorf("%q: unknown scope %q; use ingest, recommend, read or admin", k.Name, s)
		}
	}
	return nil
}

// digest is the SHA-256 that a presented secret must have.
func (k Key) digest() ([sha256.Size]byte, error) {
	if k.Secret != "" {
		return sha256.Sum256([]byte(k.Secret)), nil
	}
	var d [sha256.Size]byte
	b, err := hex.DecodeString(k.SHA256)
	if err != nil || len(b) != len(d) {
		return d, fmt.Errorf("%q: sha256 is not 64 hex digits", k.Name)
	}
	copy(d[:], b)
	return d, nil
}
