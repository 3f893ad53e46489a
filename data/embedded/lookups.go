package embedded

import (
	"hash/maphash"
	"strings"
	"sync"

	"kindred/data"
)

// lookups remembers what the identity index says about the identifiers asked for
// lately, nobody included: ingest asks once or twice for every event, and a read of
// the engine costs more than the rest of what ingest does with it.
//
// It can not say anything that the index did not say while the question was open.
// The store is the only writer of its index (the directory is locked), in Save and
// DropState. Both forget what they wrote after the write is visible and before they
// return. A question that found the index as it was before a write may still be
// about to be remembered then; it is not, because forgetting also moves the shard's
// count of writes, which must be what it was when the question was put. So whoever
// asks after a Save has returned gets an answer from after it, as from the engine.
//
// It holds about 2*maxLookupBytes at most, some 250,000 usual identifiers (recent).
type lookups struct {
	seed   maphash.Seed
	shards [lookupShards]lookupShard
}

const (
	maxLookupBytes = 20 << 20
	lookupShards   = 32
)

type lookupKey struct {
	kind data.IDKind
	id   string
}

type lookupShard struct {
	mu     sync.Mutex
	writes uint64                            // forgettings so far
	known  recent[lookupKey, data.ProfileID] // "": nobody
	_      [48]byte                          // keeps neighbours off one cache line
}

func newLookups() *lookups {
	l := &lookups{seed: maphash.MakeSeed()}
	for i := range l.shards {
		l.shards[i].known = recent[lookupKey, data.ProfileID]{limit: maxLookupBytes / lookupShards, size: lookupKey.bytes, own: lookupKey.clone}
	}
	return l
}

// bytes is about what an entry takes.
func (k lookupKey) bytes(p data.ProfileID) int { return mapOverhead + len(k.id) + len(p) }

func (k lookupKey) clone() lookupKey { return lookupKey{k.kind, strings.Clone(k.id)} }

func (l *lookups) shard(id string) *lookupShard {
	return &l.shards[maphash.String(l.seed, id)%lookupShards]
}

// find is what is remembered about an identifier. Where nothing is, writes must be
// given to remember with the index's answer.
func (l *lookups) find(kind data.IDKind, id string) (p data.ProfileID, known bool, writes uint64) {
	s := l.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, known = s.known.find(lookupKey{kind, id}); known {
		return p, true, 0
	}
	return "", false, s.writes
}

// remember keeps the answer to a question that was put when the count of writes
// was writes, unless there were others since.
func (l *lookups) remember(kind data.IDKind, id string, p data.ProfileID, writes uint64) {
	s := l.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.writes == writes {
		s.known.put(lookupKey{kind, id}, p)
	}
}

// forget drops what is remembered about an identifier whose entry was written.
func (l *lookups) forget(kind data.IDKind, id string) {
	s := l.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	s.known.drop(lookupKey{kind, id})
}

// forgetAll drops everything.
func (l *lookups) forgetAll() {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		s.writes++
		s.known.clear()
		s.mu.Unlock()
	}
}
