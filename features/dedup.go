package features

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"kindred/data"
	"kindred/features/compact"
)

const dayMillis = int64(24 * time.Hour / time.Millisecond)

// messageIDs is what a memory knows of message ids beside the sets, which the people
// hold.
type messageIDs struct {
	horizon int32           // live ids of days before it are forgotten
	dropped int32           // the horizon of the last commit
	changed []compact.IDKey // since the last commit
	loaded  []compact.IDKey // with a Source: to be forgotten at the next commit
}

// The 64-bit FNV-1a hash (Fowler, Noll & Vo).
const (
	fnvOffset = 14695981039346656037
	fnvPrime  = 1099511628211
)

func fnvAdd(h uint64, s string) uint64 {
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * fnvPrime
	}
	return h
}

// messageHash is the 64-bit identity of a message: FNV-1a over source, a zero byte and id.
func messageHash(source, id string) uint64 {
	return fnvAdd(fnvAdd(fnvOffset, source)*fnvPrime, id)
}

// maxSkew is how far a client's clock may be off before its stamp says nothing
// about the day.
const maxSkew = 24 * time.Hour

// importBuckets is how many keys the imported ids of a profile are spread over, by
// their hash. They are kept for good and their days may change from one import to
// the next (shifted samples), so no day can find them again.
const importBuckets = 64

// idPlaces are where an event's id may be.
type idPlaces struct {
	hash uint64
	days [3]int32 // or the bucket
	n    int      // of days
}

// placesOf is where the event's id may be: first the day it is kept under, then
// where an earlier delivery may have put it. A retry carries the same original
// time; without one the day before its arrival is looked at too. Where the client's
// clock is off by more than maxSkew the corrected time stands in: it is the same
// for a retry but for the network's jitter, so the days beside it are looked at too.
// happened is the event time, corrected. Events without an id have no place.
func placesOf(e *data.Event, happened time.Time) idPlaces {
	if e.ID == "" || e.Type == data.System {
		return idPlaces{}
	}
	x := idPlaces{hash: messageHash(e.Source, e.ID), n: 1}
	t := &e.Times
	switch {
	case e.Imported:
		x.days[0] = int32(x.hash % importBuckets)
	case t.Original.IsZero():
		day := dayOf(millis(t.Received))
		x.days, x.n = [3]int32{day, day - 1}, 2
	case t.Original.Sub(happened).Abs() <= maxSkew:
		x.days[0] = dayOf(millis(t.Original))
	default:
		day := dayOf(millis(happened))
		x.days, x.n = [3]int32{day, day - 1, day + 1}, 3
	}
	return x
}

// dedupKeys are the same places as keys of a store.
func dedupKeys(e *data.Event) []data.DedupKey {
	x := placesOf(e, e.Times.Event)
	keys := make([]data.DedupKey, x.n)
	for i := range keys {
		keys[i] = data.DedupKey{Profile: e.Profile, Day: x.days[i], Imported: e.Imported}
	}
	return keys
}

// dedupHorizon is the first day whose live ids are still needed at log time now:
// before it, no retry could be young enough. Days are forgotten by log time alone,
// so it does not matter in which batch the store gets to it.
func (b *Builder) dedupHorizon(now int64) int32 { return dayOf(now-b.maxAge) - 2 }

// forgotten reports whether the key is of a day that is over. Imported ids never are.
func (m *Memory) forgotten(k compact.IDKey) bool { return !k.Imported && k.Day < m.ids.horizon }

func dayOf(ms int64) int32 {
	d := ms / dayMillis
	if ms%dayMillis < 0 {
		d--
	}
	return int32(d)
}

// appendMissingIDs appends where the event's id may be and was not looked for yet.
func (m *Memory) appendMissingIDs(keys []compact.IDKey, r compact.Ref, e *data.Event) []compact.IDKey {
	x := placesOf(e, e.Times.Event)
	for _, day := range x.days[:x.n] {
		if k := (compact.IDKey{Who: r, Day: day, Imported: e.Imported}); !m.people.KnowsIDs(k) {
			keys = append(keys, k)
		}
	}
	return keys
}

// needIDs makes sure that a set is in memory. Without a Source it always is.
func (m *Memory) needIDs(ctx context.Context, k compact.IDKey) error {
	if m.src == nil || m.people.KnowsIDs(k) {
		return nil
	}
	return m.loadIDs(ctx, []compact.IDKey{k})
}

func (m *Memory) loadIDs(ctx context.Context, keys []compact.IDKey) error {
	if m.src == nil || len(keys) == 0 {
		return nil
	}
	stored := make([]data.DedupKey, len(keys))
	for i, k := range keys {
		stored[i] = data.DedupKey{Profile: m.people.ID(k.Who), Day: k.Day, Imported: k.Imported}
	}
	found, err := m.src.LoadDedup(ctx, m.partition, stored)
	if err != nil {
		return fmt.Errorf("load message ids of partition %d: %w", m.partition, err)
	}
	for i, k := range keys {
		m.people.LoadIDs(k, found[stored[i]])
	}
	m.ids.loaded = append(m.ids.loaded, keys...)
	return nil
}

// duplicate reports whether the event was applied to its profile before.
func (f *fold) duplicate(x idPlaces, imported bool) (bool, error) {
	for _, day := range x.days[:x.n] {
		k := compact.IDKey{Who: f.who, Day: day, Imported: imported}
		if f.m.forgotten(k) {
			continue
		}
		if err := f.m.needIDs(f.ctx, k); err != nil {
			return false, err
		}
		if f.m.people.HasID(k, x.hash) {
			return true, nil
		}
	}
	return false, nil
}

// meet is duplicate, and then remember where it is none, of an id with one place.
func (f *fold) meet(day int32, imported bool, hash uint64) (dup bool, err error) {
	k := compact.IDKey{Who: f.who, Day: day, Imported: imported}
	if f.m.forgotten(k) {
		return false, nil
	}
	if err := f.m.needIDs(f.ctx, k); err != nil {
		return false, err
	}
	known, first := f.m.people.AddNewID(k, hash)
	if first {
		f.m.ids.changed = append(f.m.ids.changed, k)
	}
	return known, nil
}

// remember keeps the event's id.
func (f *fold) remember(x idPlaces, imported bool) error {
	if x.n == 0 {
		return nil
	}
	return f.keep(compact.IDKey{Who: f.who, Day: x.days[0], Imported: imported}, x.hash)
}

func (f *fold) keep(k compact.IDKey, ids ...uint64) error {
	if f.m.forgotten(k) {
		return nil
	}
	if err := f.m.needIDs(f.ctx, k); err != nil {
		return err
	}
	if f.m.people.AddIDs(k, ids...) {
		f.m.ids.changed = append(f.m.ids.changed, k)
	}
	return nil
}

// maxKnownIDs bounds the bytes of knownIDs, so that no absorb is all ids.
const maxKnownIDs = 256 << 10

// maxKeyBytes is the most that the day, the flag and the count of a key take.
const maxKeyBytes = 2*binary.MaxVarintLen64 + 1

// knownIDs encodes the message ids that the profile being folded could still receive
// a retry of: live ids of the days within the maximum age, newest day first, then
// imported ids, as far as they fit into limit bytes.
func (f *fold) knownIDs(limit int) ([]byte, error) {
	var keys, missing []compact.IDKey
	for d := dayOf(f.now) + 1; d >= f.m.ids.horizon; d-- {
		keys = append(keys, compact.IDKey{Who: f.who, Day: d})
	}
	for bucket := range int32(importBuckets) {
		keys = append(keys, compact.IDKey{Who: f.who, Day: bucket, Imported: true})
	}
	for _, k := range keys {
		if !f.m.people.KnowsIDs(k) {
			missing = append(missing, k)
		}
	}
	if err := f.m.loadIDs(f.ctx, missing); err != nil {
		return nil, err
	}
	var out []byte
	var ids []uint64
	for _, k := range keys {
		if ids = f.m.people.AppendIDs(ids[:0], k); len(ids) > 0 && len(out)+8*len(ids)+maxKeyBytes <= limit {
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

// hasID reports whether a stored set has the id.
func hasID(sorted []uint64, id uint64) bool {
	_, found := slices.BinarySearch(sorted, id)
	return found
}
