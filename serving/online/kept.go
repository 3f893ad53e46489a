package online

import (
	"hash/maphash"
	"sync"
	"unsafe"

	"kindred/data"
)

// Stamps is what a profile store may offer besides Profiles. Where it does, a Reader
// keeps histories.
type Stamps interface {
	// ProfileStamp is a number that every write to the profile makes another one for
	// good: after the write can be read, and before the one who wrote is told. Writes to
	// other profiles may change it, too. It costs no more than reading a word.
	ProfileStamp(id data.ProfileID) uint64
}

// kept keeps what Histories read of profiles beside the stamp that they had before they were read.
// One whose stamp is the store's now was read after the newest write that anybody has
// been told of, so that it may stand for another read; any other is dropped.
//
// Memory is bounded as in recommend's cache of answers: shards of two generations
// each; when the young one is full it becomes the old one, which is forgotten.
type kept struct {
	stamps Stamps
	half   int64 // bytes of one generation of one shard
	seed   maphash.Seed
	shards [keptShards]keptShard
}

const keptShards = 32

type keptShard struct {
	mu         sync.Mutex // guards what follows
	young, old map[data.ProfileID]*keptProfile
	bytes      int64    // of young
	_          [32]byte // keeps neighbours off one cache line
}

type keptProfile struct {
	profile *data.Profile
	stamp   uint64
	size    int64
}

// newKept keeps profiles of at most the given number of bytes, nil where the store has
// no stamps or bytes is 0.
func newKept(profiles Profiles, bytes int64) *kept {
	stamps, ok := profiles.(Stamps)
	if !ok || bytes <= 0 {
		return nil
	}
	return &kept{stamps: stamps, half: bytes / keptShards / 2, seed: maphash.MakeSeed()}
}

// stamp is the profile's now; take it before the profile is read.
func (k *kept) stamp(id data.ProfileID) uint64 {
	if k == nil {
		return 0
	}
	return k.stamps.ProfileStamp(id)
}

func (k *kept) shard(id data.ProfileID) *keptShard {
	return &k.shards[maphash.String(k.seed, string(id))%keptShards]
}

// get returns the profile if it is kept with this stamp. What it refers to is shared:
// read it only.
func (k *kept) get(id data.ProfileID, stamp uint64) *data.Profile {
	if k == nil {
		return nil
	}
	s := k.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.young[id]
	if p == nil {
		if p = s.old[id]; p != nil {
			delete(s.old, id)
			k.add(s, id, p)
		}
	}
	switch {
	case p == nil:
		return nil
	case p.stamp != stamp:
		s.drop(id)
		return nil
	}
	return p.profile
}

// put keeps the profile, which had stamp before it was read.
func (k *kept) put(id data.ProfileID, p *data.Profile, stamp uint64) {
	if k == nil {
		return
	}
	s := k.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(id)
	k.add(s, id, &keptProfile{p, stamp, sizeOf(p)})
}

// add puts a profile into the locked shard's young generation.
func (k *kept) add(s *keptShard, id data.ProfileID, p *keptProfile) {
	if p.size > k.half {
		return
	}
	if s.young == nil || s.bytes+p.size > k.half {
		s.old, s.young, s.bytes = s.young, make(map[data.ProfileID]*keptProfile, len(s.young)), 0
	}
	s.young[id] = p
	s.bytes += p.size
}

// forget drops the profile.
func (k *kept) forget(id data.ProfileID) {
	if k == nil {
		return
	}
	s := k.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(id)
}

// drop takes the profile out of the locked shard.
func (s *keptShard) drop(id data.ProfileID) {
	if p := s.young[id]; p != nil {
		s.bytes -= p.size
		delete(s.young, id)
	}
	delete(s.old, id)
}

// sizeOf is about the memory of a profile of which the history was read.
func sizeOf(p *data.Profile) int64 {
	const entry = 64 // of the map
	n := entry + int64(unsafe.Sizeof(keptProfile{})) + int64(unsafe.Sizeof(*p)) + int64(len(p.ID)+len(p.Redirect)+cap(p.Segments))
	n += int64(cap(p.History)) * int64(unsafe.Sizeof(data.HistoryItem{}))
	for i := range p.History {
		n += int64(len(p.History[i].Item))
	}
	return n
}
