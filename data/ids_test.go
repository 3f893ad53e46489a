package data

import (
	"crypto/sha256"
	"encoding/base32"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The vectors of Kafka's own UtilsTest.testMurmur2.
func TestMurmur2IsThatOfKafkasJavaClient(t *testing.T) {
	for text, want := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		if got := int32(murmur2([]byte(text))); got != want {
			t.Errorf("murmur2(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestPartitionOfIsInRangeAndUsesTheHashWithoutItsSign(t *testing.T) {
	// "21" hashes to -973932308; without the sign bit that is 1173551340.
	if got := PartitionOf("21", 1000); got != 340 {
		t.Errorf("PartitionOf(21, 1000) = %d, want 340", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		key, n := rapid.String().Draw(t, "key"), rapid.Int32Range(1, 512).Draw(t, "n")
		if got := PartitionOf(key, n); got < 0 || got >= n {
			t.Fatalf("PartitionOf(%q, %d) = %d", key, n, got)
		}
	})
}

func TestPartitionsSpreadProfilesEvenly(t *testing.T) {
	const n, people = 8, 80_000
	var count [n]int
	for i := range people {
		count[PartitionOf(string(NewProfileID(IDUser, strconv.Itoa(i))), n)]++
	}
	for p, c := range count {
		if c < people/n*95/100 || c > people/n*105/100 {
			t.Errorf("partition %d holds %d of %d", p, c, people)
		}
	}
}

func TestProfileIDsAreStableAndKeepKindsApart(t *testing.T) {
	// Changing this value would orphan every stored profile.
	if got, want := NewProfileID(IDUser, "u1"), ProfileID("8cvlk0ougq89khllsatcc3h4a8"); got != want {
		t.Errorf("NewProfileID(user, u1) = %q, want %q", got, want)
	}
	if NewProfileID(IDUser, "x") == NewProfileID(IDAnonymous, "x") {
		t.Error("a user id and an anonymous id of the same text lead to one profile")
	}
}

func TestSpaceNames(t *testing.T) {
	for _, good := range []Space{"default", "a", "0shop", "a-b_c", Space(strings.Repeat("x", 63))} {
		if err := good.Validate(); err != nil {
			t.Errorf("Validate(%q) = %v", good, err)
		}
	}
	for _, bad := range []Space{"", "-a", "_a", "A", "a.b", "a/b", "a\x00b", "ä", Space(strings.Repeat("x", 64))} {
		if bad.Validate() == nil {
			t.Errorf("Validate(%q) = nil, want an error", bad)
		}
	}
}

func TestKindsAreNamedBothWays(t *testing.T) {
	for k := View; k <= Hide; k++ {
		if got, err := ParseKind(k.String()); err != nil || got != k {
			t.Errorf("ParseKind(%q) = %v, %v; want %v", k.String(), got, err, k)
		}
	}
	for _, bad := range []string{"", "none", "View", "kind(12)"} {
		if k, err := ParseKind(bad); err == nil {
			t.Errorf("ParseKind(%q) = %v, want an error", bad, k)
		}
	}
	if got := Kind(200).String(); got != "kind(200)" {
		t.Errorf("Kind(200) = %q", got)
	}
}

func TestFacetsAreBounded(t *testing.T) {
	it := Item{Categories: strings.Split("abcdefghijkl", ""), Brand: "b"}
	f := it.Facets()
	if len(f["category"]) != MaxFacetValues || len(f["brand"]) != 1 || f["tag"] != nil {
		t.Errorf("Facets = %v", f)
	}
	if got := (Item{Title: "bare"}).Facets(); got != nil {
		t.Errorf("Facets of a bare item = %v, want nil", got)
	}
}

func TestProfileIDsAreTheTextbooks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind, id := rapid.SampledFrom([]IDKind{IDUser, IDAnonymous, ""}).Draw(t, "kind"), rapid.StringN(0, 300, -1).Draw(t, "id")
		sum := sha256.Sum256([]byte(string(kind) + "\x00" + id))
		want := strings.ToLower(base32.HexEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
		if got := NewProfileID(kind, id); string(got) != want {
			t.Fatalf("NewProfileID(%q, %q) = %s, want %s", kind, id, got, want)
		}
	})
	if n := testing.AllocsPerRun(100, func() { NewProfileID(IDUser, "user-184467") }); n > 1 {
		t.Errorf("%v allocations, want the text alone", n)
	}
}
