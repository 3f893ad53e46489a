package recommend

import (
	"sync"

	"kindred/serving/live"
)

// memory is what the lists of one answer stand in, lent out for as long as the answer
// is read. What has no room left gets twice as much, so that it soon fits.
type memory struct {
	items   []Recommended
	reasons []Reason
	causes  []Cause
	texts   []string
	rows    []int32 // of the items, each followed by those of its causes, in the answer's order
	used    []int32 // see rowsOf
	hide    []int32 // see filterOf
}

// memories lends memory out.
type memories struct{ pool sync.Pool }

func (m *memories) take() *memory {
	if lent, ok := m.pool.Get().(*memory); ok {
		lent.items, lent.reasons, lent.causes, lent.texts = lent.items[:0], lent.reasons[:0], lent.causes[:0], lent.texts[:0]
		lent.rows, lent.used, lent.hide = lent.rows[:0], lent.used[:0], lent.hide[:0]
		return lent
	}
	return new(memory)
}

// put takes memory back, of whose answer nothing may be used any more.
func (m *memories) put(lent *memory) {
	if cap(lent.items) <= 4*DefaultN {
		m.pool.Put(lent)
	}
}

// listed notes an item's row and returns its position without reasons.
func (m *memory) listed(snap *live.Snapshot, row int32, position int, score float64) Recommended {
	m.rows = append(m.rows, row)
	return item(snap.Facts(row), position, score)
}

// take is n more elements of memory, which has less room afterwards. What was taken
// before stays as it is. It is not nil.
func take[T any](memory *[]T, n int) []T {
	m := *memory
	if m == nil || cap(m)-len(m) < n {
		m = make([]T, 0, max(n, 2*cap(m), 16))
	}
	from := len(m)
	*memory = m[:from+n]
	return m[from : from+n : from+n]
}
