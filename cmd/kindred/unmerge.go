package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"kindred/data"
	"kindred/data/event"
	"kindred/features"
)

// rebuildPoll is how often profiles that await their share of the time before an
// unmerge are looked for.
const rebuildPoll = time.Second

// rebuild makes, until ctx ends, what profiles await after an unmerge. What is pending
// is in the identity index, written by the fold, so a start finds what a kill left;
// and a share that is brought twice counts once.
func (n *node) rebuild(ctx context.Context) error {
	tick := time.NewTicker(rebuildPoll)
	defer tick.Stop()
	builder := features.NewBuilder(n.cfg.Features)
	for {
		if err := n.rebuildPending(ctx, builder); err != nil && ctx.Err() == nil {
			n.log.Warn("rebuild after an unmerge; tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// rebuildPending brings what is pending now.
func (n *node) rebuildPending(ctx context.Context, b *features.Builder) error {
	var errs []error // one that cannot be rebuilt does not keep the others waiting
	for after := ""; ctx.Err() == nil; {
		pending, err := n.store.ScanIndex(ctx, features.RebuildKind, after, 1)
		if err != nil || len(pending) == 0 {
			return errors.Join(append(errs, err)...)
		}
		after = pending[0].ID
		if err := n.rebuildOne(ctx, b, pending[0]); err != nil {
			errs = append(errs, fmt.Errorf("unmerge %s: %w", pending[0].ID, err))
		}
	}
	return errors.Join(errs...)
}

// rebuildOne brings the share that one profile awaits, and waits until it is folded.
func (n *node) rebuildOne(ctx context.Context, b *features.Builder, pending data.IndexEntry) error {
	id := strings.TrimSuffix(pending.ID, "/"+string(pending.Profile))
	at, _ := features.ParsePosition(id)
	var record data.Event
	version := "" // of the segment rules that were live there
	err := n.records(ctx, at.Partition, at.Offset+1, func(r data.Record) error {
		if r.Offset == at.Offset {
			record, _ = event.Open(r.Value)
		} else if bytes.Contains(r.Value, []byte(`"`+data.SysMarker+`"`)) {
			if e, err := event.Open(r.Value); err == nil && e.Type == data.System && e.Name == data.SysMarker && e.Marker != nil && e.Marker.Rules != "" {
				version = e.Marker.Rules
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	u, err := features.ParseUnmerging(id, record)
	if err != nil {
		return err
	}
	if version != "" {
		if u.Rules, err = n.rules.Find(ctx, version); err != nil && !errors.Is(err, data.ErrNotFound) {
			return err
		}
	}
	family, err := u.Family(func(id data.ProfileID) (p data.Profile, err error) {
		b, err := n.store.Profile(ctx, id)
		if errors.Is(err, data.ErrNotFound) {
			return p, nil
		}
		if err == nil {
			err = p.UnmarshalBinary(b)
		}
		return p, err
	})
	if err != nil {
		return err
	}
	entries, err := n.entries(ctx, family)
	if err != nil {
		return err
	}
	now := time.Now().UTC().Truncate(time.Millisecond)
	person, other, err := b.Rebuild(ctx, u, now, func(id data.ProfileID) []features.Entry { return entries[id] })
	if err != nil {
		return err
	}
	share := person
	if pending.Profile == u.Other {
		share = other
	}
	share.Space, share.Env = n.cfg.Space, n.cfg.Env
	recs := []data.Record{{Partition: data.PartitionOf(string(share.Profile), n.store.Partitions()), Value: event.Seal(share)}}
	if err := n.store.Append(ctx, recs); err != nil {
		return err
	}
	return n.worker.WaitFolded(ctx, recs[0].Partition, recs[0].Offset)
}

// entries are the records of the profiles, read in one pass over each of their partitions.
func (n *node) entries(ctx context.Context, family []data.ProfileID) (map[data.ProfileID][]features.Entry, error) {
	out, partitions := map[data.ProfileID][]features.Entry{}, map[int32][]data.ProfileID{}
	for _, id := range family {
		out[id] = nil
		p := data.PartitionOf(string(id), n.store.Partitions())
		partitions[p] = append(partitions[p], id)
	}
	for p, ids := range partitions {
		skipped := map[int64]bool{}
		err := n.records(ctx, p, n.store.End(p), func(r data.Record) error {
			if !about(r.Value, ids) {
				return nil
			}
			e, err := event.Open(r.Value)
			if err != nil {
				return nil // the fold skipped it, too
			}
			if e.Type == data.System && e.Name == data.SysSkip && e.Skip != nil {
				skipped[*e.Skip] = true
			}
			if _, ours := out[e.Profile]; ours {
				out[e.Profile] = append(out[e.Profile], features.Entry{Partition: p, Offset: r.Offset, Event: e})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			kept := out[id][:0]
			for _, r := range out[id] {
				if !skipped[r.Offset] {
					kept = append(kept, r)
				}
			}
			out[id] = kept
		}
	}
	return out, nil
}

// about reports whether the record may name one of the profiles, or be a skip: most are
// neither, and need not be decoded.
func about(value []byte, ids []data.ProfileID) bool {
	for _, id := range ids {
		if bytes.Contains(value, []byte(id)) {
			return true
		}
	}
	return bytes.Contains(value, []byte(`"`+data.SysSkip+`"`))
}

// records calls fn with the partition's records before end, oldest first, from lake and log.
func (n *node) records(ctx context.Context, partition int32, end int64, fn func(data.Record) error) error {
	start := n.store.Start(partition)
	if start > 0 {
		snapshot, err := n.lake.Snapshot(ctx)
		if err != nil {
			return err
		}
		err = snapshot.Events(ctx, partition, func(r data.Record, _ data.Event) error {
			if r.Offset >= min(start, end) {
				return nil
			}
			return fn(r)
		})
		if err != nil {
			return fmt.Errorf("read the lake: %w", err)
		}
	}
	for next := start; next < end; {
		recs, err := n.store.Read(ctx, partition, next, 1000)
		if err != nil {
			return fmt.Errorf("read the log: %w", err)
		}
		if len(recs) == 0 {
			return fmt.Errorf("the log of partition %d ends at offset %d, before %d", partition, next, end)
		}
		for _, r := range recs {
			if r.Offset < end {
				if err := fn(r); err != nil {
					return err
				}
			}
			next = r.Offset + 1
		}
	}
	return nil
}
