package embedded

import (
	"bytes"
	"cmp"
	"testing"

	"pgregory.net/rapid"

	"kindred/data"
)

// The bytes of every key are a promise: a store that exists must stay readable. If
// this test must change, formatVersion must too.
func TestTheLayoutOfKeysDoesNotChange(t *testing.T) {
	k := keys{"sp"}
	tm := data.Timer{At: 5, Profile: "a\x00b", Slot: "s"}
	for _, c := range []struct {
		name string
		got  []byte
		want string
	}{
		{"meta", k.meta("format"), "sp\x00mformat"},
		{"log", k.log(1, 258), "sp\x00l\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01\x02"},
		{"state", k.state(1), "sp\x00s\x00\x00\x00\x01"},
		{"profile", k.profile(1, "a"), "sp\x00p\x00\x00\x00\x01a"},
		{"dedup", k.dedup(1, data.DedupKey{Profile: "a", Day: 2}), "sp\x00d\x00\x00\x00\x01\x80\x00\x00\x02a"},
		{"imported", k.dedup(1, data.DedupKey{Profile: "a", Day: -1, Imported: true}), "sp\x00k\x00\x00\x00\x01a\x7f\xff\xff\xff"},
		{"timer", k.timer(1, tm), "sp\x00t\x00\x00\x00\x01a\x00\xffb\x00\x01s"},
		{"due", k.due(1, tm), "sp\x00u\x00\x00\x00\x01\x80\x00\x00\x00\x00\x00\x00\x05a\x00\xffb\x00\x01s"},
		{"counter", k.counter(1, "i/a"), "sp\x00c\x00\x00\x00\x01i/a"},
		{"change", k.change(1, 2, 3), "sp\x00g\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x03"},
		{"late", k.late(1, 2), "sp\x00e\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x02"},
		{"index", k.index("user", "u1"), "sp\x00iuser\x00\x01u1"},
		{"owned", k.owned(1, "user", "u1"), "sp\x00o\x00\x00\x00\x01user\x00\x01u1"},
		{"dead", k.dead(7), "sp\x00x\x00\x00\x00\x00\x00\x00\x00\x07"},
	} {
		if string(c.got) != c.want {
			t.Errorf("%s: key %q, want %q", c.name, c.got, c.want)
		}
	}
	if got, want := appendHashes(nil, []uint64{1, 1 << 63}), "\x00\x00\x00\x00\x00\x00\x00\x01\x80\x00\x00\x00\x00\x00\x00\x00"; string(got) != want {
		t.Errorf("hashes %q, want %q", got, want)
	}
}

func TestKeyOrderIsTheOrderOfWhatTheyName(t *testing.T) {
	name := rapid.Map(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 0xfe, 0xff}), 0, 4), func(b []byte) string { return string(b) })
	timer := rapid.Custom(func(rt *rapid.T) data.Timer {
		return data.Timer{At: rapid.Int64().Draw(rt, "at"), Profile: data.ProfileID(name.Draw(rt, "profile")), Slot: name.Draw(rt, "slot")}
	})
	k := keys{data.DefaultSpace}
	prefix := len(k.part(tableDue, 3))
	rapid.Check(t, func(rt *rapid.T) {
		a, b := timer.Draw(rt, "a"), timer.Draw(rt, "b")
		if rapid.Bool().Draw(rt, "same time") {
			b.At = a.At
		}
		want := cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Profile, b.Profile), cmp.Compare(a.Slot, b.Slot))
		if got := bytes.Compare(k.due(3, a), k.due(3, b)); got != want {
			rt.Fatalf("keys of %+v and %+v compare as %d, want %d", a, b, got, want)
		}
		if back, err := parseDue(k.due(3, a)[prefix:]); back != a || err != nil {
			rt.Fatalf("parseDue gives %+v, %v; want %+v", back, err, a)
		}
	})
}

func TestPrefixEndIsTheFirstKeyAfterThePrefix(t *testing.T) {
	for prefix, want := range map[string]string{"a": "b", "a\xff": "b", "a\x00": "a\x01", "a\xff\xff": "b", "\xff": ""} {
		if got := string(prefixEnd([]byte(prefix))); got != want {
			t.Errorf("prefixEnd(%q) = %q, want %q", prefix, got, want)
		}
	}
}

// FuzzKeys decodes arbitrary key tails: no panic, and what decodes encodes back.
func FuzzKeys(f *testing.F) {
	k := keys{data.DefaultSpace}
	prefix := len(k.part(tableDue, 0))
	for _, t := range []data.Timer{{}, {At: -1, Profile: "a", Slot: "b"}, {At: 1 << 40, Profile: "\x00\xff", Slot: "\x00"}} {
		f.Add(k.due(0, t)[prefix:])
	}
	f.Add([]byte("12345678a\x00"))
	f.Add([]byte("12345678a\x00\x02"))
	f.Fuzz(func(t *testing.T, b []byte) {
		timer, err := parseDue(b)
		if err != nil {
			return
		}
		if back := k.due(0, timer)[prefix:]; !bytes.Equal(back, b) {
			t.Errorf("%q decodes to %+v, which encodes to %q", b, timer, back)
		}
		if hashes, err := parseHashes(b); err == nil && !bytes.Equal(appendHashes(nil, hashes), b) {
			t.Errorf("hashes %q change on a round trip", b)
		}
	})
}
