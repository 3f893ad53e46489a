package members

import (
	"errors"
	"fmt"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"kindred/data"
)

// Query asks for people by their segments: those who are in each of All, in at least one of Any if
// there are some, and in none of None. Without All and Any it starts with everybody who is in
// some segment.
type Query struct {
	All, Any, None []string
	// Day is the end of which day is meant; the zero time is now.
	Day time.Time
}

var (
	// ErrDay says that a day is not kept or not over.
	ErrDay = errors.New("is not kept")
	// ErrReading says that the changes have not all been read yet.
	ErrReading = errors.New("who is in which segment is still being read; try again")
)

// find is the people of a query. Its bitmap may be changed.
func (m *Members) find(q Query) (*roaring.Bitmap, error) {
	if !m.ready {
		return nil, ErrReading
	}
	var out *roaring.Bitmap
	for _, s := range q.All {
		b, err := m.at(s, q.Day)
		if err != nil {
			return nil, err
		}
		if out == nil {
			out = b
		} else {
			out.And(b)
		}
	}
	some := q.Any
	if out == nil && len(some) == 0 {
		for s := range m.crowds {
			some = append(some, s)
		}
	}
	if len(some) > 0 || out == nil {
		union := roaring.New()
		for _, s := range some {
			b, err := m.at(s, q.Day)
			if err != nil {
				return nil, err
			}
			union.Or(b)
		}
		if out == nil {
			out = union
		} else {
			out.And(union)
		}
	}
	for _, s := range q.None {
		b, err := m.at(s, q.Day)
		if err != nil {
			return nil, err
		}
		out.AndNot(b)
	}
	return out, nil
}

// at is a copy of a segment as it is, or as it was at the end of a day. A segment that nobody
// ever entered is empty.
func (m *Members) at(segment string, when time.Time) (*roaring.Bitmap, error) {
	wanted := dayOf(when)
	if !when.IsZero() {
		if today := max(m.today, dayOf(m.deps.Now())); wanted > today || wanted < m.today-int32(m.cfg.Days) {
			return nil, fmt.Errorf("the day %s %w; ask for the last %d days", when.Format(time.DateOnly), ErrDay, m.cfg.Days)
		}
	}
	c := m.crowds[segment]
	if c == nil {
		return roaring.New(), nil
	}
	out := c.now.Clone()
	if !when.IsZero() {
		for d, changed := range c.days {
			if d > wanted {
				out.Xor(changed)
			}
		}
	}
	return out, nil
}

// Count is how many people fit the query.
func (m *Members) Count(q Query) (uint64, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	b, err := m.find(q)
	if err != nil {
		return 0, err
	}
	return b.GetCardinality(), nil
}

// List is the people that fit the query, in the order in which they first entered a segment:
// at most limit of those behind after, and the number to go on behind, if more is true. −1 is
// before the first.
func (m *Members) List(q Query, after int64, limit int) (people []data.ProfileID, last int64, more bool, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	b, err := m.find(q)
	if err != nil {
		return nil, 0, false, err
	}
	it := b.Iterator()
	if after >= 0 {
		it.AdvanceIfNeeded(uint32(min(after+1, 1<<32-1)))
	}
	last = after
	for it.HasNext() {
		if len(people) == limit {
			return people, last, true, nil
		}
		n := it.Next()
		people, last = append(people, m.people.names[n]), int64(n)
	}
	return people, last, false, nil
}

// Has reports whether anybody ever entered the segment.
func (m *Members) Has(segment string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.crowds[segment] != nil
}

// In reports whether a person is in a segment.
func (m *Members) In(id data.ProfileID, segment string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n, ok := m.people.find(id)
	c := m.crowds[segment]
	return ok && c != nil && c.now.Contains(n)
}
