package live

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"kindred/data"
	"kindred/model/artifact"
)

// load reads, joins and probes a model, and swaps it in. A panic in any of its parts
// is an error: nothing has been swapped by then.
func (l *Live) load(ctx context.Context, m data.Model) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("its parts panicked: %v", r)
			l.deps.Logger.Error("a model panicked while it was loaded", "model", m.Version, "panic", r, "stack", string(debug.Stack()))
		}
	}()
	b, err := l.deps.Artifacts.Artifact(ctx, m.Version)
	if err != nil {
		return fmt.Errorf("read its artifact: %w", err)
	}
	if sum := artifact.Checksum(b); m.Checksum != "" && sum != m.Checksum {
		return fmt.Errorf("its artifact has checksum %s, the catalog says %s", sum, m.Checksum)
	}
	parts, err := l.deps.Decode(b)
	if err != nil {
		return err
	}
	l.building.Lock()
	defer l.building.Unlock()
	c, err := l.since(ctx, 0)
	if err != nil {
		return err
	}
	s, err := build(m.Version, parts, c, l.deps.Now())
	if err != nil {
		return err
	}
	if err := s.probe(l.probes(s)); err != nil {
		return err
	}
	l.swap(s)
	l.deps.Logger.Info("model serves", "model", s.Version, "items", s.Rows(), "components", s.Components())
	return nil
}

// fallBack loads the former model where none serves: after a restart with a broken
// current one. Where there is no former one nothing changes.
func (l *Live) fallBack(ctx context.Context) error {
	if l.Load().Version != NoModel {
		return nil
	}
	m, err := l.former(ctx)
	if errors.Is(err, data.ErrNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("look for the former model: %w", err)
	}
	if err := l.load(ctx, m); err != nil {
		return fmt.Errorf("load the former model %s: %w", m.Version, err)
	}
	return nil
}

// former is what a rollback would return to, or data.ErrNotFound.
func (l *Live) former(ctx context.Context) (data.Model, error) {
	const page = 100
	for after := ""; ; {
		models, err := l.deps.Models.Models(ctx, after, page)
		if err != nil {
			return data.Model{}, err
		}
		for _, m := range models {
			if m.Status == data.ModelPrevious {
				return m, nil
			}
		}
		if len(models) < page {
			return data.Model{}, data.ErrNotFound
		}
		after = models[len(models)-1].Version
	}
}

func (l *Live) since(ctx context.Context, version int64) (changes, error) {
	upserts, deleted, now, err := l.deps.Items.ItemsSince(ctx, version)
	if err != nil {
		return changes{}, fmt.Errorf("read the items since version %d: %w", version, err)
	}
	return changes{upserts, deleted, now}, nil
}
