package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"kindred/data"
	"kindred/serving/changes"
	"kindred/serving/ingest/poll"
)

// message is one request's changes, in order, of as many people as there are.
type message struct {
	key  string
	body []byte
	at   []time.Time // of the changes
}

// Body is what a webhook is sent.
type Body struct {
	Webhook string         `json:"webhook"`
	Changes []changes.View `json:"changes"`
}

// compose makes the message of some changes. One change is known by its own id; several by the
// first's and the last's, and each by its own inside.
func (t *target) compose(ctx context.Context, list []data.Change) (*message, error) {
	m := &message{key: changes.ID(&list[0])}
	if n := len(list); n > 1 {
		m.key += "-" + changes.ID(&list[n-1]) + "-" + strconv.Itoa(n)
	}
	b := Body{Webhook: t.cfg.Name, Changes: make([]changes.View, len(list))}
	for i := range list {
		v := changes.ViewOf(&list[i])
		if t.deps.Who != nil {
			var err error
			if v.Users, v.Anonymous, err = t.deps.Who(ctx, v.Profile); err != nil && !errors.Is(err, data.ErrNotFound) {
				return nil, fmt.Errorf("identifiers of %s: %w", v.Profile, err)
			}
		}
		b.Changes[i] = v
		m.at = append(m.at, v.At)
	}
	var err error
	m.body, err = json.Marshal(b)
	return m, err
}

// refusal is an answer that is no success.
type refusal struct {
	status int
	after  time.Duration // that it asks to wait
}

func (r *refusal) Error() string {
	return fmt.Sprintf("the answer is %d %s", r.status, http.StatusText(r.status))
}

// final reports whether the same request would be refused again: it is the message that the
// other side does not want.
func final(err error) bool {
	var r *refusal
	if !errors.As(err, &r) {
		return false
	}
	switch r.status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// client connects where the guard allows and follows no redirect.
func client(w Webhook) *http.Client {
	c := poll.Client(w.guard())
	if transport, ok := c.Transport.(*http.Transport); ok {
		transport.MaxIdleConns, transport.MaxIdleConnsPerHost = w.Parallel, w.Parallel
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// maxAnswer is how much of an answer is read, so that its connection can be used again.
const maxAnswer = 16 << 10

// post sends a message once. Errors do not have the address, whose query may be secret.
func (t *target) post(ctx context.Context, m *message) error {
	ctx, cancel := context.WithTimeout(ctx, t.cfg.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, t.cfg.URL, bytes.NewReader(m.body))
	if err != nil {
		return errors.New("the address cannot be read")
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "kindred-webhook")
	r.Header.Set("Idempotency-Key", m.key)
	r.Header.Set(SignatureHeader, Sign(t.deps.Now(), m.body, t.secrets...))
	answer, err := t.client.Do(r)
	if err != nil {
		var where *url.Error
		if errors.As(err, &where) {
			err = where.Err
		}
		return err
	}
	defer answer.Body.Close()
	io.CopyN(io.Discard, answer.Body, maxAnswer)
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return &refusal{answer.StatusCode, retryAfter(answer.Header.Get("Retry-After"), t.deps.Now())}
	}
	return nil
}

// retryAfter is how long an answer asks to wait: seconds, or until a time.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil {
		return max(0, min(time.Duration(seconds), 1<<31)*time.Second)
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return max(0, at.Sub(now))
}
