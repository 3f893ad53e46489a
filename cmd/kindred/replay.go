package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"kindred/data/embedded"
	"kindred/data/lake"
	"kindred/features/stream"
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

// replay rebuilds the state in place.
func (g *globals) replay(ctx context.Context) (err error) {
	c, err := g.load()
	if err != nil {
		return err
	}
	if err := mustExist(c.Data); err != nil {
		return err
	}
	store, err := embedded.Open(c.Data, embedded.Options{Space: c.Space, Partitions: c.Partitions, Logger: g.logger(c), DropAhead: true})
	if err != nil {
		return storeError(c, err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	l, err := lake.Open(lakeDir(c), c.Space)
	if err != nil {
		return err
	}
	snapshot, err := l.Snapshot(ctx)
	if err != nil {
		return err
	}
	p := newProgress(g.err)
	defer p.close()
	err = stream.Replay(ctx, stream.ReplayOptions{
		Log: store, History: snapshot, Target: store, Partitions: store.Partitions(),
		Features: c.Features, Clusterers: newClusterShelf(l).find,
		Progress: func(partition int32, folded, end int64) { p.at(fmt.Sprintf("partition %d", partition), folded, end) },
	})
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	fmt.Fprintf(g.out, "rebuilt %d partitions from the log\n", store.Partitions())
	return nil
}

// verifyReplay folds the log into a place beside the store and compares.
func (g *globals) verifyReplay(ctx context.Context) (err error) {
	c, err := g.load()
	if err != nil {
		return err
	}
	if err := mustExist(c.Data); err != nil {
		return err
	}
	store, err := embedded.Open(c.Data, embedded.Options{Space: c.Space, Partitions: c.Partitions, Logger: g.logger(c)})
	if err != nil {
		return storeError(c, err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	l, err := lake.Open(lakeDir(c), c.Space)
	if err != nil {
		return err
	}
	snapshot, err := l.Snapshot(ctx)
	if err != nil {
		return err
	}
	beside, err := os.MkdirTemp(c.Data, "verify-*")
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(beside)) }()
	target, err := embedded.Open(beside, embedded.Options{Space: c.Space, Partitions: store.Partitions(), StateOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()

	p := newProgress(g.err)
	defer p.close()
	cursors := make([]int64, store.Partitions())
	for i := range cursors {
		if cursors[i], _, err = store.Load(ctx, int32(i)); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
	}
	err = stream.Replay(ctx, stream.ReplayOptions{
		Log: store, History: snapshot, Target: target, Partitions: store.Partitions(),
		Features: c.Features, Clusterers: newClusterShelf(l).find,
		Until:    func(partition int32) int64 { return cursors[partition] },
		Progress: func(partition int32, folded, end int64) { p.at(fmt.Sprintf("partition %d", partition), folded, end) },
	})
	if err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	p.close()
	return g.compare(ctx, store, target)
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
