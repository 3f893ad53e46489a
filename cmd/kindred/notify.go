package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"kindred/data"
	"kindred/data/embedded"
	"kindred/features"
	"kindred/serving/changes"
	"kindred/serving/ingest/secret"
	"kindred/serving/members"
	"kindred/serving/notify"
	"kindred/training/schedule"
)

// notifyLease is the lease of who sends to the webhooks.
const notifyLease = "notify"

// outward is what tells others of changes.
type outward struct {
	feed     *changes.Feed
	members  *members.Members
	webhooks *notify.Dispatcher
	places   *places
}

// newOutward makes the parts. rules are those of each version, or nil for none. The error names a
// secret that is not there.
func newOutward(s *server, rules features.Rules) (*outward, error) {
	o := &outward{places: &places{catalog: s.catalog}}
	o.feed = changes.New(s.store, s.worker, s.store, s.store.Partitions(), s.cfg.Notify.Every)
	o.members = members.New(s.cfg.Members, members.Deps{
		Feed: o.feed, Checkpoints: embedded.OpenCheckpoints(s.cfg.Data, s.cfg.Space), Now: time.Now, Logger: s.log,
	})
	var err error
	o.webhooks, err = notify.New(s.cfg.Notify, notify.Deps{
		Feed: o.feed, Places: o.places, Dead: s.store, Secrets: secret.System(), Names: namesOf(rules), Who: s.identifiers,
		Now: time.Now, Jitter: rand.Float64, Logger: s.log,
	})
	return o, err
}

// run adds the parts to a stage.
func (o *outward) run(g *stage, s *server) {
	g.run("changes", o.feed.Run)
	g.run("members", o.members.Run)
	g.run("webhooks", func(ctx context.Context) error { return o.send(ctx, s) })
}

// send sends to the webhooks whenever no other process does.
func (o *outward) send(ctx context.Context, s *server) error {
	for ctx.Err() == nil {
		_, err := schedule.WithLeaseOf(ctx, s.catalog, notifyLease, s.owner, connectorLease, func(ctx context.Context, l data.Lease) error {
			o.places.hold(l)
			return o.webhooks.Run(ctx)
		})
		if err != nil && ctx.Err() == nil {
			s.log.Warn("webhooks are sent again soon", "error", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(connectorLease / 5):
		}
	}
	return nil
}

// namesOf is whom the rule of a segment names in a version of the rules; it keeps the newest version.
func namesOf(rules features.Rules) func(ctx context.Context, version, segment string) ([]string, error) {
	var mu sync.Mutex
	var kept string
	var names map[string][]string
	return func(ctx context.Context, version, segment string) ([]string, error) {
		if rules == nil {
			return nil, nil
		}
		mu.Lock()
		defer mu.Unlock()
		if names != nil && kept == version {
			return names[segment], nil
		}
		set, err := rules(ctx, version)
		if err != nil && !errors.Is(err, data.ErrNotFound) {
			return nil, err
		}
		kept, names = version, map[string][]string{}
		if err == nil && set != nil {
			for _, r := range set.Rules() {
				names[r.Segment] = r.Notify
			}
		}
		return names[segment], nil
	}
}

// maxIdentifiers bounds the identifiers of one person that are told.
const maxIdentifiers = 20

// identifiers are those of a person.
func (s *server) identifiers(ctx context.Context, id data.ProfileID) (users, anonymous []string, err error) {
	b, err := s.store.Profile(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	var p data.Profile
	if err := p.UnmarshalBinary(b); err != nil {
		return nil, nil, fmt.Errorf("profile %s: %w", id, err)
	}
	for _, i := range p.Identity {
		switch {
		case i.Kind == data.IDUser && len(users) < maxIdentifiers:
			users = append(users, i.ID)
		case i.Kind == data.IDAnonymous && len(anonymous) < maxIdentifiers:
			anonymous = append(anonymous, i.ID)
		}
	}
	return users, anonymous, nil
}
