package identity

import (
	"strings"
	"testing"
)

func TestLimitsThatMakeNoSenseAreRefused(t *testing.T) {
	for name, change := range map[string]func(*Rules){
		"max_ids":    func(r *Rules) { r.MaxIDs = 0 },
		"max_merges": func(r *Rules) { r.MaxMerges = 1_000_000 },
	} {
		r := Default()
		change(&r)
		if err := r.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: error %v, want one that names it", name, err)
		}
	}
}
