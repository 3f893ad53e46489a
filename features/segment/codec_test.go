package segment

import (
	"encoding/binary"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// TestNumbersReadAsTheLibraryReadsThem compares the reading without a loop with encoding/binary's.
func TestNumbersReadAsTheLibraryReadsThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "bytes")
		if rapid.Bool().Draw(t, "written") {
			x := rapid.Uint64().Draw(t, "number") >> rapid.IntRange(0, 63).Draw(t, "shift")
			b = append(binary.AppendUvarint(nil, x), b...)
		}
		want, n := binary.Uvarint(b)
		c := cursor{b: b}
		got := c.uvarint()
		if c.bad != (n <= 0) || !c.bad && (got != want || c.at != n) {
			t.Fatalf("%x: %d of %d bytes, bad %v; want %d of %d", b, got, c.at, c.bad, want, n)
		}
	})
	for _, x := range []int64{0, -1, 1, math.MinInt64, math.MaxInt64, 1_700_000_000_000} {
		c := cursor{b: append(binary.AppendVarint(nil, x), 1, 2, 3, 4, 5, 6, 7, 8)}
		if got := c.varint(); got != x || c.bad {
			t.Errorf("%d is read as %d", x, got)
		}
	}
}

// TestBytesOutOfOrderAreRefused, because they would be written back in another order.
func TestBytesOutOfOrderAreRefused(t *testing.T) {
	s := mustCompile(t, Rules{Segments: []Rule{{Segment: "a", When: `events("A").ever().count() > 0`}, {Segment: "b", When: `events("B").ever().count() > 0`}}})
	head := []byte{codecVersion, 0, 0, 0, 0, 0, 0}
	slot := func(id byte) []byte { return []byte{id, 0, 0, 0, 1, 0} }
	for _, c := range []struct {
		a, b byte
		ok   bool
	}{{1, 2, true}, {2, 1, false}, {2, 2, false}} {
		if _, err := s.Members(append(append(append([]byte(nil), head...), slot(c.a)...), slot(c.b)...)); (err == nil) != c.ok {
			t.Errorf("slots %d and %d: %v", c.a, c.b, err)
		}
	}
}
