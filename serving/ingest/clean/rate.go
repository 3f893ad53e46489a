package clean

import (
	"hash/maphash"
	"sync/atomic"
	"time"
)

// rateWindow is the time over which events are counted.
const rateWindow = 10 * time.Second

// rates counts events by key and window in bounded memory: a count-min sketch (Cormode and
// Muthukrishnan, J. Algorithms 2005) whose cells each carry the window that they count in, so
// that nothing has to be cleared. A key's count is never too low within a window, and too high
// only when both of its cells are shared.
type rates struct {
	seeds [2]maphash.Seed
	cells [2][1 << 15]atomic.Uint64 // window in the upper half, count in the lower
}

func newRates() *rates {
	return &rates{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}}
}

// add counts one event of the key, received at that time, and returns how many of it
// the window has. Events of a window that is over count as the newer one's.
func (r *rates) add(kind byte, key string, received time.Time) int {
	window := uint64(received.UnixNano()/int64(rateWindow)) & 0xffffffff
	least := ^uint64(0)
	for row := range r.cells {
		var h maphash.Hash
		h.SetSeed(r.seeds[row])
		h.WriteByte(kind)
		h.WriteString(key)
		cell := &r.cells[row][h.Sum64()%uint64(len(r.cells[row]))]
		for {
			old := cell.Load()
			next := old + 1
			if old>>32 < window {
				next = window<<32 | 1
			} else if old&0xffffffff == 0xffffffff {
				next = old
			}
			if cell.CompareAndSwap(old, next) {
				least = min(least, next&0xffffffff)
				break
			}
		}
	}
	return int(least)
}
