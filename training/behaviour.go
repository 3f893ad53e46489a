package training

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"

	"kindred/data"
	"kindred/data/lake"
	"kindred/features"
	"kindred/model/cluster"
)

// commitEvery is after how many records a fold forgets what it changed, so that
// only profiles stay in memory.
const commitEvery = 10_000

// Behaviour folds a snapshot's events through the features that serve, and returns
// the behaviour vectors (features.Vector) of at most limit people at the snapshot's
// watermark, row-major. Which people is a function of their ids alone.
//
// Records that the stream had to skip are skipped. One partition's profiles are in
// memory at a time.
func Behaviour(ctx context.Context, snap *lake.Snapshot, cfg features.Config, limit int, progress Progress) ([]float64, error) {
	builder, now := features.NewBuilder(cfg), snap.Watermark().UnixMilli()
	total, done := int(snap.Rows(lake.Events)), 0
	var people []person
	for _, partition := range snap.Partitions() {
		skip, err := skipped(ctx, snap, partition)
		if err != nil {
			return nil, fmt.Errorf("fold partition %d: %w", partition, err)
		}
		m := features.NewMemory(partition, features.State{}, nil, nil)
		err = snap.Events(ctx, partition, func(r data.Record, e data.Event) error {
			if done++; done%commitEvery == 0 {
				progress("fold events", done, total)
				if _, err := m.Commit(r.Offset); err != nil {
					return err
				}
			}
			if e.Type == "" || skip[r.Offset] {
				return nil
			}
			_, err := builder.Fold(ctx, m, r.Offset, e)
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("fold partition %d: %w", partition, err)
		}
		m.Profiles(func(p data.Profile) {
			if p.Redirect == "" && !p.Deleted {
				people = append(people, person{lot(p.ID), p.ID, features.Vector(p, now)})
			}
		})
		people = keep(people, limit)
	}
	progress("fold events", total, total)
	dims := len(features.VectorNames())
	x := make([]float64, 0, len(people)*dims)
	for _, p := range people {
		x = append(x, p.vector...)
	}
	return x, nil
}

// groups clusters the vectors, with numbers that go on from the former clusters
// where they mean the same groups. It returns nil and a note when there are too few
// people, or all behave alike.
func groups(ctx context.Context, x []float64, cfg Config, former *cluster.Model, progress Progress) (*cluster.Model, *cluster.Choice, string, error) {
	names := features.VectorNames()
	people := len(x) / len(names)
	if people < cfg.Cluster.MinPeople {
		return nil, nil, fmt.Sprintf("no clusters: %d people, %d are wanted (cluster.min_people)", people, cfg.Cluster.MinPeople), nil
	}
	dims := make([]cluster.Dim, len(names))
	for i, name := range names {
		dims[i] = cluster.Dim{Name: name} // counts are logarithms already
	}
	c := cfg.Cluster.Config
	c.Seed = cfg.Seed
	if c.Workers == 0 {
		c.Workers = cfg.Workers
	}
	m, choice, err := cluster.Fit(ctx, x, dims, c, former, func(done, total int) { progress("cluster", done, total) })
	if errors.Is(err, cluster.ErrTooFewRows) {
		return nil, nil, "no clusters: " + err.Error(), nil
	}
	if err != nil {
		return nil, nil, "", fmt.Errorf("cluster: %w", err)
	}
	return m, choice, "", nil
}

// person is one row of the vectors, with the lot that chooses it.
type person struct {
	lot    uint64
	id     data.ProfileID
	vector []float64
}

// lot is a number drawn from the id.
func lot(id data.ProfileID) uint64 {
	h := fnv.New64a()
	h.Write([]byte(id))
	return h.Sum64()
}

// keep chooses the limit people with the smallest lots, in that order.
func keep(people []person, limit int) []person {
	slices.SortFunc(people, func(a, b person) int { return cmp.Or(cmp.Compare(a.lot, b.lot), cmp.Compare(a.id, b.id)) })
	return people[:min(limit, len(people))]
}

// skipped are the offsets that a later record of the partition says to skip.
func skipped(ctx context.Context, snap *lake.Snapshot, partition int32) (map[int64]bool, error) {
	out := map[int64]bool{}
	err := snap.Events(ctx, partition, func(_ data.Record, e data.Event) error {
		if e.Type == data.System && e.Name == data.SysSkip && e.Skip != nil {
			out[*e.Skip] = true
		}
		return nil
	})
	return out, err
}
