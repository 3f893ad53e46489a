package notify

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"kindred/serving/ingest/poll"
	"kindred/serving/ingest/secret"
)

// Config says who is told of changes.
type Config struct {
	// Every is how often what was accepted is folded and its changes sent, while there are webhooks or followers: shorter is faster news, longer is less work under load.
	Every time.Duration `yaml:"every"`
	// Webhooks are who is told (docs/notify.md): name, url, secret, segments, events, batch, ….
	Webhooks []Webhook `yaml:"webhooks"`
}

// Webhook is an address that changes are posted to.
type Webhook struct {
	// Name is the webhook's name, by which rules' notify: [webhook:NAME] means it; its place is kept under it.
	Name string `yaml:"name"`
	// URL is where changes are posted.
	URL string `yaml:"url"`
	// Secret signs what is sent; ${NAME} takes it from the environment, ${file:/path} from a file.
	Secret string `yaml:"secret"`
	// PreviousSecret signs, too, while receivers change over to a new secret.
	PreviousSecret string `yaml:"previous_secret"`
	// Segments are the segments whose changes are sent beside those of rules that name the webhook; "*" is all.
	Segments []string `yaml:"segments"`
	// Events are the types of changes that are sent.
	Events []string `yaml:"events"`
	// From is where a webhook begins that has no place yet: now, or start, with all changes that there were.
	From string `yaml:"from"`
	// Batch is how many changes one request may have.
	Batch int `yaml:"batch"`
	// Parallel is how many requests may be under way at once; changes of one person never are.
	Parallel int `yaml:"parallel"`
	// Timeout is how long one request may take.
	Timeout time.Duration `yaml:"timeout"`
	// Attempts is how often a request is tried before its changes become dead letters.
	Attempts int `yaml:"attempts"`
	// BackoffMin is the first pause after a failure; it doubles with each.
	BackoffMin time.Duration `yaml:"backoff_min"`
	// BackoffMax is the longest pause, whatever Retry-After says.
	BackoffMax time.Duration `yaml:"backoff_max"`
	// AllowHTTP allows http to hosts that are not this machine.
	AllowHTTP bool `yaml:"allow_http"`
	// AllowPrivate are the networks (CIDR) outside the public internet that may be connected to.
	AllowPrivate []string `yaml:"allow_private"`
}

// Default has no webhooks.
func Default() Config { return Config{Every: 50 * time.Millisecond} }

// DefaultWebhook has no name, address and secret.
func DefaultWebhook() Webhook {
	return Webhook{Events: []string{"segment_entered", "segment_exited"}, From: "now", Batch: 1, Parallel: 16,
		Timeout: 10 * time.Second, Attempts: 12, BackoffMin: time.Second, BackoffMax: 5 * time.Minute}
}

// UnmarshalYAML reads a webhook over the defaults.
func (w *Webhook) UnmarshalYAML(read func(any) error) error {
	type plain Webhook // without this method
	over := plain(DefaultWebhook())
	if err := read(&over); err != nil {
		return err
	}
	*w = Webhook(over)
	return nil
}

// types are the types of changes that there are.
var types = []string{"segment_entered", "segment_exited", "session_started", "session_ended", "cluster_changed", "merged", "unmerged", "switched", "deleted"}

// Types are the types of changes that there are.
func Types() []string { return slices.Clone(types) }

var goodName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)

// Validate reports the first field that makes no sense, and what would.
func (c Config) Validate() error {
	if c.Every < time.Millisecond || c.Every > 10*time.Second {
		return fmt.Errorf("notify: every is %v; use 1ms to 10s", c.Every)
	}
	names := map[string]bool{}
	for i, w := range c.Webhooks {
		if !goodName.MatchString(w.Name) {
			return fmt.Errorf("notify: webhooks[%d]: name is %q; use up to 64 small letters, digits, - and _", i, w.Name)
		}
		if err := w.validate(); err != nil {
			return fmt.Errorf("notify: %s: %w", w.Name, err)
		}
		if names[w.Name] {
			return fmt.Errorf("notify: webhooks[%d]: name %q is used twice; give each webhook its own", i, w.Name)
		}
		names[w.Name] = true
	}
	return nil
}

func (w Webhook) validate() error {
	// poll knows which addresses may be asked, and has a word for each that may not.
	if err := w.guard().Validate(); err != nil {
		return err
	}
	switch {
	case len(w.Secret) < 16 && !secret.Named(w.Secret):
		return errors.New("secret is shorter than 16 bytes; use a long one, or ${NAME}")
	case w.PreviousSecret != "" && len(w.PreviousSecret) < 16 && !secret.Named(w.PreviousSecret):
		return errors.New("previous_secret is shorter than 16 bytes; use a long one, or ${NAME}")
	case len(w.Events) == 0:
		return errors.New("events is empty; name at least one type of changes")
	case w.From != "now" && w.From != "start":
		return fmt.Errorf("from is %q; use now or start", w.From)
	case w.Batch < 1 || w.Batch > pageSize:
		return fmt.Errorf("batch is %d; use 1 to %d", w.Batch, pageSize)
	case w.Parallel < 1 || w.Parallel > 256:
		return fmt.Errorf("parallel is %d; use 1 to 256", w.Parallel)
	case w.Timeout <= 0 || w.Timeout > 5*time.Minute:
		return fmt.Errorf("timeout is %v; use up to 5m", w.Timeout)
	case w.Attempts < 1 || w.Attempts > 100:
		return fmt.Errorf("attempts is %d; use 1 to 100", w.Attempts)
	case w.BackoffMin <= 0 || w.BackoffMax < w.BackoffMin:
		return fmt.Errorf("backoff_min is %v and backoff_max %v; use positive ones in that order", w.BackoffMin, w.BackoffMax)
	}
	for _, e := range w.Events {
		if !slices.Contains(types, e) {
			return fmt.Errorf("events has %q; use %v", e, types)
		}
	}
	return nil
}

// guard is the configuration of poll's guard for the webhook's address.
func (w Webhook) guard() poll.Config {
	g := poll.Default()
	g.Name, g.URL, g.AllowHTTP, g.AllowPrivate = w.Name, w.URL, w.AllowHTTP, w.AllowPrivate
	return g
}

// Masked is c without secrets, and without the query of an address, which may be one.
func (c Config) Masked() Config {
	c.Webhooks = slices.Clone(c.Webhooks)
	for i := range c.Webhooks {
		w := &c.Webhooks[i]
		w.URL = w.guard().Masked().URL
		for _, s := range []*string{&w.Secret, &w.PreviousSecret} {
			if *s != "" && !secret.Only(*s) {
				*s = "(hidden)"
			}
		}
	}
	return c
}
