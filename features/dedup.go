package features

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"kindred/data"
)

const dayMillis = int64(24 * time.Hour / time.Millisecond)

// idSet is the set of message ids of one key: sorted hashes. A nil ids is empty.
type idSet struct {
	ids     []uint64
	changed bool
}

func (s *idSet) add(id uint64) {
	if i, found := slices.BinarySearch(s.ids, id); !found {
		s.ids, s.changed = slices.Insert(s.ids, i, id), true
	}
}

func (s *idSet) has(id uint64) bool {
	_, found := slices.BinarySearch(s.ids, id)
	return found
}

// messageHash is the 64-bit identity of a message: FNV-1a over source and id.
func messageHash(source, id string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(source))
	h.Write([]byte{0})
	h.Write([]byte(id))
	return h.Sum64()
}

// maxSkew is how far a client's clock may be off before its stamp says nothing
// about the day.
const maxSkew = 24 * time.Hour

// importBuckets is how many keys the imported ids of a profile are spread over, by
// their hash. They are kept for good and their days may change from one import to
// the next (shifted samples), so no day can find them again.
const importBuckets = 64

// dedupKeys are where the event's id may be: first the key it is kept under, then
// where an earlier delivery may have put it. A retry carries the same original
// time; without one the day before its arrival is looked at too. Where the client's
// clock is off by more than maxSkew the corrected time stands in: it is the same
// for a retry but for the network's jitter, so the days beside it are looked at too.
func dedupKeys(e data.Event) []data.DedupKey {
	if e.ID == "" || e.Type == data.System {
		return nil
	}
	key := func(day int32) data.DedupKey {
		return data.DedupKey{Profile: e.Profile, Day: day, Imported: e.Imported}
	}
	t := e.Times
	switch {
	case e.Imported:
		return []data.DedupKey{key(int32(messageHash(e.Source, e.ID) % importBuckets))}
	case t.Original.IsZero():
		day := dayOf(millis(t.Received))
		return []data.DedupKey{key(day), key(day - 1)}
	case t.Original.Sub(t.Event).Abs() <= maxSkew:
		return []data.DedupKey{key(dayOf(millis(t.Original)))}
	}
	day := dayOf(millis(t.Event))
	return []data.DedupKey{key(day), key(day - 1), key(day + 1)}
}

// dedupHorizon is the first day whose live ids are still needed at log time now:
// before it, no retry could be young enough. Days are forgotten by log time alone,
// so it does not matter in which batch the store gets to it.
func (b *Builder) dedupHorizon(now int64) int32 { return dayOf(now-b.maxAge) - 2 }

// forgotten reports whether the key is of a day that is over. Imported ids never are.
func (m *Memory) forgotten(k data.DedupKey) bool { return !k.Imported && k.Day < m.horizon }

func dayOf(ms int64) int32 {
	d := ms / dayMillis
	if ms%dayMillis < 0 {
		d--
	}
	return int32(d)
}

// ids returns the set of a key, loading it if need be.
func (m *Memory) ids(ctx context.Context, k data.DedupKey) (*idSet, error) {
	if _, ok := m.dedup[k]; !ok {
		if err := m.loadDedup(ctx, []data.DedupKey{k}); err != nil {
			return nil, err
		}
	}
	return m.dedup[k], nil
}

func (m *Memory) loadDedup(ctx context.Context, keys []data.DedupKey) error {
	var found map[data.DedupKey][]uint64
	if m.src != nil && len(keys) > 0 {
		var err error
		if found, err = m.src.LoadDedup(ctx, m.partition, keys); err != nil {
			return fmt.Errorf("load message ids of partition %d: %w", m.partition, err)
		}
	}
	for _, k := range keys {
		if m.dedup[k] == nil {
			m.dedup[k] = &idSet{ids: slices.Clone(found[k])}
		}
	}
	return nil
}

// duplicate reports whether the event was applied to its profile before.
func (f *fold) duplicate(e data.Event) (bool, error) {
	for _, k := range dedupKeys(e) {
		if f.m.forgotten(k) {
			continue
		}
		set, err := f.m.ids(f.ctx, k)
		if err != nil {
			return false, err
		}
		if set.has(messageHash(e.Source, e.ID)) {
			return true, nil
		}
	}
	return false, nil
}

// remember keeps the event's id.
func (f *fold) remember(e data.Event) error {
	keys := dedupKeys(e)
	if len(keys) == 0 {
		return nil
	}
	return f.keep(keys[0], []uint64{messageHash(e.Source, e.ID)})
}

func (f *fold) keep(k data.DedupKey, ids []uint64) error {
	if f.m.forgotten(k) {
		return nil
	}
	set, err := f.m.ids(f.ctx, k)
	if err != nil {
		return err
	}
	for _, id := range ids {
		set.add(id)
	}
	return nil
}

// maxKnownIDs bounds the bytes of knownIDs, so that no absorb is all ids.
const maxKnownIDs = 256 << 10

// maxKeyBytes is the most that the day, the flag and the count of a key take.
const maxKeyBytes = 2*binary.MaxVarintLen64 + 1

// knownIDs encodes the message ids that the profile could still receive a retry
// of: live ids of the days within the maximum age, newest day first, then imported
// ids, as far as they fit into limit bytes.
func (f *fold) knownIDs(p *data.Profile, limit int) ([]byte, error) {
	var keys []data.DedupKey
	for d := dayOf(f.now) + 1; d >= f.m.horizon; d-- {
		keys = append(keys, data.DedupKey{Profile: p.ID, Day: d})
	}
	for bucket := range int32(importBuckets) {
		keys = append(keys, data.DedupKey{Profile: p.ID, Day: bucket, Imported: true})
	}
	var missing []data.DedupKey
	for _, k := range keys {
		if f.m.dedup[k] == nil {
			missing = append(missing, k)
		}
	}
	if err := f.m.loadDedup(f.ctx, missing); err != nil {
		return nil, err
	}
	var out []byte
	for _, k := range keys {
		if ids := f.m.dedup[k].ids; len(ids) > 0 && len(out)+8*len(ids)+maxKeyBytes <= limit {
			out = binary.AppendVarint(out, int64(k.Day))
			flag := byte(0)
			if k.Imported {
				flag = 1
			}
			out = append(out, flag)
			out = binary.AppendUvarint(out, uint64(len(ids)))
			for _, id := range ids {
				out = binary.BigEndian.AppendUint64(out, id)
			}
		}
	}
	return out, nil
}

var errDedupBytes = errors.New("absorbed message ids: malformed")

// decodeIDs calls fn with every key and its ids in what knownIDs wrote.
func decodeIDs(b []byte, fn func(day int32, imported bool, ids []uint64) error) error {
	for len(b) > 0 {
		day, n := binary.Varint(b)
		if n <= 0 || len(b) < n+1 || day != int64(int32(day)) || b[n] > 1 {
			return errDedupBytes
		}
		imported := b[n] == 1
		b = b[n+1:]
		count, n := binary.Uvarint(b)
		if n <= 0 || count > uint64(len(b)-n)/8 {
			return errDedupBytes
		}
		b = b[n:]
		ids := make([]uint64, count)
		for i := range ids {
			ids[i], b = binary.BigEndian.Uint64(b), b[8:]
		}
		if err := fn(int32(day), imported, ids); err != nil {
			return err
		}
	}
	return nil
}
