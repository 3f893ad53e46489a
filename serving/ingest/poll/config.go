package poll

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"kindred/serving/ingest/secret"
)

// Config is one connector.
type Config struct {
	// Name is the connector's name, and the source of its events; do not change it, since message ids are made of it.
	Name string `yaml:"name"`
	// URL is what is fetched. {cursor} and {page} in its query stand for the place in the list, see Cursor and Pages.
	URL string `yaml:"url"`
	// Interval is the time from the start of one run to the start of the next.
	Interval time.Duration `yaml:"interval"`
	// Timeout is how long one page may take.
	Timeout time.Duration `yaml:"timeout"`
	// Headers are sent with each request.
	Headers map[string]string `yaml:"headers"`
	// SecretHeaders are sent, too: the value is taken from the environment variable that is named; ${NAME} and ${file:/path} inside a text work as well, as in "Bearer ${CRM_TOKEN}".
	SecretHeaders map[string]string `yaml:"secret_headers"`

	// Records is the path of the list in the answer, such as data.items; "" is the answer itself.
	Records string `yaml:"records"`
	// Fields says what becomes of a record.
	Fields Fields `yaml:"fields"`

	// Pages says how a list goes on: none, link (a Link header, RFC 8288), body (at NextPath), or number ({page} is 1, 2, …, until a page is empty).
	Pages string `yaml:"pages"`
	// NextPath is the path of the next page in the answer, for pages: body. An address is fetched; anything else takes the place of {page}.
	NextPath string `yaml:"next_path"`
	// Cursor says what is remembered from one run to the next, and takes the place of {cursor}: none, updated (the greatest value of fields.updated), or body (at CursorPath).
	Cursor string `yaml:"cursor"`
	// CursorPath is the path of the cursor in the answer, for cursor: body.
	CursorPath string `yaml:"cursor_path"`
	// CursorStart takes the place of {cursor} in the first run.
	CursorStart string `yaml:"cursor_start"`

	// MaxBodyBytes bounds one page.
	MaxBodyBytes int64 `yaml:"max_body_bytes"`
	// MaxPages bounds one run; the next goes on from there.
	MaxPages int `yaml:"max_pages"`
	// MaxCalls is how many calls are handed over at once.
	MaxCalls int `yaml:"max_calls"`
	// BackoffMin is the first pause after a failure; it doubles with each.
	BackoffMin time.Duration `yaml:"backoff_min"`
	// BackoffMax is the longest pause after a failure, whatever Retry-After says.
	BackoffMax time.Duration `yaml:"backoff_max"`
	// Remember is how many records are remembered as sent, 16 bytes each.
	Remember int `yaml:"remember"`
	// MaxEventAge is the age up to which a record's time of change is the event's time; older ones are events of now, because events that are too old are not applied.
	MaxEventAge time.Duration `yaml:"max_event_age"`

	// AllowHTTP allows http to hosts that are not this machine.
	AllowHTTP bool `yaml:"allow_http"`
	// AllowPrivate are the networks (CIDR) outside the public internet that may be connected to.
	AllowPrivate []string `yaml:"allow_private"`
}

// Fields are paths inside a record, such as id or contact.emails[0].
type Fields struct {
	// ID is the record's own id; "" takes the user's.
	ID string `yaml:"id"`
	// User is the user id that events have.
	User string `yaml:"user"`
	// Updated is the time of the record's last change.
	Updated string `yaml:"updated"`
	// Traits maps names of traits to paths; none takes the record's fields as they are.
	Traits map[string]string `yaml:"traits"`
}

// Default is a connector without a name and an address.
func Default() Config {
	return Config{
		Interval: 15 * time.Minute, Timeout: 30 * time.Second, Pages: "none", Cursor: "none", Fields: Fields{User: "id"},
		MaxBodyBytes: 16 << 20, MaxPages: 1000, MaxCalls: 500, BackoffMin: 2 * time.Second, BackoffMax: 30 * time.Minute,
		Remember: 100_000, MaxEventAge: 6 * 24 * time.Hour,
	}
}

// UnmarshalYAML reads a connector over the defaults, so that a list of connectors
// says only what is particular to each.
func (c *Config) UnmarshalYAML(read func(any) error) error {
	type plain Config // without this method
	over := plain(Default())
	if err := read(&over); err != nil {
		return err
	}
	*c = Config(over)
	return nil
}

var goodName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// Validate reports the first field that makes no sense, and what would.
func (c Config) Validate() error {
	if !goodName.MatchString(c.Name) {
		return fmt.Errorf("poll: name is %q; use up to 64 small letters, digits, - and _", c.Name)
	}
	if err := c.validate(); err != nil {
		return fmt.Errorf("poll: %s: %w", c.Name, err)
	}
	return nil
}

func (c Config) validate() error {
	if before, _, ok := strings.Cut(c.URL, "{"); ok && !strings.Contains(before, "?") {
		return fmt.Errorf("url is %q; use {cursor} and {page} in the query", c.URL)
	}
	u, err := url.Parse(c.expand(c.CursorStart, "1"))
	if err == nil {
		err = c.checkURL(u)
	}
	if err != nil {
		return fmt.Errorf("url is %q: %w", c.URL, err)
	}
	hasPage, hasCursor := strings.Contains(c.URL, "{page}"), strings.Contains(c.URL, "{cursor}")
	for _, p := range []struct{ name, path string }{{"records", c.Records}, {"fields.id", c.Fields.ID}, {"fields.user", c.Fields.User},
		{"fields.updated", c.Fields.Updated}, {"next_path", c.NextPath}, {"cursor_path", c.CursorPath}} {
		if _, err := parsePath(p.path); err != nil {
			return fmt.Errorf("%s is %q: %w", p.name, p.path, err)
		}
	}
	for name, path := range c.Fields.Traits {
		if p, err := parsePath(path); err != nil || len(p) == 0 {
			return fmt.Errorf("fields.traits.%s is %q; use a path such as address.city", name, path)
		}
	}
	switch {
	case !slices.Contains([]string{"none", "link", "body", "number"}, c.Pages):
		return fmt.Errorf("pages is %q; use none, link, body or number", c.Pages)
	case c.Pages == "body" && c.NextPath == "":
		return errors.New("next_path is empty; pages: body needs it")
	case c.Pages == "number" && !hasPage:
		return errors.New("url has no {page}; pages: number needs it")
	case hasPage && (c.Pages == "none" || c.Pages == "link"):
		return fmt.Errorf("url has {page}, and pages is %s; use body or number", c.Pages)
	case !slices.Contains([]string{"none", "updated", "body"}, c.Cursor):
		return fmt.Errorf("cursor is %q; use none, updated or body", c.Cursor)
	case c.Cursor == "updated" && c.Fields.Updated == "":
		return errors.New("fields.updated is empty; cursor: updated needs it")
	case c.Cursor == "body" && c.CursorPath == "":
		return errors.New("cursor_path is empty; cursor: body needs it")
	case hasCursor != (c.Cursor != "none"):
		return fmt.Errorf("cursor is %s; use {cursor} in url with updated or body, and none without it", c.Cursor)
	case c.Interval < time.Second:
		return fmt.Errorf("interval is %v; use 1s or more", c.Interval)
	case c.Timeout <= 0:
		return fmt.Errorf("timeout is %v; use a positive duration", c.Timeout)
	case c.MaxBodyBytes < 1:
		return fmt.Errorf("max_body_bytes is %d; use 1 or more", c.MaxBodyBytes)
	case c.MaxPages < 1:
		return fmt.Errorf("max_pages is %d; use 1 or more", c.MaxPages)
	case c.MaxCalls < 1:
		return fmt.Errorf("max_calls is %d; use 1 or more", c.MaxCalls)
	case c.BackoffMin <= 0 || c.BackoffMax < c.BackoffMin:
		return fmt.Errorf("backoff_min is %v and backoff_max %v; use positive ones in that order", c.BackoffMin, c.BackoffMax)
	case c.Remember < 0:
		return fmt.Errorf("remember is %d; use 0 or more", c.Remember)
	case c.MaxEventAge < 0:
		return fmt.Errorf("max_event_age is %v; use 0 or more", c.MaxEventAge)
	}
	for _, n := range c.AllowPrivate {
		if _, err := netip.ParsePrefix(n); err != nil {
			return fmt.Errorf("allow_private has %q; use a network such as 10.1.0.0/16", n)
		}
	}
	return nil
}

// expand is URL with the place in the list.
func (c Config) expand(cursor, page string) string {
	return strings.NewReplacer("{cursor}", url.QueryEscape(cursor), "{page}", url.QueryEscape(page)).Replace(c.URL)
}

// headers are the headers of a request, the secret ones from where they are. The
// error names the variable or file that is not there, never a value.
func (c Config) headers(from secret.Source) (http.Header, error) {
	h := http.Header{"Accept": {"application/json"}, "User-Agent": {"kindred-http_poll"}}
	for name, value := range c.Headers {
		h.Set(name, value)
	}
	for name, text := range c.SecretHeaders {
		if !secret.Named(text) {
			text = "${" + text + "}"
		}
		value, err := from.Expand(text)
		if err == nil && strings.Contains(value, "${") {
			err = errors.New("use the name of an environment variable, or a text with ${NAME} or ${file:/path}")
		}
		if err != nil {
			return nil, fmt.Errorf("poll: %s: secret_headers.%s: %w", c.Name, name, err)
		}
		h.Set(name, value)
	}
	return h, nil
}

// Masked is c without what may be secret: the values of headers, and of the address's query but
// for the place in the list. What only names a secret stays.
func (c Config) Masked() Config {
	mask := func(headers map[string]string, named bool) map[string]string {
		if headers == nil {
			return nil
		}
		out := make(map[string]string, len(headers))
		for name, value := range headers {
			if out[name] = hidden; named && (secret.Only(value) || variableName.MatchString(value)) {
				out[name] = value
			}
		}
		return out
	}
	c.Headers, c.SecretHeaders = mask(c.Headers, false), mask(c.SecretHeaders, true)
	if before, query, ok := strings.Cut(c.URL, "?"); ok {
		parts := strings.Split(query, "&")
		for i, part := range parts {
			if name, value, ok := strings.Cut(part, "="); ok && value != "{cursor}" && value != "{page}" {
				parts[i] = name + "=" + hidden
			}
		}
		c.URL = before + "?" + strings.Join(parts, "&")
	}
	return c
}

const hidden = "(hidden)"

// variableName is how variables of the environment are usually named; a secret seldom looks like it.
var variableName = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)
