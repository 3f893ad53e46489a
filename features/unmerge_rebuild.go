package features

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kindred/data"
	"kindred/features/segment"
)

// Entry is a record about a profile and where it is in the log.
type Entry struct {
	Partition int32
	Offset    int64
	Event     data.Event
}

// Position is a place in the log: what stands before the last slash of the id of an
// event that the fold emitted.
type Position struct {
	Partition int32
	Offset    int64
}

// ParsePosition reads the id of an emitted event, or a source in the merge log.
func ParsePosition(source string) (Position, bool) {
	source = strings.TrimPrefix(strings.TrimPrefix(source, unmergedPrefix), rebuiltPrefix)
	partition, rest, _ := strings.Cut(source, "/")
	offset, _, _ := strings.Cut(rest, "/")
	n, err := strconv.ParseInt(partition, 10, 32)
	at, wrong := strconv.ParseInt(offset, 10, 64)
	return Position{int32(n), at}, err == nil && wrong == nil
}

// Undoes reports what an entry of the merge log tells: that a merge was undone, or that
// the profile's own share of the time before came back. Neither: a merge.
func Undoes(m data.Merge) (unmerged, rebuilt bool) {
	return strings.HasPrefix(m.Source, unmergedPrefix), isRebuilt(m.Source)
}

// Awaited reports whether p still awaits its share of the time before an unmerge.
func Awaited(p data.Profile) bool { return len(awaited(&p)) > 0 }

// Unmerging is one unmerge, as its record says: Other leaves Person.
type Unmerging struct {
	ID            string // of the events it led to: the position
	At            Position
	Person, Other data.ProfileID
	// Rules are the segment rules that were live there, or nil: what they count comes back, too.
	Rules *segment.Set
}

// ParseUnmerging reads the unmerge that a pending entry of the index is about, given
// the record at its position.
func ParseUnmerging(id string, e data.Event) (Unmerging, error) {
	at, ok := ParsePosition(id)
	other := named(e, idOther)
	if !ok || e.Name != data.SysUnmerge || other == "" {
		return Unmerging{}, fmt.Errorf("the record at %s is no unmerge", id)
	}
	return Unmerging{ID: id, At: at, Person: e.Profile, Other: other}, nil
}

// Family lists the profiles whose records Rebuild may ask for: those two, what was
// merged into them, and whom they were once merged with. profile gives the zero
// profile for one that nobody has met.
func (u Unmerging) Family(profile func(data.ProfileID) (data.Profile, error)) ([]data.ProfileID, error) {
	family := []data.ProfileID{u.Person, u.Other}
	for i := 0; i < len(family); i++ {
		p, err := profile(family[i])
		if err != nil {
			return nil, err
		}
		for _, m := range p.Merges {
			if !slices.Contains(family, m.From) {
				family = append(family, m.From)
			}
		}
	}
	return family, nil
}

// Rebuild folds what the log says of Person and Other before the unmerge, each by
// itself, as if they had never been merged: an event that names a user is that user's,
// one that names only a device is the device's, and what else was merged into either
// stays there. The results are the absorbs to be appended, stamped with now; folding
// one twice changes nothing. records are those of one profile, oldest first.
//
// Nothing is read but the log, so that the result does not depend on when it is made.
// Order is by received stamp: what is exact whatever the order (counts, windows, traits,
// history) is exact here, and sessions are as Merge has them.
func (b *Builder) Rebuild(ctx context.Context, u Unmerging, now time.Time, records func(data.ProfileID) []Entry) (person, other data.Event, err error) {
	s := splitter{b: b, records: records, next: map[data.ProfileID]int64{}, left: map[data.ProfileID]data.ProfileID{}, into: map[data.ProfileID]data.ProfileID{},
		deleted: map[data.ProfileID]int64{}, erased: map[message]bool{}}
	all, gone := s.take(u.Person, u.At.Offset+1, -1, nil)
	slices.SortStableFunc(all, func(x, y act) int {
		return cmp.Or(x.Event.Times.Received.Compare(y.Event.Times.Received), cmp.Compare(x.Partition, y.Partition), cmp.Compare(x.Offset, y.Offset))
	})
	m := NewMemory(0, State{}, nil, nil)
	if u.Rules != nil {
		m = NewMemory(0, State{Rules: "rebuilt"}, nil, nil).WithRules(func(context.Context, string) (*segment.Set, error) { return u.Rules, nil })
	}
	for i, a := range all {
		e := a.Event
		switch {
		case s.within(a.of, u.Other):
			e.Profile = u.Other
		case slices.ContainsFunc(gone, func(x data.ProfileID) bool { return s.within(a.of, x) }):
			continue // somebody else's who left before
		default:
			e.Profile = u.Person
		}
		e.IDs = data.IDs{} // who is who is settled
		if _, err := b.Fold(ctx, m, int64(i), e); err != nil {
			return person, other, err
		}
	}
	if person, err = absorbOf(ctx, m, u, u.Person, now); err == nil {
		other, err = absorbOf(ctx, m, u, u.Other, now)
	}
	return person, other, err
}

// absorbOf is the event that brings a profile its share.
func absorbOf(ctx context.Context, m *Memory, u Unmerging, id data.ProfileID, now time.Time) (data.Event, error) {
	p, _, err := m.Profile(ctx, id)
	if err != nil {
		return data.Event{}, err
	}
	p.ID, p.Version, p.LastOffset, p.Clusters = id, 0, 0, nil
	state, err := absorbable(&p)
	return data.Event{
		V: data.EventVersion, ID: rebuiltPrefix + u.ID, Source: systemSource, Type: data.System, Name: data.SysAbsorb, Profile: id,
		Times: data.Times{Event: now, Received: now}, Absorb: &data.Absorb{From: id, State: state},
	}, err
}

// splitter walks the records of a person and of all who were merged into them.
type splitter struct {
	b       *Builder
	records func(data.ProfileID) []Entry
	next    map[data.ProfileID]int64          // offset up to which records were taken
	left    map[data.ProfileID]data.ProfileID // who was merged away there, and into whom
	into    map[data.ProfileID]data.ProfileID // every merge met: from, to
	deleted map[data.ProfileID]int64          // whose tombstone nothing has followed yet, and of when it is
	erased  map[message]bool                  // for good, whenever they are delivered again
}

type message struct{ source, id string }

// act is an ordinary event and the profile that its identifiers alone lead to.
type act struct {
	Entry
	of data.ProfileID
}

// take returns the acts that were folded into the profile before the offset and are not
// erased, and who has left it by then. The record at linked, if it is not -1, linked the
// profile to the user whom it names.
func (s *splitter) take(id data.ProfileID, before, linked int64, from []data.ProfileID) (acts []act, gone []data.ProfileID) {
	from = append(from, id)
	for _, r := range s.records(id) {
		if r.Offset < s.next[id] {
			continue
		}
		if r.Offset >= before {
			break
		}
		e := &r.Event
		if e.Type != data.System {
			ids := s.b.cfg.Identity.OfIDs(e.IDs, e.Imported)
			of := ownOf(ids, id)
			links := ids.User != "" && linked == r.Offset
			if s.left[id] == "" && !s.isErased(e, id) && (ids.User == "" || of == id || links || slices.Contains(from, of) || s.within(of, id)) {
				acts = append(acts, act{r, of}) // any other was sent on, and is met there
			}
			continue
		}
		switch e.Name {
		case data.SysAbsorb:
			at, ok := ParsePosition(e.ID)
			if e.Absorb == nil || isRebuilt(e.ID) || !ok || slices.Contains(from, e.Absorb.From) {
				continue // a share is made anew, from the acts
			}
			sub, _ := s.take(e.Absorb.From, at.Offset+1, at.Offset, from)
			acts = append(acts, sub...)
			owner := s.joins(e.Absorb.From, at.Offset, id)
			s.left[e.Absorb.From], s.into[e.Absorb.From] = owner, owner
			gone = slices.DeleteFunc(gone, func(x data.ProfileID) bool { return x == e.Absorb.From })
		case data.SysDelete:
			if owner := ownerOf(*e); owner == "" || owner == s.left[id] {
				acts = slices.DeleteFunc(acts, func(a act) bool { // but what was taken out before
					goes := !slices.ContainsFunc(gone, func(x data.ProfileID) bool { return s.within(a.of, x) })
					if goes {
						s.erased[message{a.Event.Source, a.Event.ID}] = true
					}
					return goes
				})
				delete(s.left, id)
				s.deleted[id] = millis(e.Times.Received)
			}
		case data.SysUnmerge:
			if other := named(*e, idOther); other != "" && s.into[other] == id {
				gone = append(gone, other)
				continue
			}
			owner := named(*e, idOwner)
			if at, ok := ParsePosition(e.ID); ok && owner != "" && !slices.Contains(from, owner) {
				sub, _ := s.take(owner, at.Offset, -1, from)
				for _, a := range sub {
					if s.within(a.of, id) {
						acts = append(acts, a)
					}
				}
			}
			if owner == s.left[id] {
				delete(s.left, id)
			}
		}
	}
	s.next[id] = max(s.next[id], before)
	return acts, gone
}

// joins is the profile that from was merged into by its record at the offset: the
// user's whom that names, or the alias'; known is whose merge log tells of it, which may
// be of a profile that the other became part of.
func (s *splitter) joins(from data.ProfileID, offset int64, known data.ProfileID) data.ProfileID {
	for _, r := range s.records(from) {
		if r.Offset != offset {
			continue
		}
		if owner := named(r.Event, idOwner); r.Event.Type == data.System && owner != "" {
			return owner
		}
		if ids := s.b.cfg.Identity.OfIDs(r.Event.IDs, r.Event.Imported); r.Event.Type != data.System && ids.User != "" {
			return data.NewProfileID(data.IDUser, string(ids.User))
		}
	}
	return known
}

// isErased reports whether the event was erased, or happened before its profile was and
// came while nothing else had followed.
func (s *splitter) isErased(e *data.Event, id data.ProfileID) bool {
	if s.erased[message{e.Source, e.ID}] {
		return true
	}
	at, tomb := s.deleted[id]
	if tomb && millis(e.Times.Event) <= at {
		return true
	}
	delete(s.deleted, id)
	return false
}

// ownOf is the profile that the identifiers lead to when nobody is merged; at is where
// they were met.
func ownOf(ids data.IDs, at data.ProfileID) data.ProfileID {
	switch {
	case ids.User != "":
		return data.NewProfileID(data.IDUser, string(ids.User))
	case ids.Anonymous != "":
		return data.NewProfileID(data.IDAnonymous, string(ids.Anonymous))
	}
	return at
}

// within reports whether the profile is top or was merged into it.
func (s *splitter) within(id, top data.ProfileID) bool {
	for range len(s.into) + 1 {
		if id == top {
			return true
		}
		next, ok := s.into[id]
		if !ok {
			return false
		}
		id = next
	}
	return false
}

// Joined reports whether the other profile is part of p.
func Joined(p data.Profile, other data.ProfileID) bool { return standing(&p, other) == joined }

// PositionText is the position in the source of an entry of the merge log.
func PositionText(source string) string {
	return strings.TrimPrefix(strings.TrimPrefix(source, unmergedPrefix), rebuiltPrefix)
}

// Parts are the profiles that were merged into p and are part of it, each once.
func Parts(p data.Profile) (parts []data.ProfileID) {
	for _, m := range p.Merges {
		if !isUndoing(m.Source) && Joined(p, m.From) && !slices.Contains(parts, m.From) {
			parts = append(parts, m.From)
		}
	}
	return parts
}
