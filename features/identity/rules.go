package identity

import (
	"fmt"
	"strings"

	"kindred/data"
)

// Rules says which identifiers identify nobody.
type Rules struct {
	// Blocked are identifiers treated as absent, compared without case and
	// surrounding space. Runs of zeros (with or without dashes) always are.
	Blocked []string `yaml:"blocked_ids"`
}

// Default blocks what broken trackers send for "nobody".
func Default() Rules {
	return Rules{Blocked: []string{"null", "undefined", "anonymous", "-1", "guest", "[object object]", "none", "nan"}}
}

// Validate reports a blocked id that could never match, or nil.
func (r Rules) Validate() error {
	for i, b := range r.Blocked {
		if strings.TrimSpace(b) == "" {
			return fmt.Errorf("blocked_ids[%d] is empty; an empty identifier is always blocked, so leave it out", i)
		}
	}
	return nil
}

// Blocks reports whether id identifies nobody.
func (r Rules) Blocks(id string) bool {
	id = strings.TrimSpace(id)
	if strings.Trim(id, "0-") == "" && id != "-" {
		return true // empty, zeros, or a nil UUID
	}
	for _, b := range r.Blocked {
		if strings.EqualFold(id, strings.TrimSpace(b)) {
			return true
		}
	}
	return false
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
