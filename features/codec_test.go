package features

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"kindred/model/popular"
)

func FuzzState(f *testing.F) {
	for _, s := range []State{{}, {Now: 1795217467469, Models: "m-1", Rules: "r"}} {
		b, _ := s.AppendBinary(nil)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s, again State
		if s.UnmarshalBinary(b) != nil {
			return
		}
		out, _ := s.AppendBinary(nil)
		if err := again.UnmarshalBinary(out); err != nil || again != s {
			t.Fatalf("%+v comes back as %+v, %v", s, again, err)
		}
	})
}

func FuzzDecodeCounts(f *testing.F) {
	f.Add(AppendCounts(nil, popular.Counts{Short: popular.Decayed{S: 1, T: 2}}))
	f.Add([]byte{1, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := DecodeCounts(b)
		if err != nil {
			return
		}
		once := AppendCounts(nil, c)
		back, err := DecodeCounts(once)
		if err != nil || !bytes.Equal(AppendCounts(nil, back), once) {
			t.Fatalf("%x does not survive: %v", b, err)
		}
	})
}

func FuzzDecodeIDs(f *testing.F) {
	f.Add([]byte{2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 7})
	f.Add([]byte{2, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = decodeIDs(b, func(_ int32, _ bool, ids []uint64) error {
			if len(ids)*8 > len(b) {
				t.Fatal("more ids than bytes")
			}
			return nil
		})
	})
}

func TestStateSurvivesItsBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := State{Now: rapid.Int64().Draw(t, "now"), Rules: rapid.String().Draw(t, "rules"), Models: rapid.String().Draw(t, "models")}
		b, _ := s.AppendBinary(nil)
		var got State
		if err := got.UnmarshalBinary(b); err != nil || got != s {
			t.Fatalf("got %+v, %v; want %+v", got, err, s)
		}
		if len(b) > 1 && got.UnmarshalBinary(b[:len(b)-1]) == nil {
			t.Fatal("a truncated state was read")
		}
	})
}
