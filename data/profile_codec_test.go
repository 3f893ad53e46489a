package data

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// anyProfile draws profiles that use every field.
func anyProfile(t *rapid.T) Profile {
	text := rapid.String()
	instant := rapid.Int64()
	number := rapid.Float64()
	decayed := func() Decayed { return Decayed{S: number.Draw(t, "s"), T: instant.Draw(t, "t")} }
	session := func() Session {
		return Session{
			ID: text.Draw(t, "id"), Start: instant.Draw(t, "start"), End: instant.Draw(t, "end"),
			Events: rapid.Uint32().Draw(t, "events"), PageViews: 2, Items: 3, Purchases: rapid.Uint32().Draw(t, "purchases"),
			Closed: rapid.Bool().Draw(t, "closed"),
		}
	}
	p := Profile{
		ID: ProfileID(text.Draw(t, "id")), Version: rapid.Uint64().Draw(t, "version"),
		LastOffset: instant.Draw(t, "offset"), FirstSeen: instant.Draw(t, "first"), LastSeen: instant.Draw(t, "last"),
		Redirect: ProfileID(text.Draw(t, "redirect")), Deleted: rapid.Bool().Draw(t, "deleted"),
		Engagement: decayed(), Session: session(), Previous: session(), Sessions: rapid.Uint32().Draw(t, "sessions"),
	}
	many := func() int { return rapid.IntRange(0, 3).Draw(t, "n") }
	for range many() {
		p.Identity = append(p.Identity, Identifier{Kind: IDUser, ID: text.Draw(t, "id"), FirstSeen: instant.Draw(t, "at"), LastSeen: 1})
	}
	for range many() {
		p.Merges = append(p.Merges, Merge{From: ProfileID(text.Draw(t, "from")), Source: "1/2/3", At: instant.Draw(t, "at")})
	}
	for range many() {
		p.Traits = append(p.Traits, Trait{Name: text.Draw(t, "name"), Value: json.RawMessage(`{"a":1}`), At: 7, Source: "e1"})
	}
	for range many() {
		s := Slot{ID: rapid.Uint64().Draw(t, "slot")}
		for range many() {
			s.Panes = append(s.Panes, Pane{Index: instant.Draw(t, "index"), Count: rapid.Uint32().Draw(t, "count"), Sum: number.Draw(t, "sum")})
		}
		for range many() {
			s.Ring = append(s.Ring, instant.Draw(t, "ring"))
		}
		p.Slots = append(p.Slots, s)
	}
	for range many() {
		p.Affinities = append(p.Affinities, Affinity{
			Facet: rapid.SampledFrom([]string{"", "category", "tag"}).Draw(t, "facet"), Value: text.Draw(t, "value"), Decayed: decayed(),
		})
	}
	for range many() {
		p.Recent = append(p.Recent, RecentEvent{ID: text.Draw(t, "id"), Name: "Product Viewed", Item: "i", At: instant.Draw(t, "at")})
	}
	for range many() {
		h := HistoryItem{
			Item: ItemID(text.Draw(t, "item")), Kinds: rapid.Uint16().Draw(t, "kinds"), Count: rapid.Uint32().Draw(t, "count"),
			Value: number.Draw(t, "value"), Weight: number.Draw(t, "weight"), Last: instant.Draw(t, "last"),
		}
		if h.Has(Rating) {
			h.Rated = instant.Draw(t, "rated")
		}
		p.History = append(p.History, h)
	}
	for range many() {
		p.Clusters = append(p.Clusters, Assignment{
			Model: "behaviour", Version: text.Draw(t, "version"), Cluster: rapid.Int32().Draw(t, "cluster"),
			Distance: number.Draw(t, "distance"), Confidence: .5, Since: instant.Draw(t, "since"),
		})
	}
	if rapid.Bool().Draw(t, "consent") {
		p.Consent = json.RawMessage(`{"analytics":true}`)
	}
	return p
}

func TestEveryProfileReadsBackAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := anyProfile(t)
		b, err := want.AppendBinary([]byte("prefix"))
		if err != nil || string(b[:6]) != "prefix" {
			t.Fatalf("AppendBinary = %q…, %v", b[:6], err)
		}
		got := Profile{ID: "what was here before", Consent: json.RawMessage("1")}
		if err := got.UnmarshalBinary(b[6:]); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("read back (-want +got):\n%s", diff)
		}
	})
}

func TestEqualProfilesHaveEqualBytesWhetherSlicesAreNilOrEmpty(t *testing.T) {
	a := Profile{ID: "p", LastSeen: 5}
	b := Profile{ID: "p", LastSeen: 5, History: []HistoryItem{}, Slots: []Slot{}, Consent: json.RawMessage{}}
	x, _ := a.AppendBinary(nil)
	y, _ := b.AppendBinary(nil)
	if string(x) != string(y) {
		t.Errorf("bytes differ:\n%x\n%x", x, y)
	}
}

func TestAFullHistoryIsCompact(t *testing.T) {
	p := Profile{LastSeen: 1_700_000_000_000}
	for i := range 2000 {
		p.History = append(p.History, HistoryItem{
			Item: "item-1234", Kinds: 2, Count: 1, Weight: 1, Last: p.LastSeen - int64(i)*60_000,
		})
	}
	b, _ := p.AppendBinary(nil)
	if most := 2000 * 22; len(b) > most {
		t.Errorf("2,000 items take %d bytes; at most %d were promised", len(b), most)
	}
}

func TestBrokenProfilesAreRefusedWithTheirField(t *testing.T) {
	whole, _ := (&Profile{ID: "p", LastSeen: 9, History: []HistoryItem{{Item: "i", Weight: 1}}}).AppendBinary(nil)
	for name, test := range map[string]struct {
		bytes []byte
		want  string
	}{
		"empty":        {nil, "too few"},
		"version":      {append([]byte{9}, whole[1:]...), "version 9"},
		"flags":        {append([]byte{1, 0x80}, whole[2:]...), "flags"},
		"left over":    {append(append([]byte{}, whole...), 0), "left over"},
		"cut":          {whole[:len(whole)-1], "clusters"},
		"huge count":   {append(whole[:len(whole)-1:len(whole)-1], 0xff, 0xff, 0xff, 0x7f), "larger than what follows"},
		"long varint":  {append(whole[:len(whole)-1:len(whole)-1], 0x80, 0x00), "longer than it need be"},
		"huge string":  {[]byte{1, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}, "ends inside"},
		"empty string": {append([]byte{1, 2}, whole[2:]...), "consent"},
	} {
		t.Run(name, func(t *testing.T) {
			kept := Profile{ID: "kept"}
			err := kept.UnmarshalBinary(test.bytes)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want one about %q", err, test.want)
			}
			if kept.ID != "kept" {
				t.Errorf("the profile was changed: %+v", kept)
			}
		})
	}
}

func FuzzProfile(f *testing.F) {
	for _, p := range []Profile{
		{},
		{ID: "p", Version: 3, LastSeen: 1_700_000_000_000, Deleted: true, Consent: json.RawMessage(`{}`)},
		{
			ID: "q", Engagement: Decayed{S: math.NaN(), T: -1}, Slots: []Slot{{ID: 1, Panes: []Pane{{1, 2, 3}}, Ring: []int64{4}}},
			Affinities: []Affinity{{Facet: "tag", Value: "a"}, {Facet: "tag", Value: "b"}}, History: []HistoryItem{{Item: "i", Kinds: 5}},
			Identity: []Identifier{{Kind: IDUser, ID: "u"}}, Clusters: []Assignment{{Model: "m", Cluster: -1}},
		},
	} {
		b, _ := p.AppendBinary(nil)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if diff := sameHistory(b); diff != "" {
			t.Fatal(diff)
		}
		var p Profile
		if p.UnmarshalBinary(b) != nil {
			return
		}
		again, err := p.AppendBinary(nil)
		if err != nil || string(again) != string(b) {
			t.Fatalf("read and written again:\n%x\n%x (%v)", b, again, err)
		}
	})
}
