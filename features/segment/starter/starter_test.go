package starter

import (
	"testing"

	"kindred/features/segment"
)

func TestTheStarterPackCompilesWithinTheDefaults(t *testing.T) {
	rules, err := Rules()
	if err != nil {
		t.Fatal(err)
	}
	s, err := segment.Compile(rules, segment.Default())
	if err != nil {
		t.Fatal(err)
	}
	if got := len(s.Rules()); got != 7 {
		t.Errorf("%d segments, want 7", got)
	}
	t.Logf("%d slots, %d bytes a person at worst", s.Slots(), s.WorstCase())
}
