package embedded

import (
	"hash/maphash"
	"sync/atomic"

	"kindred/data"
)

// stamps count the writes of profiles, so that whoever keeps one in memory can tell
// whether it has been written since. A profile's is that of all with its hash.
type stamps struct {
	seed maphash.Seed
	by   [1 << stampBits]atomic.Uint64
}

const stampBits = 17 // 1 MiB

func newStamps() *stamps { return &stamps{seed: maphash.MakeSeed()} }

func (s *stamps) of(id data.ProfileID) *atomic.Uint64 {
	return &s.by[maphash.String(s.seed, string(id))>>(64-stampBits)]
}

// moveAll moves every stamp.
func (s *stamps) moveAll() {
	for i := range s.by {
		s.by[i].Add(1)
	}
}

// ProfileStamp is a number that every Save of the profile, and every DropState, makes
// another one: after what was written can be read, and before the call returns. Saves
// of other profiles may change it, too.
func (s *Store) ProfileStamp(id data.ProfileID) uint64 { return s.stamps.of(id).Load() }
