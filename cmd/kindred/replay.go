package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"kindred/cmd/internal/config"
	"kindred/data/embedded"
	"kindred/data/lake"
	"kindred/features/stream"
	"kindred/serving/segments"
)

func newReplay(g *globals) *cobra.Command {
	var verify bool
	c := &cobra.Command{
		Use:   "replay [--verify]",
		Short: "Rebuild profiles from the log, or verify that they are what the log says",
		Long: "Replay drops profiles, timers, counters and changes and folds the log again from its first record; it can be stopped and\n" +
			"run again. With --verify nothing is changed: the log is folded into a place beside the store, and every partition is\n" +
			"compared byte for byte. Both need the log, so no server may be running on the directory.",
		Example: "  kindred replay --data kindred-data --verify\n  kindred replay --data kindred-data",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if verify {
				return g.verifyReplay(cmd.Context())
			}
			return g.replay(cmd.Context())
		},
	}
	c.Flags().BoolVar(&verify, "verify", false, "compare with what is stored instead of rebuilding it")
	return c
}

// records are a data directory's log and the lake behind it, opened for a replay.
type records struct {
	cfg      config.Config
	store    *embedded.Store
	catalog  *embedded.Catalog
	lake     *lake.Lake
	snapshot *lake.Snapshot
}

// openRecords opens the log of an existing data directory. dropAhead is as in
// embedded.Options: for a replay that rebuilds what a damaged log lost.
func (g *globals) openRecords(ctx context.Context, dropAhead bool) (_ *records, err error) {
	c, err := g.load()
	if err != nil {
		return nil, err
	}
	if err := mustExist(c.Data); err != nil {
		return nil, err
	}
	r := &records{cfg: c}
	if r.store, err = embedded.Open(c.Data, embedded.Options{Space: c.Space, Partitions: c.Partitions, Logger: g.logger(c), DropAhead: dropAhead}); err != nil {
		return nil, storeError(c, err)
	}
	if r.catalog, err = embedded.OpenCatalog(c.Data, c.Space); err == nil {
		if r.lake, err = lake.Open(lakeDir(c), c.Space); err == nil {
			r.snapshot, err = r.lake.Snapshot(ctx)
		}
	}
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// close closes what openRecords opened.
func (r *records) close() error {
	err := r.store.Close()
	if r.catalog != nil {
		err = errors.Join(err, r.catalog.Close())
	}
	return err
}

// into folds the records into target, each partition up to until.
func (r *records) into(ctx context.Context, target stream.Target, until func(int32) int64, p *progress) error {
	err := stream.Replay(ctx, stream.ReplayOptions{
		Log: r.store, History: r.snapshot, Target: target, Partitions: r.store.Partitions(),
		Features: r.cfg.Features, Clusterers: newClusterShelf(r.lake).find, Rules: segments.NewShelf(r.catalog, r.cfg.Features.MaxEventAge.Milliseconds()).Find, Until: until,
		Progress: func(partition int32, folded, end int64) { p.at(fmt.Sprintf("partition %d", partition), folded, end) },
	})
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	return nil
}

// replay rebuilds the state in place.
func (g *globals) replay(ctx context.Context) (err error) {
	r, err := g.openRecords(ctx, true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	p := newProgress(g.err)
	defer p.close()
	if err := r.into(ctx, r.store, nil, p); err != nil {
		return err
	}
	p.close()
	fmt.Fprintf(g.out, "rebuilt %d partitions from the log\n", r.store.Partitions())
	return nil
}

// verifyReplay folds the log into a place beside the store and compares.
func (g *globals) verifyReplay(ctx context.Context) (err error) {
	r, err := g.openRecords(ctx, false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	beside, err := os.MkdirTemp(r.cfg.Data, "verify-*")
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(beside)) }()
	target, err := embedded.Open(beside, embedded.Options{Space: r.cfg.Space, Partitions: r.store.Partitions(), StateOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()

	cursors := make([]int64, r.store.Partitions())
	for i := range cursors {
		if cursors[i], _, err = r.store.Load(ctx, int32(i)); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
	}
	p := newProgress(g.err)
	defer p.close()
	if err := r.into(ctx, target, func(partition int32) int64 { return cursors[partition] }, p); err != nil {
		return err
	}
	p.close()
	return g.compare(ctx, r.store, target)
}

// compare says whether both stores hold the same state, partition by partition.
func (g *globals) compare(ctx context.Context, stored, replayed *embedded.Store) error {
	var differ []int32
	for p := range stored.Partitions() {
		a, b := sha256.New(), sha256.New()
		if err := stored.DumpState(ctx, p, a); err != nil {
			return fmt.Errorf("read the stored state: %w", err)
		}
		if err := replayed.DumpState(ctx, p, b); err != nil {
			return fmt.Errorf("read the replayed state: %w", err)
		}
		same := bytes.Equal(a.Sum(nil), b.Sum(nil))
		if !same {
			differ = append(differ, p)
		}
		fmt.Fprintf(g.out, "partition %d: stored %x, replayed %x: %s\n", p, a.Sum(nil)[:8], b.Sum(nil)[:8], map[bool]string{true: "equal", false: "DIFFERENT"}[same])
	}
	if len(differ) > 0 {
		return fmt.Errorf("the stored state of partitions %v is not what the log says; `kindred replay` rebuilds it", differ)
	}
	return nil
}
