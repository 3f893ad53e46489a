package online

import (
	"slices"
	"sync"

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
func Identifiers(ids data.IDs) []Identifier {
	var out []Identifier
	if ids.User != "" {
		out = append(out, Identifier{data.IDUser, string(ids.User)})
	}
	if ids.Anonymous != "" {
		out = append(out, Identifier{data.IDAnonymous, string(ids.Anonymous)})
	}
	return out
}

// Acks remembers, per identifier, the newest acknowledged position in each
// partition. It is bounded and safe for concurrent use.
type Acks struct {
	max    int
	folded func(partition int32) int64 // offset of the next record to fold

	mu        sync.Mutex
	newest    map[Identifier][]Position
	forgotten []int64 // by partition: the newest position that was dropped unfolded, or -1
}

// NewAcks remembers up to max identifiers. ends[p] is the log's end of partition p
// now: what came before counts as acknowledged to everybody. folded is the
// partition's cursor.
func NewAcks(max int, ends []int64, folded func(partition int32) int64) *Acks {
	a := &Acks{max: max, folded: folded, newest: map[Identifier][]Position{}, forgotten: make([]int64, len(ends))}
	for p, end := range ends {
		a.forgotten[p] = end - 1
	}
	return a
}

// Note remembers that an event which carried these identifiers is at at.
func (a *Acks) Note(ids []Identifier, at Position) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, id := range ids {
		known := a.newest[id]
		i := slices.IndexFunc(known, func(p Position) bool { return p.Partition == at.Partition })
		if i >= 0 {
			known[i].Offset = max(known[i].Offset, at.Offset)
			continue
		}
		if len(known) == 0 && len(a.newest) >= a.max {
			a.makeRoom()
		}
		a.newest[id] = append(known, at)
	}
}

// makeRoom drops an eighth of the identifiers, the folded ones for free, and
// keeps the newest of the others' positions per partition.
func (a *Acks) makeRoom() {
	drop := max(1, a.max/8)
	for id, positions := range a.newest {
		for _, p := range positions {
			if p.Offset >= a.folded(p.Partition) {
				a.forgotten[p.Partition] = max(a.forgotten[p.Partition], p.Offset)
			}
		}
		delete(a.newest, id)
		if drop--; drop == 0 {
			return
		}
	}
}

// Of returns the positions that must be folded before the identifiers' profile is
// up to date: per partition the newest one noted for any of them, and every
// forgotten one, without those that are folded.
func (a *Acks) Of(ids []Identifier) []Position {
	a.mu.Lock()
	defer a.mu.Unlock()
	var out []Position
	add := func(p Position) {
		if p.Offset < a.folded(p.Partition) {
			return
		}
		if i := slices.IndexFunc(out, func(o Position) bool { return o.Partition == p.Partition }); i >= 0 {
			out[i].Offset = max(out[i].Offset, p.Offset)
			return
		}
		out = append(out, p)
	}
	for p, offset := range a.forgotten {
		add(Position{int32(p), offset})
	}
	for _, id := range ids {
		for _, p := range a.newest[id] {
			add(p)
		}
	}
	return out
}

// Len is the number of identifiers remembered.
func (a *Acks) Len() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.newest)
}
