package clean

import (
	"context"
	"errors"
	"fmt"

	"kindred/serving/ingest/reload"
)

// files is all that comes from files, and what was made of it; immutable but for its caches.
type files struct {
	rules     *rules
	list      *agentList
	agents    *agentCache
	networks  networks
	geography *geography
	stamps    [4]reload.Stamp // of rules, user agents, networks, geography
}

// The bounds of the files, in bytes; the geography of all cities has some 130 MB.
const (
	maxListBytes = 64 << 20
	maxMMDBBytes = 1 << 30
)

// Refresh reads the files again that have changed and reports whether any has. With an
// error the former contents of the file at fault stay in force, and those of the others are taken.
func (c *Cleaner) Refresh() (changed bool, err error) {
	next, changed, err := c.read(c.now.Load())
	if changed {
		c.now.Store(next)
	}
	return changed, err
}

// Run refreshes until ctx is done, and tells report what became of it where something did.
func (c *Cleaner) Run(ctx context.Context, report func(changed bool, err error)) error {
	return reload.Every(ctx, c.cfg.Refresh, c.Refresh, report)
}

// read makes the next set of files out of the former, which is nil the first time.
func (c *Cleaner) read(former *files) (*files, bool, error) {
	next := &files{}
	if former != nil {
		*next = *former
	}
	changed := false
	var all []error
	for i, f := range [...]struct {
		name, path string
		most       int64
		take       func(b []byte) error
	}{
		{"rules", c.cfg.Rules, maxRulesBytes, func(b []byte) (err error) { return set(&next.rules, b, parseRules) }},
		{"bot.user_agents", c.cfg.Bot.UserAgents, maxListBytes, func(b []byte) error {
			if err := set(&next.list, b, newAgentList); err != nil {
				return err
			}
			next.agents = newAgentCache(c.cfg.DeviceCache) // what they mean has changed
			return nil
		}},
		{"bot.networks", c.cfg.Bot.Networks, maxListBytes, func(b []byte) error { return set(&next.networks, b, parseNetworks) }},
		{"geo", c.cfg.Geo, maxMMDBBytes, func(b []byte) error { return set(&next.geography, b, newGeography) }},
	} {
		if f.path == "" {
			if former == nil && f.name == "bot.user_agents" {
				if err := f.take(nil); err != nil {
					return nil, false, fmt.Errorf("clean: %w", err)
				}
			}
			continue
		}
		b, at, err := reload.IfChanged(f.path, f.most, next.stamps[i])
		if err == nil && b == nil {
			continue
		}
		if err == nil {
			err = f.take(b)
		}
		if err != nil {
			all = append(all, fmt.Errorf("clean: %s: %s: %w", f.name, f.path, err))
			continue
		}
		next.stamps[i], changed = at, true
	}
	return next, changed, errors.Join(all...)
}

// set puts what parse makes of b into place, unless it fails.
func set[T any](place *T, b []byte, parse func([]byte) (T, error)) error {
	v, err := parse(b)
	if err == nil {
		*place = v
	}
	return err
}
