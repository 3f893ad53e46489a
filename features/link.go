package features

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"kindred/data"
	"kindred/data/event"
	"kindred/features/compact"
)

const (
	// idShared is the kind of an anonymous id that another person owns: a shared
	// device. It is remembered, and leads to nobody.
	idShared data.IDKind = "shared"
)

// elsewhere is the profile that an event with these identifiers belongs to instead of
// p, or "". An event of another user than the one p belongs to goes to that user:
// people are never merged, unless an alias said so. by is the profile that sent the
// event on because its person is p's, or "": so an alias of an alias is known.
func elsewhere(p *data.Profile, ids data.IDs, by data.ProfileID) (to data.ProfileID, person bool) {
	if ids.User == "" {
		if p.Redirect != "" || ids.Anonymous == "" {
			return p.Redirect, false
		}
		if device := data.NewProfileID(data.IDAnonymous, string(ids.Anonymous)); standing(p, device) == apart {
			return device, false // the index was behind when the event was routed
		}
		return "", false
	}
	theirs := data.NewProfileID(data.IDUser, string(ids.User))
	switch {
	case theirs == p.ID || aliased(p, theirs, by):
		return p.Redirect, true
	case p.Redirect == "" && userOf(p) == "" && opened(p, ids.Anonymous) && standing(p, theirs) != apart:
		return "", false // a device, still nobody's: identify links it
	}
	return theirs, false
}

// opened reports whether the device opened p. A user's profile has no user id either
// once it is erased, and must not be linked.
func opened(p *data.Profile, anon data.AnonymousID) bool {
	return anon != "" && p.ID == data.NewProfileID(data.IDAnonymous, string(anon))
}

// aliased reports whether the user of that profile is p's by an alias, or by one of the
// profile that sent the event on.
func aliased(p *data.Profile, theirs, by data.ProfileID) bool {
	return standing(p, theirs) == joined || by != "" && standing(p, by) == joined
}

// sentBy is the profile that sent the event on to the one it was merged into, or "".
func sentBy(e *data.Event) data.ProfileID {
	if e.Type == data.System || e.Absorb == nil {
		return ""
	}
	return e.Absorb.From
}

// sendOn forwards an event that belongs elsewhere, and reports whether it does.
func (f *fold) sendOn(p *data.Profile, e *data.Event, ids data.IDs) bool {
	to, person := elsewhere(p, ids, sentBy(e))
	if to == "" {
		return false
	}
	sent := detached(e)
	sent.Absorb = nil
	if person {
		sent.Absorb = &data.Absorb{From: p.ID}
	}
	f.forward(sent, to)
	return true
}

// userOf is the user id that leads to p, or "".
func userOf(p *data.Profile) string {
	for _, id := range p.Identity {
		if id.Kind == data.IDUser {
			return id.ID
		}
	}
	return ""
}

// identify records the event's identifiers and returns the profile that p now turns
// out to belong to, or "".
func (f *fold) identify(p *data.Profile, e data.Event, at int64) (link data.ProfileID) {
	user, anon := string(e.IDs.User), string(e.IDs.Anonymous)
	if user != "" {
		if theirs := data.NewProfileID(data.IDUser, user); theirs != p.ID && !aliased(p, theirs, sentBy(&e)) {
			link = theirs
		}
		f.see(p, data.IDUser, user, at)
	}
	switch {
	case anon == "":
	case user != "" && link == "" && !owns(p, anon):
		if f.see(p, idShared, anon, at) {
			f.change(data.Change{Profile: p.ID, Type: "switched", From: string(data.NewProfileID(data.IDAnonymous, anon)), To: string(p.ID)}, f.now)
		}
	default:
		f.see(p, data.IDAnonymous, anon, at)
	}
	return link
}

// owns reports whether the anonymous id was ever p's: linked to it or merged into it.
func owns(p *data.Profile, anon string) bool {
	if _, found := findID(p, data.IDAnonymous, anon); found {
		return true
	}
	return standing(p, data.NewProfileID(data.IDAnonymous, anon)) == joined
}

// see notes an identifier and reports whether it is new to p.
//
// An entry of the identity index is only ever written by the profile that the
// identifier itself opens. So one partition alone writes it, and the index is the same
// in whatever order partitions are folded.
func (f *fold) see(p *data.Profile, kind data.IDKind, id string, at int64) bool {
	i, found := findID(p, kind, id)
	if found {
		known := &p.Identity[i]
		known.FirstSeen, known.LastSeen = min(known.FirstSeen, at), max(known.LastSeen, at)
		return false
	}
	p.Identity = slices.Insert(p.Identity, i, data.Identifier{Kind: kind, ID: id, FirstSeen: at, LastSeen: at})
	limitIDs(p, f.b.cfg.Identity.MaxIDs)
	f.index(p, kind, id, p.ID)
	return true
}

// index makes the identifier lead to a profile, or to nobody, if it opened p.
func (f *fold) index(p *data.Profile, kind data.IDKind, id string, to data.ProfileID) {
	if kind != idShared && data.NewProfileID(kind, id) == p.ID {
		f.m.links = append(f.m.links, data.IndexEntry{Kind: kind, ID: id, Profile: to})
	}
}

func findID(p *data.Profile, kind data.IDKind, id string) (int, bool) {
	return slices.BinarySearchFunc(p.Identity, data.Identifier{Kind: kind, ID: id}, compareIDs)
}

func compareIDs(a, b data.Identifier) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
}

// limitIDs keeps of each kind the limit identifiers that were seen last, and of users
// one: the one that opened p, where p has it. The index keeps the dropped ones: they
// still lead here.
func limitIDs(p *data.Profile, limit int) {
	for _, kind := range []data.IDKind{data.IDAnonymous, idShared, data.IDUser} {
		n, oldest, most := 0, -1, limit
		if kind == data.IDUser {
			most = 1
		}
		for i, id := range p.Identity {
			if id.Kind != kind {
				continue
			}
			n++
			if kind == data.IDUser && data.NewProfileID(kind, id.ID) == p.ID {
				continue
			}
			if oldest < 0 || id.LastSeen < p.Identity[oldest].LastSeen {
				oldest = i
			}
		}
		if n > most {
			p.Identity = slices.Delete(p.Identity, oldest, oldest+1)
			limitIDs(p, limit) // merges may bring several
		}
	}
}

// leave sends everything that p is to the profile it belongs to and leaves a
// redirect behind, which keeps the identifier that opened p and the merge log. The
// index points to the new home at once.
func (f *fold) leave(p *data.Profile, to data.ProfileID, at int64) error {
	state, err := absorbable(p)
	if err != nil {
		return fmt.Errorf("encode profile %s: %w", p.ID, err)
	}
	ids, err := f.knownIDs(min(maxKnownIDs, maxAbsorb-len(state)))
	if err != nil {
		return err
	}
	for _, id := range p.Identity {
		f.index(p, id.Kind, id.ID, to)
	}
	f.m.clearTimer(f.who, f.m.people.At(f.who))
	if err := f.segmentsLeft(); err != nil {
		return err
	}
	f.change(data.Change{Profile: p.ID, Type: "merged", From: string(p.ID), To: string(to)}, f.now)
	f.emit(data.Event{
		V: data.EventVersion, Source: systemSource, Type: data.System, Name: data.SysAbsorb, Profile: to,
		Times:  data.Times{Event: time.UnixMilli(at).UTC(), Received: time.UnixMilli(f.now).UTC()},
		Absorb: &data.Absorb{From: p.ID, State: state, Dedup: ids},
	})
	opened := slices.DeleteFunc(p.Identity, func(id data.Identifier) bool { return data.NewProfileID(id.Kind, id.ID) != p.ID })
	*p = data.Profile{ID: p.ID, Version: p.Version, LastOffset: p.LastOffset, Redirect: to, Identity: opened, Merges: p.Merges}
	return nil
}

// maxAbsorb bounds the state and the message ids of an absorb together, so that the
// event, in which they are base64, is one that the log gives back.
const maxAbsorb = (event.MaxBytes - 4<<10) / 4 * 3

// absorbable is the encoded profile, without the oldest history that has no room in
// an absorb: with the default cap that takes item ids of hundreds of bytes.
func absorbable(p *data.Profile) ([]byte, error) {
	q := *p
	for {
		state, err := q.AppendBinary(nil)
		if err != nil || len(state) <= maxAbsorb || len(q.History) == 0 {
			return state, err
		}
		q.History = q.History[:len(q.History)*3/4]
	}
}

// systemSource is the source of the events that Kindred writes itself.
const systemSource = "kindred"

// forward sends the event, id and all, to the profile it belongs to.
func (f *fold) forward(e data.Event, to data.ProfileID) {
	e.Profile = to
	f.m.emitted = append(f.m.emitted, e)
}

// emit appends a system event whose id says which record caused it, and returns the id.
func (f *fold) emit(e data.Event) string {
	e.ID = fmt.Sprintf("%d/%d/%d", f.m.partition, f.offset, f.sent)
	f.sent++
	f.m.emitted = append(f.m.emitted, e)
	return e.ID
}

// absorb merges another profile's state into the record's profile, once.
func (f *fold) absorb(e data.Event) (Outcome, error) {
	if e.Absorb == nil || e.Profile == "" {
		return f.reject(e, "the absorb carries no state or names no profile"), nil
	}
	var err error
	if f.who, err = f.m.hold(f.ctx, e.Profile); err != nil {
		return 0, err
	}
	var other data.Profile
	if err := other.UnmarshalBinary(e.Absorb.State); err != nil {
		return f.reject(e, "the absorbed state: "+err.Error()), nil
	}
	p := f.m.open(f.who)
	switch {
	case slices.ContainsFunc(p.Merges, func(m data.Merge) bool { return m.Source == e.ID }):
		return Duplicate, nil
	case p.Redirect != "" && isRebuilt(e.ID):
		f.settled(p, e.ID)
		f.forward(e, p.Redirect)
		return Forwarded, nil
	case p.Deleted && other.LastSeen <= p.LastSeen:
		return Erased, nil
	case merges(p) >= f.b.cfg.Identity.MaxMerges && !isRebuilt(e.ID):
		return f.reject(e, fmt.Sprintf("profile %s has merged %d others, the most there can be", p.ID, merges(p))), nil
	}
	f.touch(p)
	from := e.Absorb.From
	if through := named(e, idThrough); through != "" {
		from = through
	}
	p.Merges = append(p.Merges, data.Merge{From: from, Source: e.ID, At: f.now})
	if p.Redirect != "" { // whose part p is hears of it as p's
		e.IDs = naming(idThrough, p.ID)
		f.forward(e, p.Redirect)
		return Forwarded, nil
	}
	p.Deleted = false
	f.merge(p, &other)
	f.settled(p, e.ID)
	err = decodeIDs(e.Absorb.Dedup, func(day int32, imported bool, ids []uint64) error {
		return f.keep(compact.IDKey{Who: f.who, Day: day, Imported: imported}, ids...)
	})
	if err == errDedupBytes {
		return f.reject(e, err.Error()), nil
	}
	if err != nil {
		return 0, err
	}
	if err := f.assign(p); err != nil {
		return 0, err
	}
	return Applied, f.segmentsMerged(other.Segments)
}

// merge folds other into p: the monoid merge, and its effects on the index and on timers.
func (f *fold) merge(p, other *data.Profile) {
	known := slices.Clone(p.Identity)
	open := p.Session
	*p = f.b.Merge(*p, *other)
	for _, id := range p.Identity {
		if _, found := slices.BinarySearchFunc(known, id, compareIDs); !found {
			f.index(p, id.Kind, id.ID, p.ID)
		}
	}
	f.settle(p, open)
}

// erase leaves a tombstone: nothing of the person but the id, what was merged into
// it, and when it was erased (LastSeen). Its identifiers lead nowhere any more: the
// devices that were merged into it are told to forget whose they were.
func (f *fold) erase(e data.Event) (Outcome, error) {
	if e.Profile == "" {
		return f.reject(e, "the delete names no profile"), nil
	}
	var err error
	if f.who, err = f.m.hold(f.ctx, e.Profile); err != nil {
		return 0, err
	}
	p := f.m.open(f.who)
	owner := ownerOf(e)
	switch {
	case owner != "" && p.Redirect != owner: // it is somebody else's by now, or nobody's
		return Duplicate, nil
	case owner != "":
		f.disown(p)
	case p.Redirect != "":
		f.forward(e, p.Redirect)
		return Forwarded, nil
	default:
		f.disown(p)
		f.m.clearTimer(f.who, f.m.people.At(f.who))
		f.change(data.Change{Profile: p.ID, Type: "deleted", From: string(p.ID)}, f.now)
	}
	if err := f.segmentsLeft(); err != nil {
		return 0, err
	}
	f.touch(p)
	f.giveUpRebuilds(p)
	*p = data.Profile{ID: p.ID, Version: p.Version, LastOffset: p.LastOffset, LastSeen: f.now, Deleted: true, Merges: p.Merges}
	return Applied, nil
}

// disown makes every identifier of p lead nowhere. The profiles that were merged
// into it are told to by an event: their index entries are their own to write.
func (f *fold) disown(p *data.Profile) {
	for _, id := range p.Identity {
		f.index(p, id.Kind, id.ID, "")
	}
	at := time.UnixMilli(f.now).UTC()
	for _, m := range p.Merges {
		if isUndoing(m.Source) || standing(p, m.From) != joined {
			continue // a person of their own
		}
		f.emit(data.Event{
			V: data.EventVersion, Source: systemSource, Type: data.System, Name: data.SysDelete, Profile: m.From,
			IDs: data.IDs{External: []data.ExternalID{{Type: idOwner, ID: string(p.ID)}}}, Times: data.Times{Event: at, Received: at},
		})
	}
}

// idThrough is the type of the external id by which an absorb names the profile that sent
// it on to the one it is part of.
const idThrough = "through"

// idOwner is the type of the external id by which a delete says that it is about a
// profile merged into the one that the id names, and not about the person.
const idOwner = "owner"

// ownerOf is the profile that was erased, when e tells a merged one to forget it.
func ownerOf(e data.Event) data.ProfileID { return named(e, idOwner) }
