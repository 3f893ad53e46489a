package features

import (
	"context"
	"strconv"
	"strings"
	"testing"

	"kindred/data"
)

// emptySource is a store that holds nothing.
type emptySource struct{}

func (emptySource) LoadProfiles(context.Context, int32, []data.ProfileID) (map[data.ProfileID][]byte, error) {
	return nil, nil
}
func (emptySource) LoadDedup(context.Context, int32, []data.DedupKey) (map[data.DedupKey][]uint64, error) {
	return nil, nil
}
func (emptySource) DueTimers(context.Context, int32, int64, int) ([]data.Timer, error) {
	return nil, nil
}

func TestMadeUpTextsAreForgotten(t *testing.T) {
	m := NewMemory(0, State{}, emptySource{}, nil)
	long := strings.Repeat("x", 1<<20)
	for i := range maxTextBytes>>20 + 2 {
		m.people.Symbols.Of(long + strconv.Itoa(i))
	}
	m.Shrink(100)
	if got := m.people.Symbols.TextBytes(); got > 1<<20 {
		t.Errorf("%d bytes of texts are kept", got)
	}
}
