package online

import (
	"hash/maphash"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"kindred/data"
)

// Position is a place in the log.
type Position struct {
	Partition int32
	Offset    int64
}

// Identifier is one identifier of a person.
type Identifier struct {
	Kind data.IDKind
	ID   string
}

// Identifiers are the ones that ids holds, user first.
func Identifiers(ids data.IDs) []Identifier { return AppendIdentifiers(nil, ids) }

// AppendIdentifiers appends Identifiers to dst.
func AppendIdentifiers(dst []Identifier, ids data.IDs) []Identifier {
	if ids.User != "" {
		dst = append(dst, Identifier{data.IDUser, string(ids.User)})
	}
	if ids.Anonymous != "" {
		dst = append(dst, Identifier{data.IDAnonymous, string(ids.Anonymous)})
	}
	return dst
}

// Acks remembers, per identifier, the newest acknowledged position in each
// partition. It is bounded and safe for concurrent use. Identifiers are divided
// among shards, so that requests of different people seldom meet at a lock.
type Acks struct {
	folded    func(partition int32) int64 // offset of the next record to fold
	seed      maphash.Seed
	shards    []acks
	forgotten []atomic.Int64 // by partition: the newest position that was dropped unsettled, or -1
	settled   settled
}

// noted is a position and the profile that its event was sent to.
type noted struct {
	Position
	sent uint64 // the profile's hash, or unknown
}

// unknown is the hash of no profile: the position stands for events that were sent to several.
const unknown = 0

// hash is the profile's.
func (a *Acks) hash(p data.ProfileID) uint64 { return max(1, maphash.String(a.seed, string(p))) }

// acks is one shard.
type acks struct {
	max int

	mu     sync.Mutex
	newest map[Identifier][]noted
	_      [40]byte // keeps neighbours off one cache line
}

const (
	mostShards = 32
	shardIDs   = 64 // a smaller shard would forget too unevenly
)

// NewAcks remembers up to max identifiers. ends[p] is the log's end of partition p
// now: what came before counts as acknowledged to everybody. folded is the
// partition's cursor.
func NewAcks(max int, ends []int64, folded func(partition int32) int64) *Acks {
	n := min(mostShards, 1+max/shardIDs)
	a := &Acks{folded: folded, seed: maphash.MakeSeed(), shards: make([]acks, n), forgotten: make([]atomic.Int64, len(ends)),
		settled: newSettled(len(ends))}
	for i := range a.shards {
		a.shards[i].max, a.shards[i].newest = max/n, map[Identifier][]noted{}
	}
	for p, end := range ends {
		a.forgotten[p].Store(end - 1)
	}
	return a
}

// shard is where the identifier is.
func (a *Acks) shard(id Identifier) *acks {
	return &a.shards[maphash.Comparable(a.seed, id)%uint64(len(a.shards))]
}

// Note remembers that an event which carried these identifiers is at at, and was sent
// to a profile. It keeps copies: ids may be part of a request's body.
func (a *Acks) Note(ids []Identifier, at Position, to data.ProfileID) {
	n := noted{at, a.hash(to)}
	for _, id := range ids {
		s := a.shard(id)
		s.mu.Lock()
		a.note(s, id, n)
		s.mu.Unlock()
	}
}

// note is Note for one identifier of a locked shard.
func (a *Acks) note(s *acks, id Identifier, n noted) {
	known := s.newest[id]
	i := slices.IndexFunc(known, func(p noted) bool { return p.Partition == n.Partition })
	if i >= 0 {
		old := &known[i]
		if old.sent != n.sent && !a.settled.is(old.Position) {
			old.sent = unknown
		} else {
			old.sent = n.sent
		}
		old.Offset = max(old.Offset, n.Offset)
		return
	}
	if len(known) == 0 && len(s.newest) >= s.max {
		a.makeRoom(s)
	}
	id.ID = strings.Clone(id.ID)
	s.newest[id] = append(known, n)
}

// makeRoom drops an eighth of the shard's identifiers, the settled ones for free, and
// keeps the newest of the others' positions per partition.
func (a *Acks) makeRoom(s *acks) {
	drop := max(1, s.max/8)
	for id, positions := range s.newest {
		for _, p := range positions {
			if !a.settled.is(p.Position) {
				a.forget(p.Position)
			}
		}
		delete(s.newest, id)
		if drop--; drop == 0 {
			return
		}
	}
}

// forget raises the partition's newest forgotten position.
func (a *Acks) forget(p Position) {
	for newest := &a.forgotten[p.Partition]; ; {
		old := newest.Load()
		if p.Offset <= old || newest.CompareAndSwap(old, p.Offset) {
			return
		}
	}
}

// Of returns the positions that must be folded before the identifiers' profile is
// up to date: per partition the newest one noted for any of them, and every
// forgotten one, without those that are folded.
func (a *Acks) Of(ids []Identifier) (out []Position) {
	for _, n := range a.of(nil, ids) {
		if n.Offset >= a.folded(n.Partition) {
			out = append(out, n.Position)
		}
	}
	return out
}

// of appends what is not settled of the identifiers' positions to dst, one a partition.
func (a *Acks) of(dst []noted, ids []Identifier) []noted {
	add := func(n noted) {
		if a.settled.is(n.Position) {
			return
		}
		if i := slices.IndexFunc(dst, func(o noted) bool { return o.Partition == n.Partition }); i >= 0 {
			if dst[i].sent != n.sent {
				dst[i].sent = unknown
			}
			dst[i].Offset = max(dst[i].Offset, n.Offset)
			return
		}
		dst = append(dst, n)
	}
	for _, id := range ids {
		s := a.shard(id)
		s.mu.Lock()
		for _, n := range s.newest[id] {
			add(n)
		}
		s.mu.Unlock()
	}
	// After the identifiers: one that is not there any more was forgotten before.
	for p := range a.forgotten {
		add(noted{Position{int32(p), a.forgotten[p].Load()}, unknown})
	}
	return dst
}

// Len is the number of identifiers remembered.
func (a *Acks) Len() int {
	n := 0
	for i := range a.shards {
		s := &a.shards[i]
		s.mu.Lock()
		n += len(s.newest)
		s.mu.Unlock()
	}
	return n
}
