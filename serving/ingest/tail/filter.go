package tail

import (
	"hash/maphash"

	"kindred/data"
)

// Filter says which events a subscriber wants; an empty field is any.
type Filter struct {
	Source  string
	Type    data.EventType
	Name    string         // of the event, such as Product Viewed
	Profile data.ProfileID // whose
	User    string         // the user id or the anonymous id, as the client sends it
	Refused bool           // only refused calls
}

// traits are what filters look at: hashes, so that no id is kept. 0 is nothing.
type traits struct {
	source, typ, name, profile, user, anonymous uint64
	refused                                     bool
}

func (t *Tail) hash(s string) uint64 {
	if s == "" {
		return 0
	}
	return max(maphash.String(t.seed, s), 1)
}

// wanted is the filter in the form that is compared.
func (t *Tail) wanted(f Filter) traits {
	return traits{t.hash(f.Source), t.hash(string(f.Type)), t.hash(f.Name), t.hash(string(f.Profile)), t.hash(f.User), 0, f.Refused}
}

// lets reports whether the filter f lets an event of these traits through.
func (f *traits) lets(e *traits) bool {
	return (f.source == 0 || f.source == e.source) && (f.typ == 0 || f.typ == e.typ) && (f.name == 0 || f.name == e.name) &&
		(f.profile == 0 || f.profile == e.profile) && (f.user == 0 || f.user == e.user || f.user == e.anonymous) && (!f.refused || e.refused)
}
