package rawjson_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"kindred/features/expr/rawjson"
)

// decode walks raw into what encoding/json makes of it.
func decode(t *testing.T, raw []byte) any {
	switch rawjson.Kind(raw) {
	case "object":
		m := map[string]any{}
		for o := rawjson.Fields(raw); o.Next(); {
			m[rawjson.NameOf(o.Name)] = decode(t, o.Value)
		}
		return m
	case "array":
		l := []any{}
		for a := rawjson.Elements(raw); a.Next(); {
			l = append(l, decode(t, a.Value))
		}
		return l
	case "string":
		s, _ := rawjson.Text(raw)
		return s
	case "boolean":
		return raw[0] == 't'
	case "null":
		return nil
	}
	f, ok := rawjson.Number(raw)
	if !ok {
		t.Fatalf("%q is no number", raw)
	}
	return f
}

func FuzzWalkIsWhatEncodingJSONReads(f *testing.F) {
	for _, seed := range []string{
		`{"a":1,"b":[1,"x",{"c":null}],"d\"e":true}`, ` { "a" : [ ] , "b" : { } } `, `[]`, `{"a":"\\"}`, `{"a":-1.5e3}`, `{"a"`, `{"a":}`, `[,]`, `{,}`, "\"", `{"a":1`, `[1`, `"\`,
	} {
		f.Add([]byte(seed), "a")
	}
	f.Fuzz(func(t *testing.T, b []byte, field string) {
		rawjson.Put(nil, b, field, []byte("1")) // must not panic, whatever b is
		rawjson.Rewrite(b, []string{field, "[]", "x"}, func([]byte) []byte { return []byte("2") })
		rawjson.Get(b, field, "x")
		dec := json.NewDecoder(bytes.NewReader(b))
		var want any
		if dec.Decode(&want) != nil || dec.More() || dec.InputOffset() != int64(len(bytes.TrimRight(b, " \t\n\r"))) {
			return
		}
		b = bytes.TrimSpace(b)
		if got := decode(t, b); !cmp.Equal(got, want) {
			t.Fatalf("%s: %s", b, cmp.Diff(want, got))
		}
		m, isMap := want.(map[string]any)
		if !isMap {
			return
		}
		var put any
		if err := json.Unmarshal(rawjson.Put(nil, b, field, []byte(`[7]`)), &put); err != nil {
			t.Fatal(err)
		}
		clean, _ := json.Marshal(field)
		json.Unmarshal(clean, &field) // a name that is not UTF-8 is written with replacement characters
		m[field] = []any{7.0}
		if !cmp.Equal(put, any(m)) {
			t.Fatalf("Put(%s, %q): %s", b, field, cmp.Diff(any(m), put))
		}
	})
}

func TestEdits(t *testing.T) {
	in := []byte(`{"a":1,"l":[{"p":1},{"q":2},{"p":3}],"o":{"x":{"y":true}}}`)
	double := func(v []byte) []byte { return append([]byte("1"), v...) }
	for _, tt := range []struct {
		name string
		got  []byte
		want string
	}{
		{"put in place", rawjson.Put(nil, in[:8], "a", []byte("2")), `{"a":2}`},
		{"take away", rawjson.PutPath(in, []string{"o", "x", "y"}, nil), `{"a":1,"l":[{"p":1},{"q":2},{"p":3}],"o":{"x":{}}}`},
		{"take away nothing", rawjson.PutPath(in, []string{"n", "x"}, nil), string(in)},
		{"make the way", rawjson.PutPath([]byte(`{"a":1}`), []string{"n", "x"}, []byte("0")), `{"a":1,"n":{"x":0}}`},
		{"of nothing", rawjson.PutPath(nil, []string{"n"}, []byte("0")), `{"n":0}`},
		{"rewrite all elements", rawjson.Rewrite(in, rawjson.Path("l[].p"), double), `{"a":1,"l":[{"p":11},{"q":2},{"p":13}],"o":{"x":{"y":true}}}`},
		{"rewrite nothing", rawjson.Rewrite(in, rawjson.Path("l.p"), double), string(in)},
	} {
		if string(tt.got) != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, tt.got, tt.want)
		}
	}
}
