package features

import (
	"context"
	"fmt"

	"kindred/data"
)

// Dedup reads the message ids that profiles remember.
type Dedup interface {
	LoadDedup(ctx context.Context, partition int32, keys []data.DedupKey) (map[data.DedupKey][]uint64, error)
}

// AlreadyApplied reports, for each event, whether the fold has applied it to its profile
// already, so that an import need not append what would only be dropped. It says
// nothing about records that are in the log and not folded yet. Events must be
// routed. The error is the store's, wrapped.
func AlreadyApplied(ctx context.Context, ids Dedup, partitions int32, events []data.Event) ([]bool, error) {
	byPartition := map[int32][]data.DedupKey{}
	for i := range events {
		e := &events[i]
		p := data.PartitionOf(string(e.Profile), partitions)
		byPartition[p] = append(byPartition[p], dedupKeys(e)...)
	}
	found := map[data.DedupKey][]uint64{}
	for p, keys := range byPartition {
		sets, err := ids.LoadDedup(ctx, p, keys)
		if err != nil {
			return nil, fmt.Errorf("look up message ids of partition %d: %w", p, err)
		}
		for k, set := range sets {
			found[k] = set
		}
	}
	applied := make([]bool, len(events))
	for i := range events {
		e := &events[i]
		for _, k := range dedupKeys(e) {
			applied[i] = applied[i] || hasID(found[k], messageHash(e.Source, e.ID))
		}
	}
	return applied, nil
}
