package tail

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// sampler lets the first few of each second through. A second is that of the
// events' own stamps; a clock that jumps begins another one.
type sampler struct {
	perSecond uint64
	state     atomic.Uint64 // second << 24 | how many were let through in it
}

const countBits = 24

func (s *sampler) take(ms int64) bool {
	second := uint64(ms/1000) << countBits
	for {
		old := s.state.Load()
		next := second + 1
		if old>>countBits == second>>countBits {
			if old&(1<<countBits-1) >= s.perSecond {
				return false
			}
			next = old + 1
		}
		if s.state.CompareAndSwap(old, next) {
			return true
		}
	}
}

// recent is a ring of the newest few, in memory that is used again.
type recent struct {
	sampler sampler
	mu      sync.Mutex
	ring    [][]byte
	count   int // ever put
}

func (r *recent) init(cfg Config) {
	r.ring = make([][]byte, cfg.Recent)
	if cfg.Recent > 0 {
		r.sampler.perSecond = uint64(cfg.RecentPerSecond)
	}
}

func (r *recent) put(event []byte) {
	if len(r.ring) == 0 {
		return
	}
	r.mu.Lock()
	place := &r.ring[r.count%len(r.ring)]
	*place = append((*place)[:0], event...)
	r.count++
	r.mu.Unlock()
}

// list are copies, newest first.
func (r *recent) list() []json.RawMessage {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]json.RawMessage, 0, len(r.ring))
	for i := r.count - 1; i >= 0 && i >= r.count-len(r.ring); i-- {
		out = append(out, bytes.Clone(r.ring[i%len(r.ring)]))
	}
	return out
}

// ReasonCount is how often calls were refused for like reasons.
type ReasonCount struct {
	Reason string `json:"reason"` // without what is particular to a call
	Count  uint64 `json:"count"`
}

// reasonCounts counts reasons by what they have in common.
type reasonCounts struct {
	mu     sync.Mutex
	counts map[string]*ReasonCount
	memory []byte
}

const (
	maxReasons = 32 // kinds of reasons of one source; others are counted as "(other)"
	maxReason  = 120
)

func (r *reasonCounts) add(reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.memory = kindOf(r.memory[:0], reason)
	c := r.counts[string(r.memory)]
	if c == nil {
		if r.counts == nil {
			r.counts = map[string]*ReasonCount{}
		}
		kind := string(r.memory)
		if len(r.counts) >= maxReasons {
			kind = "(other)"
		}
		if c = r.counts[kind]; c == nil {
			c = &ReasonCount{Reason: kind}
			r.counts[kind] = c
		}
	}
	c.Count++
}

// kindOf appends a reason without what is quoted in it and without numbers, e-mail addresses and the like.
func kindOf(dst []byte, reason string) []byte {
	for i := 0; i < len(reason) && len(dst) < maxReason; i++ {
		switch c := reason[i]; {
		case c == '"':
			dst = append(dst, "“…”"...)
			for i++; i < len(reason) && reason[i] != '"'; i++ {
				if reason[i] == '\\' {
					i++
				}
			}
		case c >= '0' && c <= '9':
			if len(dst) == 0 || dst[len(dst)-1] != '#' {
				dst = append(dst, '#')
			}
		case c < ' ':
			dst = append(dst, ' ')
		default:
			dst = append(dst, c)
		}
	}
	return bytes.ToValidUTF8(appendWithoutEmails(nil, dst), []byte("�"))
}

func (r *reasonCounts) list() []ReasonCount {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]ReasonCount, 0, len(r.counts))
	for _, c := range r.counts {
		out = append(out, *c)
	}
	slices.SortFunc(out, func(a, b ReasonCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Reason, b.Reason))
	})
	return out
}
