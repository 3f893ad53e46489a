package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"kindred/cmd/internal/config"
	"kindred/data"
	"kindred/serving/ingest"
	"kindred/serving/ingest/door"
	"kindred/serving/ingest/poll"
	"kindred/serving/ingest/secret"
	"kindred/training/schedule"
)

const (
	// connectorLease is how long a connector's lease lives without being renewed: how long
	// another process waits for one that was killed.
	connectorLease = 15 * time.Second
	// doorTimeout bounds fetching an issuer's keys or a schema, which a request waits for.
	doorTimeout = 5 * time.Second
)

// connectors are the http_poll connectors of a server. Of several processes on the same stores
// one runs each of them: who holds its lease.
type connectors struct {
	server  *server
	pollers []*poll.Poller // by the configuration's order
	places  []*places
	names   []string
}

// newConnectors makes the connectors of the configuration. The error names a secret that is not there.
func newConnectors(s *server) (*connectors, error) {
	c := &connectors{server: s}
	for _, cfg := range s.cfg.Connectors {
		// What is close to too old might be so when it is folded.
		cfg.MaxEventAge = min(cfg.MaxEventAge, s.cfg.Features.MaxEventAge/7*6)
		at := &places{catalog: s.catalog}
		p, err := poll.New(cfg, poll.Deps{
			Accept: s.takePolled, Store: at, Secrets: secret.System(), Now: time.Now, Jitter: rand.Float64, Logger: s.log,
		})
		if err != nil {
			return nil, err
		}
		c.pollers, c.places, c.names = append(c.pollers, p), append(c.places, at), append(c.names, cfg.Name)
	}
	return c, nil
}

// takePolled makes the calls of a connector durable.
func (s *server) takePolled(ctx context.Context, source string, calls []json.RawMessage) (int, error) {
	result, err := s.in.Accept(ctx, ingest.Body{Calls: calls}, ingest.Caller{Source: source})
	return len(result.Rejected), err
}

// Status is what each connector did.
func (c *connectors) Status() []poll.Status {
	out := make([]poll.Status, len(c.pollers))
	for i, p := range c.pollers {
		out[i] = p.Status()
	}
	return out
}

// Run runs every connector that no other process runs, until ctx ends.
func (c *connectors) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for i := range c.pollers {
		all.Go(func() { c.lead(ctx, i) })
	}
	<-ctx.Done()
	all.Wait()
	return nil
}

// lead runs a connector whenever its lease can be had.
func (c *connectors) lead(ctx context.Context, i int) {
	log := c.server.log.With("connector", c.names[i])
	for waiting := false; ctx.Err() == nil; {
		ran, err := schedule.WithLeaseOf(ctx, c.server.catalog, "poll/"+c.names[i], c.server.owner, connectorLease, func(ctx context.Context, l data.Lease) error {
			c.places[i].hold(l)
			return c.pollers[i].Run(ctx)
		})
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			log.Warn("connector's lease", "error", err)
		case !ran && !waiting:
			log.Info("another process runs the connector")
		}
		waiting = !ran && err == nil
		select {
		case <-ctx.Done():
		case <-time.After(connectorLease / 5):
		}
	}
}

// places keeps a connector's place in the catalog, under the lease that is held.
type places struct {
	catalog interface {
		LoadCursor(ctx context.Context, name string) ([]byte, error)
		SaveCursor(ctx context.Context, name string, state []byte, lease data.Lease) error
	}
	mu    sync.Mutex
	lease data.Lease
}

func (p *places) hold(l data.Lease) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lease = l
}

// LoadCursor is what was saved last, nil for nothing.
func (p *places) LoadCursor(ctx context.Context, connector string) ([]byte, error) {
	return p.catalog.LoadCursor(ctx, connector)
}

// SaveCursor makes the place durable; data.ErrStale if another process runs the connector now.
func (p *places) SaveCursor(ctx context.Context, connector string, state []byte) error {
	p.mu.Lock()
	l := p.lease
	p.mu.Unlock()
	return p.catalog.SaveCursor(ctx, connector, state, l)
}

// openDoors sets up the doors of the configuration.
func openDoors(c config.Config) (*door.Doors, error) {
	return door.Open(c.Doors, secret.System(), getter(&http.Client{
		Timeout:       doorTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("redirects are not followed") },
	}))
}

// getter fetches with a client.
func getter(client *http.Client) door.Get {
	return func(ctx context.Context, address, authorization string, most int64) ([]byte, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		if authorization != "" {
			r.Header.Set("Authorization", authorization)
		}
		answer, err := client.Do(r)
		if err != nil {
			return nil, err
		}
		defer answer.Body.Close()
		switch {
		case answer.StatusCode == http.StatusNotFound:
			return nil, door.ErrNoSchema
		case answer.StatusCode != http.StatusOK:
			return nil, fmt.Errorf("the answer is %s", answer.Status)
		}
		b, err := io.ReadAll(io.LimitReader(answer.Body, most+1))
		if err == nil && int64(len(b)) > most {
			err = fmt.Errorf("the answer has more than %d bytes", most)
		}
		return b, err
	}
}
