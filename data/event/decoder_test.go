package event

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/data"
)

// sameAsDecode checks that a decoder which has been used before says about b what
// Decode says, and reports whether it got there in its single pass.
func sameAsDecode(t testing.TB, d *Decoder, b []byte) (fast bool) {
	t.Helper()
	want, wantErr := Decode(b)
	var e data.Event
	if has, ok := hasVersion(b); ok && has != (check(b, 1) == nil && hasField(b[skipSpace(b, 0):], "v")) {
		t.Fatalf("hasVersion(%q) = %v", b, has)
	}
	if fast = len(b) <= MaxBytes && d.event(b, &e); fast {
		if wantErr != nil {
			t.Fatalf("accepted %q, which Decode refuses: %v", b, wantErr)
		}
		if diff := cmp.Diff(want, e); diff != "" {
			t.Fatalf("%q reads differently (-Decode +Decoder):\n%s", b, diff)
		}
	}
	e = full()
	err := d.Decode(b, &e)
	if fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Fatalf("%q: error %v, Decode's is %v", b, err, wantErr)
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Fatalf("%q reads differently (-Decode +Decoder):\n%s", b, diff)
	}
	return fast
}

func TestTheDecoderReadsWhatAppendWritesInOnePass(t *testing.T) {
	var d Decoder
	sys := system()
	sys.Absorb, sys.Marker, sys.Skip = nil, nil, nil
	segment := accept(t, segmentCall, intake())
	for name, e := range map[string]data.Event{"full": full(), "shown": sys, "segment": segment} {
		for range 2 { // the second time in memory that was used
			if !sameAsDecode(t, &d, Append(nil, e)) {
				t.Errorf("%s: left to the general decoder", name)
			}
			d.Reset()
		}
	}
	sameAsDecode(t, &d, Append(nil, system()))
}

// everywhere is the minimal event in, as line makes it, and the same with what was
// put in front moved to each place that a field of Append's can have.
func everywhere(in string) []string {
	more, ok := strings.CutSuffix(in, line(``)[1:])
	if !ok || more == `{` {
		return []string{in, strings.ReplaceAll(in, `00:00Z`, `00:00.000Z`)}
	}
	more = strings.TrimSuffix(more[1:], `,`)
	minimal := strings.ReplaceAll(line(``), `00:00Z`, `00:00.000Z`)
	out := []string{in}
	for _, place := range []string{`,"type"`, `,"name"`, `,"t"`} {
		out = append(out, strings.Replace(minimal, place, `,`+more+place, 1))
	}
	return append(out, strings.TrimSuffix(minimal, `}`)+`,`+more+`}`)
}

func TestTheDecoderRefusesWhatDecodeRefuses(t *testing.T) {
	var d Decoder
	for _, in := range []string{
		``, ` `, `{`, `{}`, `[1]`, line(``) + `x`, line(``) + ` `, ` ` + line(``), line(`"id":"other",`), line(`"\u0069d":"other",`),
		line(`"x":1,"x":2,`), line(`"x":1,"\u0078":2,`), line(`"props":{"a":[{"k":1,"k":2}]},`), line(`"props":{"k":1,"\u006b":2},`),
		line(`"props":{"product_id_one":1,"product_id_two":2,"product_id_one":3},`), line(`"props":{"":1,"":2},`),
		line(`"props":{"x":1e999},`), line(`"props":{"x":1e99},`), line(`"props":{"x":-0.0E-7},`), line(`"props":{"x":01},`), line(`"props":{"x":-},`),
		line(`"props":{"x":1.},`), line(`"props":{"x":.5},`), line(`"props":{"x":1e},`), line(`"props":{"x":` + strings.Repeat("9", 400) + `},`),
		line(`"value":1e400,`), line(`"value":-0,`), line(`"value":12345678901234567890,`), line(`"value":"1",`), line(`"value":null,`),
		line("\"props\":{\"x\":\"a\xff\"},"), line("\"env\":\"a\xc3\","), line("\"env\":\"\xed\xa0\x80\","), line("\"env\":\"é\u2028😀\","), line("\"env\":\"\x7f\","), line("\"id\":\"\x7f\","),
		line(`"props":{"x":"\ud800"},`), line(`"props":{"x":"\ud83d\ude00"},`), line(`"props":{"x":"\q"},`), line(`"props":{"x":"\u12"},`), line(`"props":{"x":"\`),
		line("\"props\":{\"x\":\"\n\"},"), line(`"env":"a\nb",`), line(`"env":"\u0061",`), line(`"env":null,`), line(`"env":7,`), line(`"env":"unterminated`),
		line(`"ids":{"ext":]},`), line(`"items":],`), line(`"shown":{"items":]},`), line(`"items":[{"id":"a","facets":}}],`), line(`"items":[{"id":"a","facets":{"tag":]}}],`),
		line(`"session":}`), line(`"rec":{,"slot":"s"},`), line(`"b":1,"a":2,`), line(`"a":1,"b":2,`), line(`"a":1,"a":2,`), line(`"":1,"":2,`), line(`"":1,`), line(`"value":1,"skip":2,`), line(`"value":1,"id":"x",`), line(`"ext":"x",`),
		line(`"items":[{"id":"a"}{"id":"b"}],`), line(`"items":[{"id":"a"},],`), line(`"ids":{"user":"u",},`), line(`"ids":{"user":"u"{"anon":"b"},`), line(`"ids":{"user":"u","anon":"b"},`), line(`"ids":{"anon":"b","user":"u"},`),
		line(`"imported":false,`), line(`"session":{"first":false},`), line(`"session":{"id":"s","index":3,"first":true},`),
		line(`"ids":{},`), line(`"ids":{"user":"u","user":"v"},`), line(`"ids":{"x":1},`), line(`"ids":{"ext":[]},`), line(`"ids":{"ext":[{}]},`), line(`"ids":{"user":"` + strings.Repeat("u", 257) + `"},`),
		line(`"items":[],`), line(`"items":[{}],`), line(`"items":[{"id":"a","facets":{}}],`), line(`"items":[{"id":"a","facets":{"tag":[]}}],`), line(`"items":[{"id":"a","facets":{"tag":["x"],"tag":["y"]}}],`),
		line(`"items":[{"id":"a","facets":{"tag":["x",1]}}],`), line(`"tenant":"",`), line(`"tenant":"A",`), line(`"tenant":"b",`), line(`"session":{"index":1.5},`), line(`"session":{"index":-0},`),
		line(`"session":{"index":99999999999999999999},`), line(`"rec":{},`), line(`"rec":{"position":01},`), line(`"imported":truex,`), line(`"imported":tru`), line(`"shown":{},`), line(`"shown":{"items":[]},`),
		line(`"marker":{},`), line(`"skip":3,`), line(`"skip":null,`), line(`"absorb":{"state":"AA=="},`), line(`"x":tru,`), line(`"x":nul`), line(`"x":{"a":1,},`), line(`"x":[1,],`), line(`"x":[,],`),
		line(`"props":` + strings.Repeat(`{"a":`, 63) + `1` + strings.Repeat(`}`, 63) + `,`), line(`"props":` + strings.Repeat(`{"a":`, 64) + `1` + strings.Repeat(`}`, 64) + `,`),
		line(`"x":` + strings.Repeat(`[`, 63) + strings.Repeat(`]`, 63) + `,`), line(`"x":` + strings.Repeat(`[`, 64) + strings.Repeat(`]`, 64) + `,`),
		strings.Replace(line(``), `"v":1`, `"v":2`, 1), strings.Replace(line(``), `"v":1`, `"v":1.0`, 1), strings.Replace(line(``), `"m"`, `""`, 1), strings.Replace(line(``), `"track"`, `"system"`, 1),
		strings.Replace(line(``), `"track"`, `"Track"`, 1), strings.Replace(line(``), `"name":"n",`, ``, 1), strings.Replace(line(``), `Z"`, `+01:00"`, 1), strings.Replace(line(``), `2026`, `2262`, 1),
		`{"v":1,"id":"m","type":"page","t":{"event":"2026-01-01T00:00:00Z"}}`, `{"v":1,"id":"m","type":"page","t":{"received":"2026-01-01T00:00:00Z"}}`,
		`{"v":1,"id":"m","type":"system","name":"tick","t":{"received":"2026-01-01T00:00:00Z"}}`, `{"v":1,"id":"m","type":"page","t":{}}`,
	} {
		for _, in := range everywhere(in) {
			sameAsDecode(t, &d, []byte(in))
			sameAsDecode(t, &d, []byte(strings.Replace(in, `"id":"m"`, `"id": "m"`, 1)))
		}
		d.Reset()
	}
	for _, n := range []int{24, 63, 64, 65, 300} { // many names, and then one again
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"n%d":1,`, i)
		}
		names := strings.TrimSuffix(b.String(), ",")
		for _, more := range []string{`"props":{` + names + `},`, `"props":{` + names + `,"n0":2},`, b.String()} {
			for _, in := range everywhere(line(more)) {
				sameAsDecode(t, &d, []byte(in))
			}
		}
	}
}

func TestADecodersEventLivesUntilReset(t *testing.T) {
	var d Decoder
	const n = 700 // more than the first chunks hold
	events := make([]data.Event, n)
	want := make([]data.Event, n)
	for round := range 3 {
		for i := range events {
			e := full()
			e.ID = fmt.Sprint("m", round, "-", i)
			e.Items[0].ID = data.ItemID(e.ID)
			e.Items[0].Facets["tag"] = []string{e.ID, "t"}
			e.IDs.External[0].ID, e.Rec.Request = e.ID, e.ID
			e.Extra["z"] = json.RawMessage(fmt.Sprint(i))
			want[i] = e
			if err := d.Open(Seal(e), &events[i]); err != nil {
				t.Fatal(err)
			}
		}
		for i := range events {
			if diff := cmp.Diff(want[i], events[i]); diff != "" {
				t.Fatalf("round %d, event %d (-want +got):\n%s", round, i, diff)
			}
		}
		d.Reset()
	}
}

func TestTheDecoderAllocatesNothingOnceWarm(t *testing.T) {
	records := [][]byte{Seal(accept(t, segmentCall, intake())), Seal(full())}
	var d Decoder
	var e data.Event
	if n := testing.AllocsPerRun(100, func() {
		for _, r := range records {
			if err := d.Open(r, &e); err != nil {
				t.Fatal(err)
			}
		}
		d.Reset()
	}); n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
}

func TestInstantsAgreeWithPackageTime(t *testing.T) {
	agree := func(t testing.TB, text string) {
		t.Helper()
		want, err := time.Parse(time.RFC3339, text)
		if err == nil {
			want, err = inRange(want)
		}
		ms, ok := instantMS([]byte(text))
		if ok && (err != nil || time.UnixMilli(ms).UTC() != want) {
			t.Fatalf("instantMS(%q) = %v; package time says %v, %v", text, time.UnixMilli(ms).UTC(), want, err)
		}
		if !ok && err == nil && (strings.HasSuffix(text, "Z") || strings.HasSuffix(text, "+00:00")) && !strings.ContainsRune(text, ',') && len(text) <= 30 && text[13] == ':' {
			t.Fatalf("instantMS(%q) gives up on %v", text, want)
		}
	}
	for _, text := range []string{
		"1970-01-01T00:00:00Z", "2261-12-31T23:59:59.999999999Z", "2262-01-01T00:00:00Z", "1969-12-31T23:59:59.999Z", "2024-02-29T12:00:00.1Z", "2023-02-29T12:00:00Z",
		"2100-02-29T00:00:00Z", "2000-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z",
		"2026-01-01T24:00:00Z", "2026-01-01T23:60:00Z", "2026-01-01T23:59:60Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00,5Z", "2026-01-01T00:00:00.5", "2026-01-01t00:00:00Z",
		"2026-01-01T00:00:00.1234567890Z", "2026-01-01T00:00:00.123456+00:00", "2026-01-01T00:00:00-00:00", "+00:00", "Z", "2026-01-01T00:00+00:00", "2026-01-01T00:00:00+00:00", "202x-01-01T00:00:00Z", "2026-01-01T0:00:00.0Z", "2026-01-01T00:00:0/Z", "2026-01-01T00:00:0:Z", "2026-01-0\xb1T00:00:00Z", "",
	} {
		agree(t, text)
	}
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(-1e12, 9.3e12).Draw(t, "ms")).Add(time.Duration(rapid.IntRange(0, 1e6).Draw(t, "ns"))).UTC()
		text := at.Format(rapid.SampledFrom([]string{time.RFC3339, time.RFC3339Nano, "2006-01-02T15:04:05.000Z"}).Draw(t, "layout"))
		if rapid.Bool().Draw(t, "damaged") {
			b := []byte(text)
			b[rapid.IntRange(0, len(b)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "with")
			text = string(b)
		}
		ms, ok := instantMS([]byte(text))
		want, err := time.Parse(time.RFC3339, text)
		if err == nil {
			want, err = inRange(want)
		}
		if ok && (err != nil || time.UnixMilli(ms).UTC() != want) {
			t.Fatalf("instantMS(%q) = %v; package time says %v, %v", text, time.UnixMilli(ms).UTC(), want, err)
		}
		if got, want := string(appendInstant(nil, at)), at.Format(`"2006-01-02T15:04:05.000Z"`); got != want {
			t.Fatalf("appendInstant = %s, want %s", got, want)
		}
	})
	for _, at := range []time.Time{{}, time.Unix(-1, 999999999), time.Unix(253402300799, 0), time.Unix(253402300800, 0), noon.In(time.FixedZone("", 3600))} {
		if got, want := string(appendInstant(nil, at)), at.UTC().Format(`"2006-01-02T15:04:05.000Z"`); got != want {
			t.Errorf("appendInstant = %s, want %s", got, want)
		}
	}
}

// The twin of scan is encoding/json: what scan accepts is valid and without
// repairs, and what it refuses is invalid, repaired, or one of the unusual things
// that it leaves to others.
func TestScanAgreesWithEncodingJSON(t *testing.T) {
	tokens := []string{`{`, `}`, `[`, `]`, `,`, `:`, `"a"`, `"b"`, `"longer than eight"`, `1`, `-0.5e+3`, `true`, `null`, ` `, `"`, `\u0041`, `0`, `.`, `e`, `-`, "\x7f", "é", "\xc3"}
	rapid.Check(t, func(t *rapid.T) {
		in := []byte(strings.Join(rapid.SliceOfN(rapid.SampledFrom(tokens), 0, 12).Draw(t, "tokens"), ""))
		agreeWithJSON(t, in)
	})
}

func agreeWithJSON(t interface{ Fatalf(string, ...any) }, in []byte) {
	var s scan
	s.reset(in)
	got := s.value(1)
	if got {
		got = s.at() == 0 && s.i == len(in)
	}
	strict := check(in, 1) == nil
	if got && (!strict || !json.Valid(in)) {
		t.Fatalf("scan accepts %q; check says %v, json.Valid %v", in, check(in, 1), json.Valid(in))
	}
	if !got && strict && bytes.IndexByte(in, '\\') < 0 && bytes.Count(in, []byte(`"`)) <= 2*maxFastNames {
		t.Fatalf("scan refuses %q without need", in)
	}
	if got {
		var twin any
		if err := json.Unmarshal(in, &twin); err != nil {
			t.Fatalf("%q: %v", in, err)
		}
	}
}

func FuzzDecoder(f *testing.F) {
	f.Add(Append(nil, full()))
	f.Add(Append(nil, system()))
	f.Add([]byte(line(`"props":{"x":"\ud83d\ude00","y":[1e-7,-0]},`)))
	f.Add([]byte(everywhere(line(`"session":{"id":"s"},`))[3]))
	f.Add([]byte(line(`"shown":{"request_id":"r","items":[{"id":"i","position":1,"score":0.25}]},"x":{"a":[{"b":"é"}]},`)))
	var d Decoder
	f.Fuzz(func(t *testing.T, b []byte) {
		sameAsDecode(t, &d, b)
		agreeWithJSON(t, b)
		d.Reset()
	})
}

func TestNumbersReadAsTheyAreWritten(t *testing.T) {
	for _, f := range []float64{0, 1, -1, 9.99, 1e-9, -1e21, math.MaxFloat64, math.SmallestNonzeroFloat64, 1 << 53} {
		var s scan
		s.reset(appendFloat(nil, f))
		if got, ok := s.float(); !ok || got != f {
			t.Errorf("%v reads as %v, %v", f, got, ok)
		}
	}
}
