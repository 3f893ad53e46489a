package data

import (
	"bytes"
	"fmt"
	"math"
	"unsafe"
)

// profileVersion is the first byte of an encoded profile.
const profileVersion = 1

// The flags of an encoded profile; all other bits are zero.
const (
	profileDeleted = 1 << iota
	profileHasConsent
	profileHasSegments
)

// AppendBinary appends the encoded profile to dst. Equal profiles give equal bytes,
// for nil and empty slices alike. It implements encoding.BinaryAppender; the error
// is always nil.
//
// Layout: version byte, flags byte, then the fields in the order of the type.
// Lengths and counts are uvarints, strings and raw values a length and the bytes,
// signed numbers zigzag varints. Event times inside are differences to LastSeen,
// which are short. A float is the uvarint of its bits in reversed byte order, so
// that small whole numbers take two or three bytes. An affinity's facet is 0 when
// it is the one before it, else its length + 1 and its bytes. A history item has
// Rated, as the difference to Last, only if it has a rating.
func (p *Profile) AppendBinary(dst []byte) ([]byte, error) {
	w := profileWriter{b: append(dst, profileVersion), last: p.LastSeen}
	var flags byte
	if p.Deleted {
		flags |= profileDeleted
	}
	if len(p.Consent) > 0 {
		flags |= profileHasConsent
	}
	if len(p.Segments) > 0 {
		flags |= profileHasSegments
	}
	w.b = append(w.b, flags)
	w.text(string(p.ID))
	w.uint(p.Version)
	w.int(p.LastOffset)
	w.int(p.LastSeen)
	w.time(p.FirstSeen)
	w.text(string(p.Redirect))

	w.count(len(p.Identity))
	for _, id := range p.Identity {
		w.text(string(id.Kind))
		w.text(id.ID)
		w.time(id.FirstSeen)
		w.time(id.LastSeen)
	}
	w.count(len(p.Merges))
	for _, m := range p.Merges {
		w.text(string(m.From))
		w.text(m.Source)
		w.time(m.At)
	}
	w.count(len(p.Traits))
	for _, t := range p.Traits {
		w.text(t.Name)
		w.text(string(t.Value))
		w.time(t.At)
		w.text(t.Source)
	}
	w.slots(p.Slots)
	w.affinities(p.Affinities)
	w.decayed(p.Engagement)
	w.session(p.Session)
	w.session(p.Previous)
	w.uint(uint64(p.Sessions))
	w.count(len(p.Recent))
	for _, r := range p.Recent {
		w.text(r.ID)
		w.text(r.Name)
		w.text(string(r.Item))
		w.time(r.At)
	}
	w.count(len(p.History))
	for _, h := range p.History {
		w.text(string(h.Item))
		w.uint(uint64(h.Kinds))
		w.uint(uint64(h.Count))
		w.float(h.Value)
		w.float(h.Weight)
		w.time(h.Last)
		if h.Has(Rating) {
			w.int(h.Last - h.Rated) // may wrap round, as all times here
		}
	}
	w.count(len(p.Clusters))
	for _, a := range p.Clusters {
		w.text(a.Model)
		w.text(a.Version)
		w.int(int64(a.Cluster))
		w.float(a.Distance)
		w.float(a.Confidence)
		w.time(a.Since)
	}
	if len(p.Consent) > 0 {
		w.text(string(p.Consent))
	}
	if len(p.Segments) > 0 {
		w.text(string(p.Segments))
	}
	return w.b, nil
}

// UnmarshalBinary makes *p the profile that AppendBinary encoded; empty slices
// become nil. It accepts only bytes that AppendBinary writes, so reading and
// writing again changes nothing. The strings of the result share one copy of b.
// The error names the field.
func (p *Profile) UnmarshalBinary(b []byte) error {
	r := profileReader{b: b, s: string(b)}
	return p.unmarshal(&r)
}

// UnmarshalHistory is UnmarshalBinary for who wants to know what the person used: of
// the lists it reads History and Segments alone, and leaves the others, Session and Previous out. It
// refuses what UnmarshalBinary refuses, with the same words. The result holds none
// of b's memory and no more than it has to.
func (p *Profile) UnmarshalHistory(b []byte) error {
	r := profileReader{b: b, s: unsafe.String(unsafe.SliceData(b), len(b)), brief: true}
	var q Profile
	if err := q.unmarshal(&r); err != nil {
		return err
	}
	q.ownTexts()
	*p = q
	return nil
}

// ownTexts puts the texts of a profile that was read in brief into memory of their own.
func (p *Profile) ownTexts() {
	texts := make([]byte, 0, len(p.ID)+len(p.Redirect)+16*len(p.History))
	texts = append(append(texts, p.ID...), p.Redirect...)
	for i := range p.History {
		texts = append(texts, p.History[i].Item...)
	}
	own := string(texts)
	next := func(n int) (s string) {
		s, own = own[:n], own[n:]
		return s
	}
	p.Segments = bytes.Clone(p.Segments)
	p.ID, p.Redirect = ProfileID(next(len(p.ID))), ProfileID(next(len(p.Redirect)))
	for i := range p.History {
		p.History[i].Item = ItemID(next(len(p.History[i].Item)))
	}
}

// unmarshal reads the whole of r, or in brief what UnmarshalHistory says.
func (p *Profile) unmarshal(r *profileReader) error {
	b := r.b
	if len(b) < 2 {
		return fmt.Errorf("decode profile: %d bytes are too few", len(b))
	}
	if b[0] != profileVersion {
		return fmt.Errorf("decode profile: version %d is not one this build reads; it reads %d", b[0], profileVersion)
	}
	flags := b[1]
	if flags&^(profileDeleted|profileHasConsent|profileHasSegments) != 0 {
		return fmt.Errorf("decode profile: flags %#x hold unknown bits", flags)
	}
	r.i = 2
	var q Profile
	q.Deleted = flags&profileDeleted != 0
	r.field = "id"
	q.ID = ProfileID(r.text())
	q.Version = r.uint(math.MaxUint64)
	q.LastOffset = r.int()
	q.LastSeen = r.int()
	r.last = q.LastSeen
	q.FirstSeen = r.time()
	q.Redirect = ProfileID(r.text())

	q.Identity = readUnlessBrief(r, "identity", 4, func() Identifier {
		return Identifier{Kind: IDKind(r.text()), ID: r.text(), FirstSeen: r.time(), LastSeen: r.time()}
	})
	q.Merges = readUnlessBrief(r, "merges", 3, func() Merge {
		return Merge{From: ProfileID(r.text()), Source: r.text(), At: r.time()}
	})
	q.Traits = readUnlessBrief(r, "traits", 4, func() Trait {
		return Trait{Name: r.text(), Value: r.raw(), At: r.time(), Source: r.text()}
	})
	q.Slots = readUnlessBrief(r, "slots", 10, r.slot)
	previous := ""
	q.Affinities = readUnlessBrief(r, "affinities", 4, func() Affinity {
		previous = r.facet(previous)
		return Affinity{Facet: previous, Value: r.text(), Decayed: r.decayed()}
	})
	r.field = "engagement"
	q.Engagement = r.decayed()
	r.field = "session"
	q.Session = r.session()
	q.Previous = r.session()
	q.Sessions = uint32(r.uint(math.MaxUint32))
	q.Recent = readUnlessBrief(r, "recent", 4, func() RecentEvent {
		return RecentEvent{ID: r.text(), Name: r.text(), Item: ItemID(r.text()), At: r.time()}
	})
	q.History = readMany(r, "history", 6, func() HistoryItem {
		h := HistoryItem{
			Item: ItemID(r.text()), Kinds: uint16(r.uint(math.MaxUint16)), Count: uint32(r.uint(math.MaxUint32)),
			Value: r.float(), Weight: r.float(), Last: r.time(),
		}
		if h.Has(Rating) {
			h.Rated = h.Last - r.int()
		}
		return h
	})
	q.Clusters = readUnlessBrief(r, "clusters", 6, func() Assignment {
		return Assignment{
			Model: r.text(), Version: r.text(), Cluster: r.int32(),
			Distance: r.float(), Confidence: r.float(), Since: r.time(),
		}
	})
	r.field = "consent"
	if flags&profileHasConsent != 0 {
		if q.Consent = r.raw(); len(q.Consent) == 0 {
			r.fail("is empty, against its flag")
		}
	}
	r.field = "segments"
	if flags&profileHasSegments != 0 {
		if q.Segments = r.raw(); len(q.Segments) == 0 {
			r.fail("is empty, against its flag")
		}
	}
	if r.field = "end"; r.i != len(b) {
		r.fail("bytes are left over")
	}
	if r.err != nil {
		return fmt.Errorf("decode profile: %w", r.err)
	}
	if r.brief {
		q.Engagement, q.Session, q.Previous, q.Sessions, q.Consent = Decayed{}, Session{}, Session{}, 0, nil
	}
	*p = q
	return nil
}
