package compact

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"
	"unsafe"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"kindred/data"
	"kindred/features/session"
	"kindred/features/window"
)

// shape is two rings, panes and panes with a sum.
var shape = Shape{
	{ID: 3, Ring: 65, Panes: window.Paned{Width: 100, N: 64}},
	{ID: 5, Panes: window.Paned{Width: 1000, N: 64}},
	{ID: 9, Panes: window.Paned{Width: 7000, N: 64}, Sum: true},
	{ID: 1 << 60, Ring: 4, Panes: window.Paned{Width: 100, N: 64}},
}

// times that the compact form holds and some that it does not.
func drawTime(t *rapid.T) int64 {
	if rapid.IntRange(0, 400).Draw(t, "odd time") == 0 {
		return rapid.Int64().Draw(t, "any time")
	}
	return rapid.Int64Range(-1e6, 2e12).Draw(t, "time")
}

func drawID(t *rapid.T) string {
	switch rapid.IntRange(0, 3).Draw(t, "id form") {
	case 0:
		return string(appendUUID(nil, [2]uint64{rapid.Uint64().Draw(t, "hi"), rapid.Uint64().Draw(t, "lo")}))
	case 1:
		return rapid.StringN(0, 60, 300).Draw(t, "long id")
	}
	return rapid.StringMatching(`[a-z0-9-]{0,17}`).Draw(t, "short id")
}

func drawSession(t *rapid.T) data.Session {
	if rapid.IntRange(0, 3).Draw(t, "no session") == 0 {
		return data.Session{}
	}
	id := session.Derived(fmt.Sprintf("%016x", rapid.Uint64().Draw(t, "derived")))
	if rapid.Bool().Draw(t, "named") {
		id = drawID(t)
	}
	return data.Session{ID: id, Start: drawTime(t), End: drawTime(t), Events: rapid.Uint32Range(1, 9).Draw(t, "n"), PageViews: 2, Items: 3, Purchases: 4,
		Closed: rapid.Bool().Draw(t, "closed")}
}

func drawFloat(t *rapid.T) float64 {
	if rapid.Bool().Draw(t, "whole") {
		return float64(rapid.IntRange(-40000, 40000).Draw(t, "number"))
	}
	return rapid.SampledFrom([]float64{0, math.Copysign(0, -1), .5, 1e18, -1e300}).Draw(t, "odd")
}

// many draws up to n things, ordered and without equals.
func many[T any](t *rapid.T, label string, n int, one func() T, order func(a, b T) int) []T {
	var out []T
	for range rapid.IntRange(0, n).Draw(t, label) {
		out = append(out, one())
	}
	slices.SortFunc(out, order)
	return slices.CompactFunc(out, func(a, b T) bool { return order(a, b) == 0 })
}

func drawProfile(t *rapid.T) data.Profile {
	p := data.Profile{
		ID: data.NewProfileID(data.IDUser, "ann"), Version: rapid.Uint64Range(0, 1<<25).Draw(t, "version"), LastOffset: rapid.Int64().Draw(t, "offset"),
		FirstSeen: drawTime(t), LastSeen: drawTime(t), Deleted: rapid.IntRange(0, 9).Draw(t, "deleted") == 0,
		Engagement: data.Decayed{S: drawFloat(t), T: drawTime(t)},
		Session:    drawSession(t), Previous: drawSession(t), Sessions: rapid.Uint32().Draw(t, "sessions"),
	}
	if rapid.IntRange(0, 4).Draw(t, "rare") == 0 {
		p.Redirect = "elsewhere"
		p.Merges = []data.Merge{{From: "q", Source: "1/2/3", At: 5}}
		p.Traits = []data.Trait{{Name: "age", Value: []byte("7"), At: drawTime(t), Source: "m"}}
		p.Consent = []byte(`{"ads":true}`)
	}
	p.Identity = many(t, "ids", 4, func() data.Identifier {
		return data.Identifier{Kind: rapid.SampledFrom(kinds[:]).Draw(t, "kind"), ID: rapid.SampledFrom([]string{"ann", "d1", "d2", drawID(t)}).Draw(t, "id"), FirstSeen: drawTime(t), LastSeen: drawTime(t)}
	}, func(a, b data.Identifier) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID)) })
	item := func() data.ItemID { return data.ItemID(rapid.StringMatching(`[a-c]{0,2}`).Draw(t, "item")) }
	p.Recent = many(t, "recents", 60, func() data.RecentEvent {
		return data.RecentEvent{ID: drawID(t), Name: rapid.StringN(0, 9, 64).Draw(t, "name"), Item: item(), At: drawTime(t)}
	}, compareRecents)
	p.History = many(t, "history", 12, func() data.HistoryItem {
		h := data.HistoryItem{Item: item(), Kinds: rapid.Uint16().Draw(t, "kinds"), Count: rapid.Uint32().Draw(t, "count"), Weight: drawFloat(t), Last: drawTime(t)}
		if rapid.Bool().Draw(t, "plain") {
			h.Count, h.Kinds = h.Count%70000, h.Kinds&^(1<<data.Rating)
		}
		if h.Has(data.Rating) {
			h.Value, h.Rated = drawFloat(t), drawTime(t)
		}
		return h
	}, func(a, b data.HistoryItem) int {
		return cmp.Or(cmp.Compare(b.Last, a.Last), cmp.Compare(a.Item, b.Item))
	})
	p.Affinities = many(t, "affinities", 12, func() data.Affinity {
		return data.Affinity{Facet: rapid.SampledFrom([]string{"", "brand", "category"}).Draw(t, "facet"), Value: string(item()), Decayed: data.Decayed{S: drawFloat(t), T: drawTime(t)}}
	}, func(a, b data.Affinity) int {
		return cmp.Or(cmp.Compare(a.Facet, b.Facet), cmp.Compare(a.Value, b.Value))
	})
	for _, d := range shape {
		if rapid.Bool().Draw(t, "no slot") {
			continue
		}
		x := data.Slot{ID: d.ID}
		if d.Ring > 0 {
			for range rapid.IntRange(1, d.Ring).Draw(t, "ring") {
				x.Ring = append(x.Ring, drawTime(t))
			}
			slices.Sort(x.Ring)
		} else {
			index := rapid.Int64Range(-3, 1e6).Draw(t, "index")
			for range rapid.IntRange(1, 70).Draw(t, "panes") {
				pane := data.Pane{Index: index, Count: rapid.Uint32Range(1, 2000).Draw(t, "pane")}
				if d.Sum {
					pane.Sum = drawFloat(t)
				}
				x.Panes = append(x.Panes, pane)
				index += rapid.Int64Range(1, 2).Draw(t, "step")
			}
		}
		p.Slots = append(p.Slots, x)
	}
	if rapid.Bool().Draw(t, "clustered") {
		p.Clusters = []data.Assignment{{Model: "behaviour", Version: "m-1", Cluster: -3, Distance: .5, Confidence: .25, Since: 12}}
	}
	return p
}

func TestAProfileComesBackFromItsCompactForm(t *testing.T) {
	s := NewStore(shape)
	compactly, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		want := drawProfile(t)
		r := s.Find(want.ID)
		if r == 0 {
			r = s.Add(want.ID)
		}
		*s.Open(r) = want
		s.Close(r)
		if all++; !s.IsOpen(r) {
			compactly++
		}
		if diff := gocmp.Diff(want, s.Unpack(r), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		bytesWant, _ := want.AppendBinary(nil)
		if got, err := s.AppendBinary(nil, r); err != nil || !bytes.Equal(got, bytesWant) {
			t.Fatalf("other bytes: %v\n%x\n%x", err, got, bytesWant)
		}
		if !s.IsOpen(r) && s.At(r).Size() != s.sizeOf(&want) {
			t.Fatalf("Size is %d, want %d", s.At(r).Size(), s.sizeOf(&want))
		}
	})
	if compactly < all/4 {
		t.Errorf("%d of %d profiles had a compact form", compactly, all)
	}
	used := s.arena.used
	s.Everybody(func(r Ref, _ *Person) { s.Forget(r) })
	if s.arena.used != 0 || s.Len() != 0 {
		t.Errorf("%d of %d words are still in use", s.arena.used, used)
	}
}

func TestIDsAgreeWithASet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := NewStore(shape)
		r := s.Add("somebody else's form of id")
		want := map[IDKey]map[uint64]bool{}
		for range rapid.IntRange(0, 60).Draw(t, "steps") {
			k := IDKey{r, rapid.Int32Range(0, 2).Draw(t, "day"), rapid.Bool().Draw(t, "imported")}
			if want[k] == nil {
				want[k] = map[uint64]bool{}
			}
			seed := rapid.Uint64().Draw(t, "seed")
			for i := range rapid.IntRange(1, 60).Draw(t, "ids") {
				id := seed * uint64(i*i) % 3000
				if s.HasID(k, id) != want[k][id] {
					t.Fatalf("HasID(%d) = %v", id, !want[k][id])
				}
				s.AddIDs(k, id)
				want[k][id] = true
			}
		}
		day := rapid.Int32Range(0, 3).Draw(t, "before")
		s.DropIDsBefore(r, day)
		for k, ids := range want {
			got := s.AppendIDs(nil, k)
			if !k.Imported && k.Day < day {
				if s.KnowsIDs(k) {
					t.Fatal("an old day is known")
				}
				continue
			}
			if !slices.IsSorted(got) || len(got) != len(ids) {
				t.Fatalf("%d ids, sorted %v; want %d", len(got), slices.IsSorted(got), len(ids))
			}
		}
		if s.DropIDs(r); s.arena.used != 0 {
			t.Fatalf("%d words are still in use", s.arena.used)
		}
	})
}

func TestPeopleAreFoundUntilForgotten(t *testing.T) {
	s := NewStore(shape)
	refs := map[data.ProfileID]Ref{}
	for i := range 5000 {
		id := data.NewProfileID(data.IDUser, fmt.Sprint(i))
		if i%7 == 0 {
			id = data.ProfileID(fmt.Sprint("form ", i))
		}
		if s.Find(id) != 0 {
			t.Fatalf("%s is known", id)
		}
		refs[id] = s.Add(id)
		if i%3 == 0 {
			s.Forget(refs[id])
			delete(refs, id)
		}
	}
	for id, r := range refs {
		if s.Find(id) != r || s.ID(r) != id {
			t.Fatalf("%s is %d, %s; want %d", id, s.Find(id), s.ID(r), r)
		}
	}
	if s.Len() != len(refs) {
		t.Errorf("%d people, want %d", s.Len(), len(refs))
	}
}

func TestSymbolsKeepTextsApart(t *testing.T) {
	s := newSymbols()
	pairs := [][2]string{{"", "ab"}, {"a", "b"}, {"ab", ""}, {"", "a"}, {"b", ""}}
	for i := range 3000 {
		pairs = append(pairs, [2]string{fmt.Sprint("f", i%7), fmt.Sprint(i)}, [2]string{"", fmt.Sprint(i)})
	}
	seen := map[Symbol][2]string{}
	for range 2 {
		for _, p := range pairs {
			x := s.Pair(p[0], p[1])
			if old, ok := seen[x]; ok && old != p {
				t.Fatalf("%q and %q have one symbol", old, p)
			}
			seen[x] = p
			if f, v := s.Texts(x); f != p[0] || v != p[1] || s.Text(x) != f+v {
				t.Fatalf("%q reads back as %q %q", p, f, v)
			}
		}
	}
	if len(seen) != len(pairs) {
		t.Errorf("%d symbols for %d texts", len(seen), len(pairs))
	}
}

func TestDerivedNamesAreThoseOfPackageSession(t *testing.T) {
	if got := session.Derived("x"); got != derivedPrefix+"x" {
		t.Errorf("session.Derived says %q", got)
	}
	if id, ok := parseDerived(string(appendDerived(nil, 0xfedc))); id != 0xfedc || !ok {
		t.Error(id, ok)
	}
}

func TestPapersThatCannotBeReadAreAnError(t *testing.T) {
	s := NewStore(shape)
	r := s.Add(data.NewProfileID(data.IDUser, "ann"))
	q := s.Open(r)
	q.Traits = []data.Trait{{Name: "plan", Value: []byte(`"gold"`), At: 1, Source: "e"}}
	s.Close(r)
	if _, err := s.AppendBinary(nil, r); err != nil {
		t.Fatal(err)
	}
	_, _, _, rest := s.sections(s.At(r))
	rest[0] = 0xff
	if _, err := s.AppendBinary(nil, r); err == nil {
		t.Error("a profile whose papers are broken was encoded")
	}
}

func TestIDsThatAreLoadedAreThere(t *testing.T) {
	for _, n := range []int{0, 1, smallIDs, smallIDs + 1, 3 * chunkIDs / 4, 1000} {
		s := NewStore(shape)
		k := IDKey{Who: s.Add(data.NewProfileID(data.IDUser, "ann")), Day: 5}
		var want []uint64
		for i := range n {
			want = append(want, uint64(i)*uint64(i)*0x123456789abc+uint64(i))
		}
		slices.Sort(want)
		s.LoadIDs(k, want)
		if got := s.AppendIDs(nil, k); !slices.Equal(got, want) {
			t.Fatalf("%d ids: %d came back", n, len(got))
		}
		for i, id := range want {
			if !s.HasID(k, id) || s.AddIDs(k, id) {
				t.Fatalf("%d ids: the %d-th is not there", n, i)
			}
		}
		if s.HasID(k, 2) || !s.AddIDs(k, 2) || !s.HasID(k, 2) {
			t.Errorf("%d ids: one more cannot be added", n)
		}
	}
}

func TestAPersonTakesSoManyBytes(t *testing.T) {
	if got := unsafe.Sizeof(Person{}); got != 176 {
		t.Errorf("a Person takes %d bytes; doc.go says 176", got)
	}
}
