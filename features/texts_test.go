package features

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

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
	for _, c := range []struct {
		name, text string
		n          int
	}{{"long", strings.Repeat("x", 1<<16), 500}, {"many", "x", 200_000}} {
		const bound = 4 << 20
		most := 0
		for i := range c.n {
			m.people.Symbols.Of(c.text + strconv.Itoa(i))
			if i%10 == 0 {
				most = max(most, m.people.Room())
				m.Shrink(100, bound)
			}
			if most > 2*bound { // ten of the long ones are 1.3 MiB
				t.Fatalf("%s texts: %d bytes are held", c.name, most)
			}
		}
		if most < bound {
			t.Errorf("%s texts: %d bytes are held at most, so that the bound was never met", c.name, most)
		}
	}
}

// lives is a source of people with long histories.
type lives struct {
	emptySource
	state []byte
}

func (l lives) LoadProfiles(_ context.Context, _ int32, ids []data.ProfileID) (map[data.ProfileID][]byte, error) {
	out := map[data.ProfileID][]byte{}
	for _, id := range ids {
		out[id] = l.state
	}
	return out, nil
}

func TestLongLivesAreForgotten(t *testing.T) {
	p := data.Profile{ID: data.NewProfileID(data.IDUser, "ann"), Version: 1}
	for i := range 1000 {
		p.History = append(p.History, data.HistoryItem{Item: data.ItemID(strconv.Itoa(i)), Count: 1, Weight: 1, Last: noon.UnixMilli()})
	}
	state, err := p.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	const bound = 4 << 20
	m, met := NewMemory(0, State{}, lives{state: state}, nil), 0
	for i := range 2000 { // 16 kB each
		if _, ok, err := m.Profile(t.Context(), data.NewProfileID(data.IDUser, strconv.Itoa(i))); err != nil || !ok {
			t.Fatal(ok, err)
		}
		if m.Shrink(1<<20, bound); m.Len() == 0 {
			met++
		}
		if room := m.people.Room(); room > bound+2<<20 {
			t.Fatalf("%d people hold %d bytes", m.Len(), room)
		}
	}
	if met == 0 {
		t.Error("the bound was never met")
	}
}

func TestRoomThatNobodysListsFitIntoIsGivenBack(t *testing.T) {
	b, m := NewBuilder(Default()), NewMemory(0, State{}, &stays{}, nil)
	w := newWorld(t, Default())
	const people, bound = 1000, 1 << 30
	most := 0
	for i := range 100 * people { // all histories grow alike
		e := w.event(noon.Add(time.Duration(i)*time.Second), data.UserID(strconv.Itoa(i%people)), "", "Product Viewed", data.EventItem{ID: data.ItemID(strconv.Itoa(i % 5000))})
		e.Profile = data.NewProfileID(data.IDUser, string(e.IDs.User))
		if _, err := b.Fold(t.Context(), m, int64(i), e); err != nil {
			t.Fatal(err)
		}
		if i%people < people-1 {
			continue
		}
		c, err := m.Commit(int64(i) + 1)
		if err != nil {
			t.Fatal(err)
		}
		m.src.(*stays).save(c)
		m.Shrink(people, bound)
		most = max(most, m.people.Room())
	}
	if most > 20<<20 { // 25 MB if it is not
		t.Errorf("%d people of 4 kB hold %d bytes", people, most)
	}
}

// stays is a source of what was saved.
type stays struct {
	emptySource
	profiles map[data.ProfileID][]byte
}

func (s *stays) save(c *data.Commit) {
	if s.profiles == nil {
		s.profiles = map[data.ProfileID][]byte{}
	}
	for id, b := range c.Profiles {
		s.profiles[id] = append(s.profiles[id][:0], b...)
	}
}

func (s *stays) LoadProfiles(_ context.Context, _ int32, ids []data.ProfileID) (map[data.ProfileID][]byte, error) {
	return s.profiles, nil
}
