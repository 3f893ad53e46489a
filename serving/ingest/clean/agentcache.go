package clean

import (
	"hash/maphash"
	"strings"
	"sync"
)

// agentCache remembers what user agents mean. Each shard is two generations: what is found
// in the old one moves to the young one, and when the young one is full it becomes the old
// one, so that at least the last half of its bound of different agents is there.
type agentCache struct {
	seed   maphash.Seed
	shards [16]agentShard
	most   int // in one generation of one shard
}

type agentShard struct {
	mu         sync.RWMutex
	young, old map[string]*agent
}

func newAgentCache(entries int) *agentCache {
	return &agentCache{seed: maphash.MakeSeed(), most: max(1, entries/len(agentCache{}.shards)/2)}
}

// get is what is remembered under the key, or what make says, which is then remembered.
func (c *agentCache) get(key []byte, make_ func() *agent) *agent {
	s := &c.shards[maphash.Bytes(c.seed, key)%uint64(len(c.shards))]
	s.mu.RLock()
	a, ok := s.young[string(key)]
	if !ok {
		a = s.old[string(key)]
	}
	s.mu.RUnlock()
	if ok {
		return a
	}
	if a == nil {
		a = make_()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.young) >= c.most || s.young == nil {
		s.young, s.old = make(map[string]*agent), s.young
	}
	s.young[strings.Clone(string(key))] = a
	return a
}

// size is the number of agents remembered.
func (c *agentCache) size() (n int) {
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.RLock()
		n += len(s.young) + len(s.old)
		s.mu.RUnlock()
	}
	return n
}

// Remembered is the number of user agents whose meaning is remembered.
func (c *Cleaner) Remembered() int { return c.now.Load().agents.size() }
