package features

import (
	"slices"
	"strings"
	"time"

	"kindred/data"
	"kindred/features/compact"
)

// The merge log of a profile (data.Profile.Merges) has three kinds of entry, told apart
// by what stands before the position in their source:
//
//	position             From was merged into this profile
//	unmerge:position     the two are apart; From is the other one
//	rebuild:position     this profile's own share of what was folded before that
//	                     unmerge came back; From is the profile itself
//
// An unmerge happens in two steps. Its record empties the person's profile, frees the
// other one, and notes in the index, under RebuildKind, that both await what is theirs
// of the time before. Builder.Rebuild makes that from the log, and an absorb whose id is
// rebuild:position brings it, once: the merge adds it to what came since.
const (
	unmergedPrefix = "unmerge:"
	rebuiltPrefix  = "rebuild:"
)

// RebuildKind is the kind of the index entries of profiles that await their share of
// the time before an unmerge. The id is "position/profile".
const RebuildKind data.IDKind = "rebuild"

// The external ids by which an unmerge and an alias name the second profile.
const (
	idOther = "other" // to the person's profile: who is to leave
	// idOwner, see ownerOf: to the one who leaves: whom
)

// stand is how another profile stands to p.
type stand int

const (
	strange stand = iota // never merged
	joined               // merged into p
	apart                // was merged with p, and somebody undid it
)

// standing is what the newest entry of p's merge log about the other says.
func standing(p *data.Profile, other data.ProfileID) stand {
	for _, m := range slices.Backward(p.Merges) {
		switch {
		case m.From != other || isRebuilt(m.Source):
		case strings.HasPrefix(m.Source, unmergedPrefix):
			return apart
		default:
			return joined
		}
	}
	return strange
}

func isRebuilt(source string) bool { return strings.HasPrefix(source, rebuiltPrefix) }

// isUndoing reports whether the entry with this source is no merge.
func isUndoing(source string) bool {
	return isRebuilt(source) || strings.HasPrefix(source, unmergedPrefix)
}

// merges is how many merges p's log lists.
func merges(p *data.Profile) int {
	n := 0
	for _, m := range p.Merges {
		if !isUndoing(m.Source) {
			n++
		}
	}
	return n
}

// NewUnmerge is what an unmerge tells the person's profile: the other one leaves.
func NewUnmerge(person, other data.ProfileID) data.Event {
	return data.Event{V: data.EventVersion, Source: systemSource, Type: data.System, Name: data.SysUnmerge, Profile: person, IDs: naming(idOther, other)}
}

// NewAlias merges a profile into another, user or not.
func NewAlias(profile, into data.ProfileID) data.Event {
	return data.Event{V: data.EventVersion, Source: systemSource, Type: data.System, Name: data.SysAlias, Profile: profile, IDs: naming(idOwner, into)}
}

func naming(role string, p data.ProfileID) data.IDs {
	return data.IDs{External: []data.ExternalID{{Type: role, ID: string(p)}}}
}

// named is the profile that a system event names in the role, or "".
func named(e data.Event, role string) data.ProfileID {
	if e.Source == systemSource && len(e.IDs.External) == 1 && e.IDs.External[0].Type == role {
		return data.ProfileID(e.IDs.External[0].ID)
	}
	return ""
}

// unmerge takes two profiles apart: the record at the person's, or the one that it
// emits, at the other's.
func (f *fold) unmerge(e data.Event) (Outcome, error) {
	other, owner := named(e, idOther), named(e, idOwner)
	if e.Profile == "" || other == "" && (owner == "" || e.Absorb == nil) || other == e.Profile {
		return f.reject(e, "the unmerge does not name two profiles"), nil
	}
	var err error
	if f.who, err = f.m.hold(f.ctx, e.Profile); err != nil {
		return 0, err
	}
	p := f.m.open(f.who)
	if other == "" {
		return f.free(p, e, owner)
	}
	if p.Redirect != "" || standing(p, other) != joined {
		return Duplicate, nil // apart by now
	}
	return f.detach(p, e, other)
}

// detach empties p, into which the other was merged, but for who it is, and tells the
// other. What p says of the time before comes with its rebuild. p keeps its message
// ids and the other gets a copy, so that a retry is a duplicate wherever it goes.
func (f *fold) detach(p *data.Profile, e data.Event, other data.ProfileID) (Outcome, error) {
	ids, err := f.knownIDs(maxKnownIDs)
	if err != nil {
		return 0, err
	}
	at := f.emit(data.Event{
		V: data.EventVersion, Source: systemSource, Type: data.System, Name: data.SysUnmerge, Profile: other, IDs: naming(idOwner, p.ID), Props: e.Props,
		Times:  data.Times{Event: e.Times.Event, Received: time.UnixMilli(f.now).UTC()},
		Absorb: &data.Absorb{From: p.ID, Dedup: ids},
	})
	f.touch(p)
	f.giveUpRebuilds(p) // this one makes p from the start, without all who are apart
	f.m.clearTimer(f.who, f.m.people.At(f.who))
	if err := f.segmentsLeft(); err != nil {
		return 0, err
	}
	if s := p.Session; s.Events > 0 && !s.Closed {
		f.change(data.Change{Profile: p.ID, Type: "session_ended", From: s.ID}, f.now)
	}
	f.change(data.Change{Profile: p.ID, Type: "unmerged", From: string(p.ID), To: string(other)}, f.now)
	*p = data.Profile{ID: p.ID, Version: p.Version, LastOffset: p.LastOffset, Consent: p.Consent, Identity: without(p.Identity, other),
		Merges: append(p.Merges, data.Merge{From: other, Source: unmergedPrefix + at, At: f.now})}
	f.awaits(p, at, p.ID)
	return Applied, f.assign(p)
}

// without is the identifiers but the one that opened the other: a device that two use
// is remembered as shared.
func without(ids []data.Identifier, other data.ProfileID) []data.Identifier {
	out := make([]data.Identifier, 0, len(ids))
	for _, id := range ids {
		if data.NewProfileID(id.Kind, id.ID) == other {
			if id.Kind != data.IDAnonymous {
				continue
			}
			id.Kind = idShared
		}
		out = append(out, id)
	}
	slices.SortFunc(out, compareIDs)
	return slices.CompactFunc(out, func(a, b data.Identifier) bool { return compareIDs(a, b) == 0 })
}

// free makes p, which was merged into the owner, a profile of its own.
func (f *fold) free(p *data.Profile, e data.Event, owner data.ProfileID) (Outcome, error) {
	if p.Redirect != owner {
		return Duplicate, nil // free, erased, or somebody else's by now
	}
	f.touch(p)
	p.Redirect = ""
	p.Merges = append(p.Merges, data.Merge{From: owner, Source: unmergedPrefix + e.ID, At: f.now})
	for _, id := range p.Identity {
		f.index(p, id.Kind, id.ID, p.ID)
	}
	f.awaits(p, e.ID, p.ID)
	err := decodeIDs(e.Absorb.Dedup, func(day int32, imported bool, ids []uint64) error {
		return f.keep(compact.IDKey{Who: f.who, Day: day, Imported: imported}, ids...)
	})
	if err != nil && err != errDedupBytes {
		return 0, err
	}
	return Applied, f.assign(p)
}

// awaits notes in the index that p awaits its share, or with to "" that it does not.
func (f *fold) awaits(p *data.Profile, position string, to data.ProfileID) {
	f.m.links = append(f.m.links, data.IndexEntry{Kind: RebuildKind, ID: position + "/" + string(p.ID), Profile: to})
}

// settled notes that the share that an absorb with this id brings needs no making.
func (f *fold) settled(p *data.Profile, id string) {
	if position, ok := strings.CutPrefix(id, rebuiltPrefix); ok {
		f.awaits(p, position, "")
	}
}

// giveUpRebuilds makes p refuse the shares that it still awaits: they would bring back
// what was erased or taken out since.
func (f *fold) giveUpRebuilds(p *data.Profile) {
	for _, position := range awaited(p) {
		p.Merges = append(p.Merges, data.Merge{From: p.ID, Source: rebuiltPrefix + position, At: f.now})
		f.awaits(p, position, "")
	}
}

// awaited are the positions of the unmerges after which p's share has not come yet.
func awaited(p *data.Profile) (positions []string) {
	for _, m := range p.Merges {
		position, ok := strings.CutPrefix(m.Source, unmergedPrefix)
		if ok && !slices.ContainsFunc(p.Merges, func(r data.Merge) bool { return r.Source == rebuiltPrefix+position }) {
			positions = append(positions, position)
		}
	}
	return positions
}

// alias merges the record's profile into the one it names.
func (f *fold) alias(e data.Event) (Outcome, error) {
	into := named(e, idOwner)
	if e.Profile == "" || into == "" || into == e.Profile {
		return f.reject(e, "the alias does not name two profiles"), nil
	}
	var err error
	if f.who, err = f.m.hold(f.ctx, e.Profile); err != nil {
		return 0, err
	}
	p := f.m.open(f.who)
	if p.Redirect != "" || p.Deleted || p.Version == 0 {
		return Duplicate, nil // somebody else's by now, or nobody
	}
	f.touch(p)
	return Applied, f.leave(p, into, millis(e.Times.Event))
}
