package identity

import (
	"fmt"
	"slices"
	"strings"

	"kindred/data"
)

// Rules says which identifiers identify nobody, and how many one person may have.
type Rules struct {
	// Blocked are identifiers treated as absent, compared without case and
	// surrounding space. Runs of zeros (with or without dashes) always are.
	Blocked []string `yaml:"blocked_ids"`
	// MaxIDs is how many identifiers of each kind but the user's a profile lists; the
	// longest unseen goes first, and still leads to the person.
	MaxIDs int `yaml:"max_ids"`
	// MaxMerges is how many profiles one person may be merged from; what comes later is
	// refused and kept among the dead letters.
	MaxMerges int `yaml:"max_merges"`
}

// Default blocks what broken trackers send for "nobody".
func Default() Rules {
	return Rules{Blocked: []string{"null", "undefined", "anonymous", "-1", "guest", "[object object]", "none", "nan"}, MaxIDs: 5, MaxMerges: 100}
}

// The most that a configuration may ask for: a profile is read and written as a whole.
const (
	maxMaxIDs    = 100
	maxMaxMerges = 1000
)

// Validate reports a blocked id that could never match, a limit that makes no sense, or nil.
func (r Rules) Validate() error {
	for i, b := range r.Blocked {
		if strings.TrimSpace(b) == "" {
			return fmt.Errorf("blocked_ids[%d] is empty; an empty identifier is always blocked, so leave it out", i)
		}
	}
	switch {
	case r.MaxIDs < 1 || r.MaxIDs > maxMaxIDs:
		return fmt.Errorf("max_ids is %d; use 1 to %d", r.MaxIDs, maxMaxIDs)
	case r.MaxMerges < 1 || r.MaxMerges > maxMaxMerges:
		return fmt.Errorf("max_merges is %d; use 1 to %d", r.MaxMerges, maxMaxMerges)
	}
	return nil
}

// Blocks reports whether id identifies nobody.
func (r Rules) Blocks(id string) bool {
	id = strings.TrimSpace(id)
	if id == "" || (id[0] == '0' || id[0] == '-') && strings.Trim(id, "0-") == "" && id != "-" {
		return true // empty, zeros, or a nil UUID
	}
	return r.lists(id)
}

// lists reports whether id is among the configured ones.
func (r Rules) lists(id string) bool {
	return slices.ContainsFunc(r.Blocked, func(b string) bool {
		return !otherLetter(id, b) && strings.EqualFold(id, strings.TrimSpace(b))
	})
}

// otherLetter reports that a and b begin with different letters of ASCII, which
// settles most comparisons.
func otherLetter(a, b string) bool {
	if a == "" || b == "" || a[0] <= ' ' || b[0] <= ' ' || a[0] >= 0x7f || b[0] >= 0x7f {
		return false
	}
	return lower(a[0]) != lower(b[0])
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// Of returns the identifiers of an event that identify somebody. Data sets number
// people from 0, so in an import the user "0" is a person, unless an anonymous id
// beside it shows that a tracker meant nobody.
func (r Rules) Of(e data.Event) data.IDs { return r.OfIDs(e.IDs, e.Imported) }

// OfIDs is Of for the identifiers of an event.
func (r Rules) OfIDs(ids data.IDs, imported bool) data.IDs {
	zero := imported && ids.User == "0" && ids.Anonymous == "" && !r.lists("0")
	if ids = r.Clean(ids); zero {
		ids.User = "0"
	}
	return ids
}

// Clean returns ids with blocked user and anonymous identifiers removed.
func (r Rules) Clean(ids data.IDs) data.IDs {
	if r.Blocks(string(ids.User)) {
		ids.User = ""
	}
	if r.Blocks(string(ids.Anonymous)) {
		ids.Anonymous = ""
	}
	return ids
}
