package recommend

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"strings"
	"sync"

	"kindred/data"
	"kindred/serving/live"
	"kindred/serving/online"
)

// answers keeps finished answers by everything that they depend on, so that one that
// is found is the one that would be made: the snapshot's serial (model and catalog),
// the person's profile, whether it is known and stale, and the request's parameters.
// Answers that depend on the time or the live counters are never put in.
//
// It is divided into shards by the person, so that requests seldom meet at a lock, which is held for
// one look into a map, and that what is kept of one person is found. A shard holds two generations of at most half its bytes each: when the young
// one is full it becomes the old one, which is forgotten. An answer found in the old
// one becomes young again. A new snapshot empties a shard at the first request
// that comes with it.
type answers struct {
	half   int64 // bytes of one generation of one shard
	seed   maphash.Seed
	shards [shardCount]shard
	keys   sync.Pool // *answerKey
}

const shardCount = 32

type shard struct {
	mu           sync.Mutex // guards what follows
	serial       uint64     // of the snapshot that all answers are by
	young, old   map[string]*kept
	youngBytes   int64
	oldBytes     int64
	hotBytes     int64 // of young: the written lists
	hits, misses uint64
	_            [32]byte // keeps neighbours off one cache line
}

// answerKey is everything an answer depends on, written one after the other.
type answerKey struct {
	of     *answers
	serial uint64
	shard  *shard
	bytes  []byte
}

// CacheStats is what a cache holds and did.
type CacheStats struct {
	Hits, Misses uint64
	Entries      int
	Bytes        int64 // about
}

// newAnswers returns a cache of at most the given number of bytes, nil for 0.
func newAnswers(bytes int64) *answers {
	if bytes <= 0 {
		return nil
	}
	return &answers{half: bytes / shardCount / 2, seed: maphash.MakeSeed()}
}

// key is the request's; release it. The profile counts with its id, the number of records folded into it,
// the newest one's place in the log and the history as answers read it: so neither a profile that was erased
// and began anew nor one folded again by other rules is taken for the former.
func (c *answers) key(snap *live.Snapshot, p online.Person, req Request) *answerKey {
	if c == nil {
		return nil
	}
	k, _ := c.keys.Get().(*answerKey)
	if k == nil {
		k = &answerKey{of: c}
	}
	k.serial, k.shard = snap.Serial, c.shard(p.Profile.ID)
	b := k.bytes[:0]
	b = appendText(b, string(p.Profile.ID))
	b = binary.AppendUvarint(b, p.Profile.Version)
	b = binary.AppendVarint(b, p.Profile.LastOffset)
	b = binary.AppendUvarint(b, flags(p.Known, p.Stale, req.IncludeSeen, req.MinPrice != nil, req.MaxPrice != nil))
	b = binary.AppendUvarint(b, uint64(req.N))
	for _, price := range []*float64{req.MinPrice, req.MaxPrice} {
		if price != nil {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(*price))
		}
	}
	b = appendTexts(b, req.Recent)
	b = appendTexts(b, req.Exclude)
	b = appendTexts(b, req.Categories)
	b = appendTexts(b, req.Components)
	at := len(b)
	b = appendHistory(b, p.Profile.History)
	sum := maphash.Bytes(c.seed, b[at:]) // the history itself would be most of the memory
	k.bytes = binary.LittleEndian.AppendUint64(b[:at], sum)
	return k
}

// shard is where the person's answers are.
func (c *answers) shard(id data.ProfileID) *shard {
	return &c.shards[maphash.String(c.seed, string(id))%shardCount]
}

func flags(bits ...bool) (set uint64) {
	for i, bit := range bits {
		if bit {
			set |= 1 << i
		}
	}
	return set
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendTexts[S ~string](b []byte, list []S) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for _, s := range list {
		b = appendText(b, string(s))
	}
	return b
}

// appendHistory writes what preferences and hiding read of a history.
func appendHistory(b []byte, history []data.HistoryItem) []byte {
	for i := range history {
		h := &history[i]
		b = appendText(b, string(h.Item))
		b = binary.AppendUvarint(b, uint64(h.Kinds))
		b = binary.AppendUvarint(b, uint64(h.Count))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(h.Value))
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(h.Weight))
	}
	return b
}

// release gives the key's memory back.
func (k *answerKey) release() {
	if k != nil {
		k.of.keys.Put(k)
	}
}

// at is the shard of a key, locked, with the answers of the key's snapshot; nil when
// the shard has moved on to a later one.
func (c *answers) at(k *answerKey) *shard {
	s := k.shard
	s.mu.Lock()
	if k.serial < s.serial {
		s.misses++
		s.mu.Unlock()
		return nil
	}
	if k.serial > s.serial || s.young == nil {
		s.serial, s.young, s.old, s.youngBytes, s.oldBytes, s.hotBytes = k.serial, map[string]*kept{}, nil, 0, 0, 0
	}
	return s
}

// get returns the answer to the key, or nil, and whether there is room to keep its list as
// it is written, too: see heat.
func (c *answers) get(k *answerKey) (a *kept, room bool) {
	if c == nil {
		return nil, false
	}
	s := c.at(k)
	if s == nil {
		return nil, false
	}
	defer s.mu.Unlock()
	a = s.young[string(k.bytes)]
	if a == nil {
		if a = s.old[string(k.bytes)]; a != nil {
			delete(s.old, string(k.bytes))
			s.oldBytes -= int64(len(k.bytes)) + a.size()
			c.add(s, string(k.bytes), a)
		}
	}
	if a != nil {
		s.hits++
	} else {
		s.misses++
	}
	return a, s.hotBytes < c.half/2
}

// heat keeps the written list of an answer that was asked for again, in at most half of a
// generation: whoever comes often is answered by a copy.
func (c *answers) heat(k *answerKey, a *kept, h *hot) {
	s := c.at(k)
	if s == nil {
		return
	}
	defer s.mu.Unlock()
	n := h.size()
	if s.young[string(k.bytes)] != a || a.hot.Load() != nil || s.hotBytes+n > c.half/2 || s.youngBytes+n > c.half {
		return
	}
	a.hot.Store(h)
	s.hotBytes += n
	s.youngBytes += n
}

// put keeps the answer to the key.
func (c *answers) put(k *answerKey, a *kept) {
	if c == nil {
		return
	}
	if s := c.at(k); s != nil {
		c.add(s, string(k.bytes), a)
		s.mu.Unlock()
	}
}

// add puts an answer into the locked shard's young generation.
func (c *answers) add(s *shard, key string, a *kept) {
	if h := a.hot.Load(); h != nil && s.hotBytes+h.size() > c.half/2 {
		a.hot.Store(nil)
	}
	n := int64(len(key)) + a.size()
	if n > c.half {
		return
	}
	if s.youngBytes+n > c.half {
		s.old, s.oldBytes = s.young, s.youngBytes
		s.young, s.youngBytes, s.hotBytes = make(map[string]*kept, len(s.old)), 0, 0
	}
	if former := s.young[key]; former != nil { // made by two at the same time
		s.youngBytes -= int64(len(key)) + former.size()
	}
	s.young[key] = a
	s.youngBytes += n
	if h := a.hot.Load(); h != nil {
		s.hotBytes += h.size()
	}
}

// forget drops what is kept of a person. An answer that is just being made may be
// kept after it, until its generation goes.
func (c *answers) forget(id data.ProfileID) {
	if c == nil {
		return
	}
	prefix := string(appendText(nil, string(id)))
	s := c.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	drop := func(from map[string]*kept, bytes *int64) {
		for key, a := range from {
			if strings.HasPrefix(key, prefix) {
				delete(from, key)
				*bytes -= int64(len(key)) + a.size()
			}
		}
	}
	drop(s.young, &s.youngBytes)
	drop(s.old, &s.oldBytes)
}

// stats adds the shards up.
func (c *answers) stats() CacheStats {
	var sum CacheStats
	if c == nil {
		return sum
	}
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		sum.Hits += s.hits
		sum.Misses += s.misses
		sum.Entries += len(s.young) + len(s.old)
		sum.Bytes += s.youngBytes + s.oldBytes
		s.mu.Unlock()
	}
	return sum
}
