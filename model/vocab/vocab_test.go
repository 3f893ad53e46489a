package vocab_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"kindred/model/vocab"
)

func TestRowsFollowTheBytewiseOrderOfKeys(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfDistinct(rapid.StringN(1, 6, -1), rapid.ID[string]).Draw(t, "keys")
		given := slices.Clone(keys)
		v, err := vocab.New(keys)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(given, keys) {
			t.Fatal("New changed its input")
		}
		slices.Sort(keys)
		if v.Len() != len(keys) || !slices.Equal(v.Keys(), keys) {
			t.Fatalf("Keys = %q, want %q", v.Keys(), keys)
		}
		for i, k := range keys {
			if row, ok := v.Row(k); !ok || int(row) != i || v.Key(row) != k {
				t.Fatalf("Row(%q) = %d, %v; want %d", k, row, ok, i)
			}
			if _, ok := v.Row(k + "\x00"); ok && !slices.Contains(keys, k+"\x00") {
				t.Fatalf("Row knows %q", k+"\x00")
			}
		}

		b, err := v.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var back vocab.Vocab
		if err := back.UnmarshalBinary(b); err != nil || !slices.Equal(back.Keys(), keys) {
			t.Fatalf("decoded %q, %v; want %q", back.Keys(), err, keys)
		}
	})
}

func TestNewRefusesEmptyAndRepeatedKeys(t *testing.T) {
	for name, c := range map[string]struct {
		keys []string
		want string
	}{
		"empty":    {[]string{"a", ""}, "empty"},
		"repeated": {[]string{"b", "a", "b"}, `"b" occurs twice`},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := vocab.New(c.keys); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("New(%q) = %v, want an error with %q", c.keys, err, c.want)
			}
		})
	}
}

func TestUnmarshalRefusesWhatMarshalDoesNotWrite(t *testing.T) {
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"nothing":           {nil, "no bytes"},
		"another version":   {[]byte{9, 0}, "version 9"},
		"no count":          {[]byte{1}, "count"},
		"huge count":        {[]byte{1, 255, 255, 255, 255, 15}, "count"},
		"cut key":           {[]byte{1, 1, 0, 5, 'a'}, "key 0"},
		"prefix of nothing": {[]byte{1, 1, 1, 0}, "key 0"},
		"repeated key":      {[]byte{1, 2, 0, 1, 'a', 1, 0}, "twice"},
		"falling keys":      {[]byte{1, 2, 0, 1, 'b', 0, 1, 'a'}, "sorted"},
		"prefix not longest": {
			[]byte{1, 2, 0, 1, 'a', 0, 2, 'a', 'b'}, "longest prefix",
		},
		"long varint": {[]byte{1, 0x80, 0}, "count"},
		"trailing":    {[]byte{1, 0, 0}, "1 bytes after"},
	} {
		t.Run(name, func(t *testing.T) {
			var v vocab.Vocab
			if err := v.UnmarshalBinary(c.b); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("UnmarshalBinary(%v) = %v, want an error with %q", c.b, err, c.want)
			}
		})
	}
}

func FuzzUnmarshalBinary(f *testing.F) {
	for _, keys := range [][]string{{}, {"a"}, {"item-1", "item-10", "item-2"}, {"\x00", "\xff\xfe"}} {
		v, err := vocab.New(keys)
		if err != nil {
			f.Fatal(err)
		}
		b, err := v.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var v vocab.Vocab
		if v.UnmarshalBinary(b) != nil {
			return
		}
		again, err := v.MarshalBinary()
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("round trip of %v gives %v, %v", b, again, err)
		}
	})
}

func ExampleNew() {
	v, err := vocab.New([]string{"lamp", "chair", "desk"})
	if err != nil {
		fmt.Println(err)
		return
	}
	row, ok := v.Row("desk")
	fmt.Println(v.Keys(), row, ok)
	// Output: [chair desk lamp] 1 true
}
