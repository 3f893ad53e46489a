package online

import (
	"context"
	"errors"
	"fmt"

	"kindred/data"
)

// Profiles is all that a read asks of the profile store.
type Profiles interface {
	// Profile returns an encoded profile, or data.ErrNotFound.
	Profile(ctx context.Context, id data.ProfileID) ([]byte, error)
	// Lookup reads the identity index, or returns data.ErrNotFound.
	Lookup(ctx context.Context, kind data.IDKind, id string) (data.ProfileID, error)
}

// Folds tells how far partitions are folded.
type Folds interface {
	// WaitFolded blocks until the record at offset is folded and saved.
	WaitFolded(ctx context.Context, partition int32, offset int64) error
}

// Log tells where a partition's log ends.
type Log interface {
	End(partition int32) int64
}

// Person is the answer of a read.
type Person struct {
	Profile data.Profile // empty but for ID when nobody was ever met by the identifiers; its lists are read only
	Known   bool         // there is a profile
	Stale   bool         // something that the person sent may not be in it yet
}

// Reader reads whole profiles for requests; Histories what recommendations need of them.
// Both are safe for concurrent use.
type Reader struct {
	cfg        Config
	profiles   Profiles
	folds      Folds
	log        Log
	partitions int32
	acks       *Acks
	kept       *kept
}

// NewReader reads profiles of a log with the given number of partitions. Where profiles
// is one of Stamps, it keeps what Histories read.
func NewReader(cfg Config, profiles Profiles, folds Folds, log Log, partitions int32, acks *Acks) *Reader {
	return &Reader{cfg: cfg, profiles: profiles, folds: folds, log: log, partitions: partitions, acks: acks, kept: newKept(profiles, cfg.KeptBytes)}
}

// maxRedirects bounds a chain of merges; the fold keeps chains at one.
const maxRedirects = 16

// Histories reads of profiles what data.Profile.UnmarshalHistory does. Where the store is
// one of Stamps, what was read is kept until the profile is written.
type Histories struct{ r *Reader }

// Histories reads the same profiles by the same rules.
func (r *Reader) Histories() Histories { return Histories{r} }

// Read is Reader.Read.
func (h Histories) Read(ctx context.Context, ids data.IDs) (Person, error) {
	return h.r.person(ctx, ids, h.r.history)
}

// load reads one stored profile.
type load func(ctx context.Context, id data.ProfileID) (*data.Profile, error)

// Read returns the person that the identifiers lead to, the user id before the
// anonymous id. Nobody met yet is no error: Known is false and Profile.ID is the
// id that the identifier would open. The error is the store's, wrapped, or ctx's.
func (r *Reader) Read(ctx context.Context, ids data.IDs) (Person, error) {
	return r.person(ctx, ids, r.whole)
}

func (r *Reader) person(ctx context.Context, ids data.IDs, read load) (Person, error) {
	who := Identifiers(ids)
	if len(who) == 0 {
		return Person{}, nil
	}
	var few [4]noted
	sent := r.acks.of(few[:0], who)
	limit := ctx
	if len(sent) > 0 {
		var cancel context.CancelFunc
		limit, cancel = context.WithTimeout(ctx, r.cfg.Wait)
		defer cancel()
	}
	fresh := r.await(limit, sent)
	person, err := r.resolve(ctx, who, read)
	if err == nil && fresh && r.elsewhere(sent, person.Profile.ID) {
		person, fresh, err = r.arrive(ctx, limit, who, read)
	}
	if err != nil {
		return Person{}, fmt.Errorf("read the profile of %s %q: %w", who[0].Kind, who[0].ID, err)
	}
	if len(sent) > 0 {
		r.acks.settled.advance(r.acks.folded, r.log.End)
	}
	person.Stale = !fresh
	return person, ctx.Err()
}

// elsewhere reports whether an event was sent to another profile than the one that
// its identifiers lead to by now. What it carried, or with an identify all that the
// other profile was, is on its way then, or has arrived.
func (r *Reader) elsewhere(sent []noted, id data.ProfileID) bool {
	for _, n := range sent {
		if n.sent != r.acks.hash(id) {
			return true
		}
	}
	return false
}

// arrive is resolve once what was sent elsewhere, and is folded there, has arrived:
// first at the profiles that the identifiers open, then at each that these lead to. What
// goes from one to the next is in the next one's log when the first has folded it. The
// bool is false when the time was not enough.
func (r *Reader) arrive(ctx, limit context.Context, who []Identifier, read load) (Person, bool, error) {
	fresh := true
	wait := func(id data.ProfileID) {
		home := data.PartitionOf(string(id), r.partitions)
		fresh = fresh && r.until(limit, Position{home, r.log.End(home) - 1})
	}
	for _, id := range who {
		wait(data.NewProfileID(id.Kind, id.ID))
	}
	person, err := r.resolve(ctx, who, func(ctx context.Context, id data.ProfileID) (*data.Profile, error) {
		wait(id)
		return read(ctx, id)
	})
	return person, fresh, err
}

// await waits until the positions are folded; false when the time was not enough.
func (r *Reader) await(ctx context.Context, positions []noted) bool {
	for _, p := range positions {
		if !r.until(ctx, p.Position) {
			return false
		}
	}
	return true
}

// until waits until the position is folded; false when the time was not enough.
func (r *Reader) until(ctx context.Context, p Position) bool {
	return p.Offset < 0 || r.folds.WaitFolded(ctx, p.Partition, p.Offset) == nil
}

// resolve finds the profile of the first identifier that leads to one.
func (r *Reader) resolve(ctx context.Context, who []Identifier, read load) (Person, error) {
	for _, id := range who {
		profile, err := r.profiles.Lookup(ctx, id.Kind, id.ID)
		if errors.Is(err, data.ErrNotFound) {
			profile = data.NewProfileID(id.Kind, id.ID)
		} else if err != nil {
			return Person{}, err
		}
		p, err := follow(ctx, profile, read)
		if err == nil {
			return Person{Profile: *p, Known: !p.Deleted}, nil
		}
		if !errors.Is(err, data.ErrNotFound) {
			return Person{}, err
		}
	}
	return Person{Profile: data.Profile{ID: data.NewProfileID(who[0].Kind, who[0].ID)}}, nil
}

// Profile reads one profile by its id, following redirects, without waiting for
// anything. The error is data.ErrNotFound, wrapped, or the store's.
func (r *Reader) Profile(ctx context.Context, id data.ProfileID) (data.Profile, error) {
	p, err := follow(ctx, id, r.whole)
	if err != nil {
		return data.Profile{}, err
	}
	return *p, nil
}

// Stored reads one profile as it is stored: one that was merged away says into whom.
// Nothing is waited for. The error is data.ErrNotFound, wrapped, or the store's.
func (r *Reader) Stored(ctx context.Context, id data.ProfileID) (data.Profile, error) {
	p, err := r.whole(ctx, id)
	if err != nil {
		return data.Profile{}, fmt.Errorf("profile %s: %w", id, err)
	}
	return *p, nil
}

// follow reads the profile that id leads to.
func follow(ctx context.Context, id data.ProfileID, read load) (*data.Profile, error) {
	for range maxRedirects {
		p, err := read(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("profile %s: %w", id, err)
		}
		if p.Redirect == "" {
			return p, nil
		}
		id = p.Redirect
	}
	return nil, fmt.Errorf("profile %s: more than %d redirects", id, maxRedirects)
}

// whole is the profile as it is stored.
func (r *Reader) whole(ctx context.Context, id data.ProfileID) (*data.Profile, error) {
	b, err := r.profiles.Profile(ctx, id)
	if err != nil {
		return nil, err
	}
	p := new(data.Profile)
	return p, p.UnmarshalBinary(b)
}

// history is what is stored of the profile's history, from memory if it has not been
// written since.
func (r *Reader) history(ctx context.Context, id data.ProfileID) (*data.Profile, error) {
	stamp := r.kept.stamp(id) // before it is read: a write meanwhile makes what is kept useless, never wrong
	if p := r.kept.get(id, stamp); p != nil {
		return p, nil
	}
	b, err := r.profiles.Profile(ctx, id)
	if err != nil {
		return nil, err
	}
	p := new(data.Profile)
	if err := p.UnmarshalHistory(b); err != nil {
		return nil, err
	}
	r.kept.put(id, p, stamp)
	return p, nil
}

// Forget drops what is kept of a profile, such as an erased one's. A read that is under
// way may keep it again.
func (r *Reader) Forget(id data.ProfileID) { r.kept.forget(id) }
