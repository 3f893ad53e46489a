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
// It holds at most 2*maxLookups identifiers: a generation is filled, then becomes
// the old one, whose entries move over when they are asked for, and is dropped when
// the next is full.
type lookups struct {
	seed   maphash.Seed
	shards [lookupShards]lookupShard
}

const (
	maxLookups   = 1 << 17
	lookupShards = 32
)

type lookupKey struct {
	kind data.IDKind
	id   string
}

type lookupShard struct {
	mu         sync.Mutex
	writes     uint64                       // forgettings so far
	young, old map[lookupKey]data.ProfileID // "": nobody
	_          [32]byte                     // keeps neighbours off one cache line
}

func newLookups() *lookups { return &lookups{seed: maphash.MakeSeed()} }

func (l *lookups) shard(id string) *lookupShard {
	return &l.shards[maphash.String(l.seed, id)%lookupShards]
}

// find is what is remembered about an identifier. Where nothing is, writes must be
// given to remember with the index's answer.
func (l *lookups) find(kind data.IDKind, id string) (p data.ProfileID, known bool, writes uint64) {
	s := l.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	k := lookupKey{kind, id}
	if p, known = s.young[k]; known {
		return p, true, 0
	}
	if p, known = s.old[k]; known {
		delete(s.old, k)
		s.put(kind, id, p)
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
		s.put(kind, id, p)
	}
}

// put adds an entry to the young generation. The identifier is copied: it may be
// part of a request's body.
func (s *lookupShard) put(kind data.IDKind, id string, p data.ProfileID) {
	if len(s.young) >= maxLookups/lookupShards {
		s.old, s.young = s.young, nil
	}
	if s.young == nil {
		s.young = make(map[lookupKey]data.ProfileID)
	}
	s.young[lookupKey{kind, strings.Clone(id)}] = p
}

// forget drops what is remembered about an identifier whose entry was written.
func (l *lookups) forget(kind data.IDKind, id string) {
	s := l.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	delete(s.young, lookupKey{kind, id})
	delete(s.old, lookupKey{kind, id})
}

// forgetAll drops everything.
func (l *lookups) forgetAll() {
	for i := range l.shards {
		s := &l.shards[i]
		s.mu.Lock()
		s.writes++
		s.young, s.old = nil, nil
		s.mu.Unlock()
	}
}
