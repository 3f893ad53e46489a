package identity

import (
	"errors"
	"fmt"

	"kindred/data"
)

// ErrNobody: the message carries no identifier that identifies anybody.
var ErrNobody = errors.New("no usable user id or anonymous id")

// Lookup reads the identity index: the profile that (kind, id) leads to, or
// data.ErrNotFound.
type Lookup func(kind data.IDKind, id string) (data.ProfileID, error)

// Route is Default().Route.
func Route(ids data.IDs, lookup Lookup) (data.ProfileID, error) {
	return Default().Route(ids, lookup)
}

// Route returns the profile that an event with these identifiers belongs to, as
// far as the index knows. It costs at most two lookups. The error is ErrNobody,
// or the index's, wrapped.
func (r Rules) Route(ids data.IDs, lookup Lookup) (data.ProfileID, error) {
	return Home(r.Clean(ids), lookup)
}

// Home is Route for identifiers that identify somebody, as Clean and Of return them.
func Home(ids data.IDs, lookup Lookup) (data.ProfileID, error) {
	user, anon := string(ids.User), string(ids.Anonymous)
	switch {
	case user == "" && anon == "":
		return "", ErrNobody
	case anon == "":
		return known(lookup, data.IDUser, user)
	case user == "":
		return known(lookup, data.IDAnonymous, anon)
	}
	owner, err := known(lookup, data.IDAnonymous, anon)
	if err != nil {
		return "", err
	}
	if owner == data.NewProfileID(data.IDAnonymous, anon) {
		return owner, nil // nobody's yet: its fold will link it to the user
	}
	return known(lookup, data.IDUser, user) // the owner, or somebody else on a shared device
}

// known is the profile that the index names, or else the one the id opens.
func known(lookup Lookup, kind data.IDKind, id string) (data.ProfileID, error) {
	p, err := lookup(kind, id)
	if errors.Is(err, data.ErrNotFound) {
		return data.NewProfileID(kind, id), nil
	}
	if err != nil {
		return "", fmt.Errorf("look up %s %q: %w", kind, id, err)
	}
	return p, nil
}
