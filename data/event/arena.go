package event

import (
	"encoding/json"

	"kindred/data"
)

// arena is the memory that the parts of decoded events come from. Everything
// taken from it is the taker's until reset; then it is given out again.
type arena struct {
	items    chunk[data.EventItem]
	external chunk[data.ExternalID]
	texts    chunk[string]
	recs     chunk[data.RecRef]
	shown    chunk[data.Shown]
	places   chunk[data.ShownItem]
	bytes    chunk[byte]
	facets   tables[[]string]
	extras   tables[json.RawMessage]
}

func (a *arena) reset() {
	a.items.reset()
	a.external.reset()
	a.texts.reset()
	a.recs.reset()
	a.shown.reset()
	a.places.reset()
	a.bytes.reset()
	a.facets.reset()
	a.extras.reset()
}

// chunk gives out runs of elements that lie side by side.
type chunk[T any] struct{ buf []T }

// maxChunk bounds how many elements a chunk keeps from one use to the next, unless
// a single run is longer.
const maxChunk = 1 << 16

// push appends x to the last run, which began at buf[from], and returns where that
// run begins now: a full chunk is left to its takers, and the run moves to another.
func (c *chunk[T]) push(from int, x T) int {
	if len(c.buf) == cap(c.buf) {
		from = c.grow(from, 1)
	}
	c.buf = append(c.buf, x)
	return from
}

// begin is where a run begins that the next push starts.
func (c *chunk[T]) begin() int { return len(c.buf) }

// run is the run that began at from, or nil where it is empty.
func (c *chunk[T]) run(from int) []T {
	if from == len(c.buf) {
		return nil
	}
	return c.buf[from:len(c.buf):len(c.buf)]
}

// room is an empty slice that n elements can be appended to.
func (c *chunk[T]) room(n int) []T {
	if cap(c.buf)-len(c.buf) < n {
		c.grow(len(c.buf), n)
	}
	from := len(c.buf)
	c.buf = c.buf[:from+n]
	return c.buf[from : from : from+n]
}

// grow makes a larger chunk that begins with the run at from and has room for n more.
func (c *chunk[T]) grow(from, n int) int {
	run := c.buf[from:]
	c.buf = append(make([]T, 0, max(2*len(run)+n, min(2*cap(c.buf), maxChunk), 16)), run...)
	return 0
}

func (c *chunk[T]) reset() {
	clear(c.buf)
	c.buf = c.buf[:0]
}

// tables gives out empty maps from strings.
type tables[V any] struct {
	made []map[string]V
	used int
}

// maxTables bounds how many maps are kept from one use to the next.
const maxTables = 1 << 13

func (m *tables[V]) take() map[string]V {
	if m.used < len(m.made) {
		m.used++
		return m.made[m.used-1]
	}
	v := make(map[string]V, 4)
	if len(m.made) < maxTables {
		m.made = append(m.made, v)
		m.used++
	}
	return v
}

func (m *tables[V]) reset() {
	for _, v := range m.made[:m.used] {
		clear(v)
	}
	m.used = 0
}
