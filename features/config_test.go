package features

import (
	"strings"
	"testing"
)

func TestBoundsOfAProfileHaveBoundsThemselves(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Fatal(err)
	}
	for field, set := range map[string]func(*Config){
		"recent_cap":        func(c *Config) { c.RecentCap = MaxRecentCap + 1 },
		"max_profile_bytes": func(c *Config) { c.MaxProfileBytes = MaxMaxProfileBytes + 1 },
	} {
		cfg := Default()
		set(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("Validate = %v, want an error that names %s", err, field)
		}
	}
}
