package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/data"
	"kindred/data/event"
)

type fataler interface {
	Helper()
	Fatalf(string, ...any)
}

// sameAsEncodingJSON checks that a body is taken apart in one pass only as
// encoding/json takes it apart, and reports whether it was.
func sameAsEncodingJSON(t fataler, b []byte, typ data.EventType) (fast bool) {
	t.Helper()
	_, fast = event.Split(bytes.TrimSpace(b), typ != "")
	got, gotErr := ParseBody(b, typ, 500_000, 3)
	want, wantErr := Body{}, error(&BodyError{fmt.Sprintf("%d bytes; at most 500000 are taken", len(b))})
	if len(b) <= 500_000 {
		want, wantErr = parseAnyBody(b, typ, 3)
	}
	if fmt.Sprint(gotErr) != fmt.Sprint(wantErr) {
		t.Fatalf("%q: error %v, want %v", b, gotErr, wantErr)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%q is another body (-encoding/json +one pass):\n%s", b, diff)
	}
	return fast
}

func TestBodiesAreTakenApartInOnePass(t *testing.T) {
	for _, body := range []string{
		`{"batch":[]}`, ` {"batch":[{"a":1},{"a":"\u00e9","a":2}],"sentAt":"2026-11-20T23:30:38.503Z","writeKey":"WK1","context":{"x":1},"y":[]}`,
		`{"batch":[1,null,"x"],"sentAt":7,"writeKey":null,"context":null}`, `{"sentAt":"soon","batch" : [ {} , [1 , 2] ]}`,
	} {
		if !sameAsEncodingJSON(t, []byte(body), "") {
			t.Errorf("%s is left to encoding/json", body)
		}
	}
	if !sameAsEncodingJSON(t, []byte(` {"event":"x","writeKey":"k","sentAt":"x","context":[]} `), data.Track) {
		t.Error("a single call is left to encoding/json")
	}
}

func TestBodiesOfAllSortsAreReadAsEncodingJSONReadsThem(t *testing.T) {
	for _, body := range []string{
		``, `{}`, `[]`, `{"batch":null}`, `{"batch":{}}`, `{"Batch":[1]}`, `{"batch":[1],"BATCH":[2]}`, `{"batch":[1],"batch":[2]}`, `{"\u0062atch":[1]}`, `{"batch":[{}],"\u017fentAt":"2026-01-01"}`,
		`{"batch":[{}],"sentat":"2026-01-01"}`, "{\"batch\":[{}],\"\u017fentAt\":\"2026-01-01\"}", "{\"batch\":[{}],\"write\u212aey\":\"x\"}", `{"batch":[{}],"sentAt":"2026-01-01"}`, `{"batch":[{}],"sentAt":"\u0032026-01-01"}`,
		`{"batch":[1,2,3,4]}`, `{"batch":[1,2,3]}`, `{"batch":[{}]}x`, `{"batch":[{}],}`, `{"batch":[1,]}`, `{"batch":["\ud800"]}`, "{\"batch\":[\"\xff\"]}", "\u00a0{\"batch\":[]}\u0085", `{"batch":[1e999]}`,
		`{"batch":[` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `]}`, `{"batch":[{}],"writeKey":"\u0041"}`, `{"batch":[{}],"writeKey":{}}`, `{"batch":[{}],"context":"x"}`,
		`{"x":"` + strings.Repeat("y", event.MaxCallBytes-8) + `"}`, `{"x":"` + strings.Repeat("y", event.MaxCallBytes-7) + `"}`, `{"x":"` + strings.Repeat("y", 500_000) + `"}`,
		`{"batch":[],"x":1,"x":2}`, `{"batch":[tru]}`, `{"batch":[01]}`, `{"batch":[{"a" 1}]}`, `null`, `7`,
	} {
		sameAsEncodingJSON(t, []byte(body), "")
		sameAsEncodingJSON(t, []byte(body), data.Page)
	}
	tokens := []string{`{`, `}`, `[`, `]`, `,`, `:`, `"batch":[`, `"context":`, `"sentAt":`, `"writeKey":`, `"Context":`, `"x":`, `{"a":1}`, `"2026-01-01"`, `1`, `null`, ` `, `"\u0041"`, "\"\x7f\"", "é"}
	rapid.Check(t, func(t *rapid.T) {
		in := strings.Join(rapid.SliceOfN(rapid.SampledFrom(tokens), 0, 12).Draw(t, "tokens"), "")
		for _, in := range []string{in, `{"batch":[{}],` + in + `}`, `{` + in + `}`} {
			sameAsEncodingJSON(t, []byte(in), "")
			sameAsEncodingJSON(t, []byte(in), data.Track)
		}
	})
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte(`{"batch":[{"type":"track"},{"a":"\u00e9"}],"sentAt":"2026-11-20T23:30:38.503Z","writeKey":"WK1","context":{"x":1}}`), false)
	f.Add([]byte(`{"event":"x","userId":"u","Context":null}`), true)
	f.Fuzz(func(t *testing.T, b []byte, single bool) {
		typ := data.EventType("")
		if single {
			typ = data.Track
		}
		if sameAsEncodingJSON(t, b, typ) && !json.Valid(bytes.TrimSpace(b)) {
			t.Fatalf("accepted %q", b)
		}
	})
}
