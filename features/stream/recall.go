package stream

import (
	"context"
	"maps"
	"slices"
	"strings"

	"kindred/data"
)

// recall is the stored state as its owner knows it: the message ids of the people who
// act, and who has none, without asking the store again for every batch. A retry is
// rare and a lookup that finds nothing is the dearest that a store has, so most of
// what the fold asks for is answered here.
//
// It says what the store says because nobody else can save: a save that found another
// cursor fails, and after any failure the owner forgets everything (forgetAll). What
// was saved is taken over after the save (saved). Days that are over may stay; the
// fold does not look at them.
//
// It holds about 3*limit bytes at most, a third of them for people without a row: a generation is filled, then becomes the old one,
// whose entries move over when they are asked for, and is dropped when the next is
// full. It is not safe for concurrent use.
type recall struct {
	State
	limit int // bytes of a generation; 0 remembers nothing

	young, old map[data.DedupKey][]uint64 // empty: the store has none
	bytes      int                        // of young
	strangers  map[data.ProfileID]bool    // of whom the store has neither a profile nor ids
}

// recallOverhead is about what an entry takes beside its ids: the key, the map's
// slot and the id of the profile; a stranger takes as much.
const recallOverhead = 160

// LoadProfiles asks the store. A person whom it does not have has no message ids
// there either: the fold saves no ids without the profile, and deletes none.
func (r *recall) LoadProfiles(ctx context.Context, partition int32, ids []data.ProfileID) (map[data.ProfileID][]byte, error) {
	found, err := r.State.LoadProfiles(ctx, partition, ids)
	if err != nil || r.limit == 0 {
		return found, err
	}
	for _, id := range ids {
		if _, ok := found[id]; ok {
			continue
		}
		if len(r.strangers) >= r.limit/recallOverhead {
			clear(r.strangers)
		}
		if r.strangers == nil {
			r.strangers = map[data.ProfileID]bool{}
		}
		r.strangers[data.ProfileID(strings.Clone(string(id)))] = true
	}
	return found, nil
}

// LoadDedup asks the store for what is not known. The ids are good until the next save.
func (r *recall) LoadDedup(ctx context.Context, partition int32, keys []data.DedupKey) (map[data.DedupKey][]uint64, error) {
	found := make(map[data.DedupKey][]uint64, len(keys))
	var unknown []data.DedupKey
	for _, k := range keys {
		if ids, known := r.find(k); known {
			if len(ids) > 0 {
				found[k] = ids
			}
		} else if !r.strangers[k.Profile] {
			unknown = append(unknown, k)
		}
	}
	if len(unknown) == 0 {
		return found, nil
	}
	stored, err := r.State.LoadDedup(ctx, partition, unknown)
	if err != nil {
		return nil, err
	}
	for _, k := range unknown {
		r.put(k, stored[k])
	}
	maps.Copy(found, stored)
	return found, nil
}

// saved takes over what a save has written.
func (r *recall) saved(c *data.Commit) {
	for id := range c.Profiles {
		delete(r.strangers, id)
	}
	for k, ids := range c.Dedup {
		delete(r.strangers, k.Profile)
		r.put(k, ids)
	}
}

// forgetAll starts over from what is stored.
func (r *recall) forgetAll() { r.young, r.old, r.bytes, r.strangers = nil, nil, 0, nil }

func (r *recall) find(k data.DedupKey) (ids []uint64, known bool) {
	if ids, known = r.young[k]; known {
		return ids, true
	}
	if ids, known = r.old[k]; known {
		r.put(k, ids)
	}
	return ids, known
}

// put keeps a copy of the ids that the store has under k.
func (r *recall) put(k data.DedupKey, ids []uint64) {
	if r.limit == 0 {
		return
	}
	had, known := r.young[k]
	if !known {
		k.Profile = data.ProfileID(strings.Clone(string(k.Profile))) // it may be part of something large
		r.bytes += recallOverhead
	}
	r.bytes += 8 * (len(ids) - len(had))
	if r.young == nil {
		r.young = map[data.DedupKey][]uint64{}
	}
	r.young[k] = slices.Clone(ids)
	delete(r.old, k)
	if r.bytes > r.limit {
		r.old, r.young, r.bytes = r.young, nil, 0
	}
}
