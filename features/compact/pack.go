package compact

import (
	"bytes"
	"fmt"
	"time"
	"unsafe"

	"kindred/data"
)

// The sizes that Size counts, beside the texts.
const (
	emptySize = 256
	slotSize  = 10
	paneSize  = 4
	timeSize  = 3
)

// Size estimates the encoded bytes of a compact profile without its history, as the
// budget of package features counts them; it is kept up to date by every change.
func (p *Person) Size() int { return int(p.size) }

// cluster is a data.Assignment: 40 bytes.
type cluster struct {
	distance, confidence float64
	since                int64
	version              Symbol
	number               int32
	model                Symbol
}

// Open returns the profile of a person for changing it at will. Until Close, the
// compact form is empty. The profile has memory of its own.
func (s *Store) Open(r Ref) *data.Profile {
	if q := s.rich[r]; q != nil {
		return q
	}
	p := s.At(r)
	q := s.Unpack(r)
	s.SetSegments(r, nil)
	s.empty(p)
	p.Flags &^= Plain
	s.rich[r] = &q
	return &q
}

// Close gives an opened profile its compact form back, if it has one; otherwise it
// stays as it is. The compact form copies what it keeps.
func (s *Store) Close(r Ref) {
	q := s.rich[r]
	if p := s.At(r); q != nil && s.pack(p, q) {
		delete(s.rich, r)
		s.SetSegments(r, q.Segments)
		p.Flags |= Plain
	}
}

// IsOpen reports whether a person's profile is not in its compact form.
func (s *Store) IsOpen(r Ref) bool { return s.At(r).Flags&Plain == 0 }

// pack makes p the compact form of q; false, without a change, when it has none.
func (s *Store) pack(p *Person, q *data.Profile) bool {
	switch {
	case p.Flags&foreign != 0, q.Version > MaxVersion, !Fits(q.FirstSeen), !Fits(q.LastSeen), !Fits(q.Engagement.T):
		return false
	case !fitIdentity(q.Identity), !fitSession(q.Session), !fitSession(q.Previous):
		return false
	case !fitRecents(q.Recent), !fitHistory(q.History), !fitAffinities(q.Affinities), !s.fitWindows(q.Slots):
		return false
	case len(q.History)*wideWidth+4*s.sizeOf(q) > maxBlock: // no part takes four times what Size counts
		return false
	}
	p.Version, p.LastOffset, p.Sessions = uint32(q.Version), q.LastOffset, q.Sessions
	p.firstSeen, p.lastSeen = stamped(q.FirstSeen, 0), stamped(q.LastSeen, 0)
	p.SetEngagement(q.Engagement)
	p.Flags &^= wideHistory | widePanes | Deleted | Redirected
	p.set(Deleted, q.Deleted)
	p.set(Redirected, q.Redirect != "")
	s.packPapers(p, q)
	s.packRecents(p, q.Recent)
	s.packHistory(p, q.History)
	s.packAffinities(p, q.Affinities)
	s.packWindows(p, q.Slots)
	out := resize[cluster](s, p, inClusters, len(q.Clusters))
	for i, c := range q.Clusters {
		out[i] = s.packCluster(c)
	}
	p.size = uint32(s.sizeOf(q))
	return true
}

// packPapers takes over identifiers, sessions and what is rare.
func (s *Store) packPapers(p *Person, q *data.Profile) {
	var named bool
	p.Session, named = packSession(q.Session)
	p.set(currentNamed, named)
	p.set(currentClosed, q.Session.Closed)
	p.Previous, named = packSession(q.Previous)
	p.set(previousNamed, named)
	p.set(previousClosed, q.Previous.Closed)
	rare := data.Profile{Redirect: q.Redirect, Merges: q.Merges, Traits: q.Traits, Consent: q.Consent}
	hasRare := q.Redirect != "" || len(q.Merges) > 0 || len(q.Traits) > 0 || len(q.Consent) > 0
	if len(q.Identity) == 0 && !hasRare && p.Derived() {
		return
	}
	s.setPapers(p, func(dst []byte) []byte {
		dst = appendIdentity(dst, q.ID, q.Identity)
		if p.Flags&currentNamed != 0 {
			dst = appendName(dst, q.Session.ID)
		}
		if p.Flags&previousNamed != 0 {
			dst = appendName(dst, q.Previous.ID)
		}
		if hasRare {
			dst, _ = rare.AppendBinary(dst) // never fails
		}
		return dst
	})
}

// sizeOf is Size from scratch.
func (s *Store) sizeOf(q *data.Profile) int {
	n := emptySize + len(q.Consent)
	for _, id := range q.Identity {
		n += len(id.ID) + 20
	}
	for _, m := range q.Merges {
		n += len(m.From) + len(m.Source) + 8
	}
	for _, t := range q.Traits {
		n += len(t.Name) + len(t.Value) + len(t.Source) + 10
	}
	for _, x := range q.Slots {
		n += slotSize + paneSize*len(x.Panes) + timeSize*len(x.Ring)
	}
	for _, a := range q.Affinities {
		n += len(a.Facet) + len(a.Value) + 18
	}
	for _, r := range q.Recent {
		n += len(r.ID) + len(r.Name) + len(r.Item) + 10
	}
	return n
}

// scratch is memory that is used again.
type scratch struct {
	keys    [][2]uint64
	refs    []Ref
	history []narrow
	slots   []data.Slot
	papers  []byte

	model, version Symbol // of the last assignment
}

// Unpack is the profile of a person, in memory of its own.
func (s *Store) Unpack(r Ref) data.Profile {
	q, err := s.unpack(r)
	if err != nil {
		panic("compact: " + err.Error()) // we wrote the papers ourselves
	}
	return *q
}

// unpack builds the profile. Its texts are the symbols', or its own. The error is that
// of papers that cannot be read.
func (s *Store) unpack(r Ref) (*data.Profile, error) {
	if q := s.rich[r]; q != nil {
		return q, nil
	}
	p, q := s.At(r), &data.Profile{}
	all := make([]byte, 0, s.textLen(p))
	// text is a string of what fn appends; all has room for all of it.
	text := func(fn func([]byte) []byte) string {
		from := len(all)
		if all = fn(all); len(all) == from {
			return ""
		}
		return unsafe.String(&all[from], len(all)-from)
	}
	same := func(b []byte) string { return text(func(dst []byte) []byte { return append(dst, b...) }) }
	name := func(y *Session, named bool, b []byte) string {
		switch {
		case named:
			return same(b)
		case y.Events == 0:
			return ""
		}
		return text(func(dst []byte) []byte { return appendDerived(dst, y.ID) })
	}
	q.ID = data.ProfileID(text(func(dst []byte) []byte { return appendID(dst, p.id) }))
	q.Version, q.LastOffset, q.FirstSeen, q.LastSeen = uint64(p.Version), p.LastOffset, p.FirstSeen(), p.LastSeen()
	q.Engagement, q.Sessions, q.Deleted = p.Engagement(), p.Sessions, p.Flags&Deleted != 0

	q.Segments = bytes.Clone(s.Segments(r))

	ids, current, previous, rest := s.sections(p)
	if len(rest) > 0 {
		var rare data.Profile
		if err := rare.UnmarshalBinary(rest); err != nil {
			return nil, fmt.Errorf("papers: %w", err)
		}
		q.Redirect, q.Merges, q.Traits, q.Consent = rare.Redirect, rare.Merges, rare.Traits, rare.Consent
	}
	if len(ids) > 0 {
		n, left := ids[0], ids[1:]
		for range n {
			var y identifier
			y, left = next(left)
			q.Identity = append(q.Identity, data.Identifier{Kind: y.kind(), ID: text(y.appendText), FirstSeen: y.first(), LastSeen: y.last()})
		}
	}
	q.Session = unpackSession(&p.Session, name(&p.Session, p.Flags&currentNamed != 0, current), p.Closed())
	q.Previous = unpackSession(&p.Previous, name(&p.Previous, p.Flags&previousNamed != 0, previous), p.PreviousClosed())
	q.Slots = s.unpackWindows(p, q.Slots)
	q.Affinities = s.unpackAffinities(p, q.Affinities)
	q.History = s.unpackHistory(p, q.History)
	recents := view[recent](s, p, inRecents)
	for k := len(recents) - 1; k >= 0; k-- {
		y := &recents[k]
		q.Recent = append(q.Recent, data.RecentEvent{ID: text(func(dst []byte) []byte { return s.appendEventID(dst, y) }),
			Name: s.Symbols.Text(y.name), Item: data.ItemID(s.Symbols.Text(y.item)), At: y.at.time()})
	}
	for _, c := range view[cluster](s, p, inClusters) {
		q.Clusters = append(q.Clusters, s.unpackCluster(&c))
	}
	return q, nil
}

// textLen bounds the bytes that unpack writes.
func (s *Store) textLen(p *Person) int {
	n := idBytes + 2*(len(derivedPrefix)+16) + 3*p.len(inPapers) // a UUID's text is that much longer
	recents := view[recent](s, p, inRecents)
	for k := range recents {
		n += recents[k].idLen()
	}
	return n
}

// Room reports whether the lists of a compact profile can take one event more with
// an id of so many bytes, so many items, and so many values of facets.
func (p *Person) Room(idBytes, items, values int) bool {
	most := p.start(parts) + p.marks() + items*wideWidth + values*widths[inAffinities] + roomForRest
	if p.Flags&wideHistory == 0 {
		most += p.len(inHistory) * (wideWidth - widths[inHistory])
	}
	return p.Version < MaxVersion && idBytes <= maxText && most <= maxBlock && p.len(inHistory)+items <= maxPart &&
		p.len(inAffinities)+values <= maxPart && p.len(inRecents) < maxPart
}

// roomForRest is more than one event adds to the other parts: an entry of recents, of
// ids and of clusters, times and panes in windows, which may be widened, the names of
// two sessions, and the marks of a history that becomes a long one.
const roomForRest = 2*maxText + 1<<14

// Shrink gives up recent events, oldest first, down to keepRecents, and then the weakest
// value of the longest facet, down to keepValues a facet, until Size is less by over.
// It returns how much is still over.
func (s *Store) Shrink(p *Person, over, keepRecents, keepValues int, halfLife time.Duration) int {
	target := int(p.size) - over
	recents := view[recent](s, p, inRecents)
	n, size := 0, int(p.size)
	for ; size > target && len(recents)-n > keepRecents; n++ {
		size -= s.recentSize(&recents[n])
	}
	s.dropRecents(p, n)
	for int(p.size) > target {
		all := view[affinity](s, p, inAffinities)
		from, to := s.longestFacet(all)
		if to-from <= keepValues {
			break
		}
		i := from + weakest(all[from:to], halfLife)
		p.size -= uint32(s.affinitySize(all[i].pair()))
		s.remove(p, inAffinities, i, i+1)
	}
	return int(p.size) - target
}

// longestFacet is where the facet with the most values is, the first of equal ones.
func (s *Store) longestFacet(all []affinity) (from, to int) {
	for i := 0; i < len(all); {
		j := i + 1
		for facet := s.Symbols.known[all[i].pair()].facet; j < len(all) && s.Symbols.known[all[j].pair()].facet == facet; j++ {
		}
		if j-i > to-from {
			from, to = i, j
		}
		i = j
	}
	return from, to
}

// Cluster is the person's assignment by a model, false when there is none.
func (s *Store) Cluster(p *Person, model string) (data.Assignment, bool) {
	all := view[cluster](s, p, inClusters)
	if len(all) == 0 {
		return data.Assignment{}, false
	}
	name := s.again(&s.scratch.model, model)
	for i := range all {
		if all[i].model == name {
			return s.unpackCluster(&all[i]), true
		}
	}
	return data.Assignment{}, false
}

// again is the symbol of a text that is mostly the last one.
func (s *Store) again(last *Symbol, text string) Symbol {
	if s.Symbols.Text(*last) != text {
		*last = s.Symbols.Of(text)
	}
	return *last
}

// SetCluster replaces the person's assignment by the same model, or adds it.
func (s *Store) SetCluster(p *Person, a data.Assignment) {
	one := s.packCluster(a)
	all := view[cluster](s, p, inClusters)
	i := 0
	for i < len(all) && all[i].model != one.model && s.Symbols.Text(all[i].model) < a.Model {
		i++
	}
	if i < len(all) && all[i].model == one.model {
		all[i] = one
		return
	}
	insert(s, p, inClusters, i, one)
}

func (s *Store) packCluster(a data.Assignment) cluster {
	return cluster{distance: a.Distance, confidence: a.Confidence, since: a.Since, version: s.again(&s.scratch.version, a.Version), number: a.Cluster, model: s.again(&s.scratch.model, a.Model)}
}

func (s *Store) unpackCluster(c *cluster) data.Assignment {
	return data.Assignment{Model: s.Symbols.Text(c.model), Version: s.Symbols.Text(c.version), Cluster: c.number,
		Distance: c.distance, Confidence: c.confidence, Since: c.since}
}
