package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/data"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 123e6, time.UTC)

// full uses every field of an ordinary event.
func full() data.Event {
	return data.Event{
		V: 1, ID: "m1", Source: "web-shop", Space: "default", Env: "prod", Type: data.Track, Name: "Product Viewed",
		IDs: data.IDs{User: "u1", Anonymous: "a1", Group: "g", Device: "d",
			External: []data.ExternalID{{Type: "email_sha", ID: "ff"}}},
		Profile: "8cvlk0ougq89khllsatcc3h4a8",
		Times: data.Times{Event: noon, Original: noon.Add(-time.Second), Sent: noon, Received: noon.Add(time.Second),
			SkewMS: -1000, Clamped: true, Late: true},
		Session: data.SessionRef{ID: "s", Index: 7, First: true},
		Props:   json.RawMessage(`{"product_id":"p1","depth":0.83,"s":"a b\u00e9\"\\"}`),
		Traits:  json.RawMessage(`{}`),
		Items: []data.EventItem{
			{ID: "p1", Quantity: 1, Price: 9.99, Facets: map[string][]string{"category": {"a", "b"}, "brand": {"x"}}},
			{ID: "p2"},
		},
		Value: 4.5, Ctx: json.RawMessage(`{"page":{}}`), Bot: json.RawMessage(`{"score":0.02}`),
		Consent: json.RawMessage(`{"analytics":true}`), Schema: json.RawMessage(`{"ref":"x@3"}`),
		Rec:      &data.RecRef{Request: "r", Slot: "home", Position: 2, Model: "m-1"},
		Imported: true,
		Extra:    map[string]json.RawMessage{"b": json.RawMessage(`[1,null]`), "a": json.RawMessage(`null`)},
	}
}

// system uses every field of system events.
func system() data.Event {
	skip := int64(0)
	return data.Event{
		V: 1, ID: "k1", Source: "kindred", Type: data.System, Name: data.SysAbsorb, Times: data.Times{Received: noon},
		Marker: &data.Marker{Rules: "r1", Models: "m-1"}, Absorb: &data.Absorb{From: "p", State: []byte{0, 1, 0xff}}, Skip: &skip,
		Shown: &data.Shown{Request: "r", Slot: "home", Model: "m", Arm: "b", Items: []data.ShownItem{
			{Item: "i", Position: 1, Score: -1e-9, Propensity: .25}, {Item: "j", Position: 2}}},
	}
}

func TestEventsReadBackAsTheyWereWritten(t *testing.T) {
	for name, want := range map[string]data.Event{"full": full(), "system": system()} {
		t.Run(name, func(t *testing.T) {
			b := Append(nil, want)
			if !json.Valid(b) {
				t.Fatalf("not JSON: %s", b)
			}
			got, err := Decode(b)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("read back (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCanonicalBytesAreFixed(t *testing.T) {
	// These bytes are in logs and lakes: they must not change.
	want := `{"v":1,"id":"m1","source":"web-shop","tenant":"default","env":"prod","type":"track","name":"Product Viewed",` +
		`"ids":{"user":"u1","anon":"a1","group":"g","device":"d","ext":[{"type":"email_sha","id":"ff"}]},` +
		`"profile":"8cvlk0ougq89khllsatcc3h4a8","t":{"event":"2026-11-20T12:00:00.123Z","original":"2026-11-20T11:59:59.123Z",` +
		`"sent":"2026-11-20T12:00:00.123Z","received":"2026-11-20T12:00:01.123Z","skew_ms":-1000,"clamped":true,"late":true},` +
		`"session":{"id":"s","index":7,"first":true},"props":{"product_id":"p1","depth":0.83,"s":"a b\u00e9\"\\"},"traits":{},` +
		`"items":[{"id":"p1","qty":1,"price":9.99,"facets":{"brand":["x"],"category":["a","b"]}},{"id":"p2"}],"value":4.5,` +
		`"ctx":{"page":{}},"bot":{"score":0.02},"consent":{"analytics":true},"schema":{"ref":"x@3"},` +
		`"rec":{"request_id":"r","slot":"home","position":2,"model":"m-1"},"imported":true,"a":null,"b":[1,null]}`
	if diff := cmp.Diff(want, string(Append(nil, full()))); diff != "" {
		t.Error(diff)
	}
}

// line is a minimal event with more fields put in front.
func line(more string) string {
	return `{` + more + `"v":1,"id":"m","type":"track","name":"n","t":{"event":"2026-01-01T00:00:00Z","received":"2026-01-01T00:00:00Z"}}`
}

func TestDecodeNamesTheFieldAtFault(t *testing.T) {
	deep := func(n int) string {
		return `"props":` + strings.Repeat(`{"a":`, n) + `1` + strings.Repeat(`}`, n) + `,`
	}
	for name, test := range map[string]struct{ in, field, reason string }{
		"empty":             {``, "", "ends at byte 0"},
		"not an object":     {`[1]`, "", "must be an object, not an array"},
		"cut":               {`{"v":1`, "", "ends at byte 6"},
		"after the end":     {line(``) + `x`, "", "more after the end"},
		"NaN":               {line(`"value":NaN,`), "value", "'N'"},
		"huge number":       {line(`"props":{"x":1e999},`), "props.x", "beyond the range"},
		"long number":       {line(`"value":` + strings.Repeat("9", 400) + `,`), "value", "beyond the range"},
		"leading zero":      {line(`"value":01,`), "", "'1'"},
		"bad UTF-8":         {line("\"props\":{\"x\":\"a\xff\"},"), "props.x", "not valid UTF-8"},
		"lone surrogate":    {line(`"props":{"x":"\ud800"},`), "props.x", "half of a surrogate pair"},
		"low surrogate":     {line(`"props":{"x":"\udc00"},`), "props.x", "half of a surrogate pair"},
		"control in text":   {line("\"props\":{\"x\":\"\n\"},"), "props.x", "control character"},
		"bad escape":        {line(`"props":{"x":"\q"},`), "props.x", "unknown escape"},
		"twice":             {line(`"id":"other",`), "id", "occurs twice"},
		"twice in disguise": {line(`"\u0069d":"other",`), "id", "occurs twice"},
		"twice, deep":       {line(`"props":{"a":[{"k":1,"k":2}]},`), "props.a[0].k", "occurs twice"},
		"too deep":          {line(deep(64)), "props" + strings.Repeat(".a", 63), "deeper than 64"},
		"id of a number":    {strings.Replace(line(``), `"m"`, `7`, 1), "id", "must be a string, not a number"},
		"id with NUL":       {strings.Replace(line(``), `"m"`, `"a\u0000"`, 1), "id", "U+0000"},
		"id too long":       {strings.Replace(line(``), `"m"`, `"`+strings.Repeat("x", 257)+`"`, 1), "id", "257 bytes"},
		"no id":             {strings.Replace(line(``), `"id":"m",`, ``, 1), "id", "missing"},
		"null id":           {strings.Replace(line(``), `"m"`, `null`, 1), "id", "missing"},
		"no v":              {strings.Replace(line(``), `"v":1,`, ``, 1), "v", "missing"},
		"newer v":           {strings.Replace(line(``), `"v":1`, `"v":2`, 1), "v", "version 2"},
		"no type":           {strings.Replace(line(``), `"type":"track",`, ``, 1), "type", "missing"},
		"unknown type":      {strings.Replace(line(``), `"track"`, `"Track"`, 1), "type", `"Track" is no event type`},
		"no name":           {strings.Replace(line(``), `"name":"n",`, ``, 1), "name", "a track event needs one"},
		"no received":       {`{"v":1,"id":"m","type":"page","t":{"event":"2026-01-01T00:00:00Z"}}`, "t.received", "missing"},
		"no event time":     {`{"v":1,"id":"m","type":"page","t":{"received":"2026-01-01T00:00:00Z"}}`, "t.event", "missing"},
		"time of a number":  {strings.Replace(line(``), `"2026-01-01T00:00:00Z"`, `1`, 1), "t.event", "must be a string"},
		"time without zone": {strings.Replace(line(``), `00:00Z"`, `00:00"`, 1), "t.event", "not an RFC 3339 time"},
		"time too early":    {strings.Replace(line(``), `2026`, `1969`, 1), "t.event", "the year 1969"},
		"time too late":     {strings.Replace(line(``), `2026`, `2262`, 1), "t.event", "the year 2262"},
		"unknown in t":      {strings.Replace(line(``), `"received"`, `"x":1,"received"`, 1), "t.x", "unknown field"},
		"bad tenant":        {line(`"tenant":"A",`), "tenant", "a-z"},
		"items an object":   {line(`"items":{},`), "items", "must be an array, not an object"},
		"item without id":   {line(`"items":[{"id":"a"},{"qty":1}],`), "items[1].id", "missing"},
		"item null":         {line(`"items":[null],`), "items[0]", "must be an object, not null"},
		"facet a string":    {line(`"items":[{"id":"a","facets":{"tag":"x"}}],`), "items[0].facets.tag", "must be an array"},
		"facet of numbers":  {line(`"items":[{"id":"a","facets":{"tag":[1]}}],`), "items[0].facets.tag[0]", "must be a string"},
		"props an array":    {line(`"props":[],`), "props", "must be an object, not an array"},
		"fraction":          {line(`"rec":{"position":1.5},`), "rec.position", "whole number"},
		"beyond 64 bits":    {line(`"skip":99999999999999999999,`), "skip", "whole number"},
		"not base64":        {line(`"absorb":{"state":"%"},`), "absorb.state", "base64"},
		"boolean as text":   {line(`"imported":"true",`), "imported", "must be a boolean, not a string"},
	} {
		t.Run(name, func(t *testing.T) {
			sameAsDecode(t, new(Decoder), []byte(test.in))
			_, err := Decode([]byte(test.in))
			var d *DecodeError
			if !errors.As(err, &d) {
				t.Fatalf("error = %v, want a *DecodeError", err)
			}
			if d.Field != test.field || !strings.Contains(d.Reason, test.reason) {
				t.Errorf("refused %q because %q, want %q because of %q", d.Field, d.Reason, test.field, test.reason)
			}
		})
	}
}

func TestNamesAreUniqueHoweverManyThereAre(t *testing.T) {
	for _, n := range []int{2, 24, 25, 26, 300} {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `"n%d":1,`, i)
		}
		if _, err := Decode([]byte(line(b.String()))); err != nil {
			t.Errorf("%d different names: %v", n, err)
		}
		for _, again := range []int{0, n - 1} {
			if _, err := Decode([]byte(line(b.String() + fmt.Sprintf(`"n%d":2,`, again)))); err == nil {
				t.Errorf("%d names and then the %dth again are accepted", n, again)
			}
		}
	}
}

func TestTheBoundsThemselvesAreAllowed(t *testing.T) {
	if _, err := Decode([]byte(line(`"props":` + strings.Repeat(`{"a":`, 63) + `1` + strings.Repeat(`}`, 63) + `,`))); err != nil {
		t.Errorf("64 levels: %v", err)
	}
	pad := func(n int) []byte {
		s := line(`"x":"",`)
		return []byte(strings.Replace(s, `"x":""`, `"x":"`+strings.Repeat("y", n-len(s))+`"`, 1))
	}
	if _, err := Decode(pad(MaxBytes)); err != nil {
		t.Errorf("1 MiB: %v", err)
	}
	if _, err := Decode(pad(MaxBytes + 1)); err == nil {
		t.Error("1 MiB and a byte is accepted")
	}
}

func TestNullIsAbsentAndWhiteSpaceIsNothing(t *testing.T) {
	in := " \n" + strings.NewReplacer(`,`, " ,\t", `:{`, ": { ").Replace(line(`"env":null,"props":{"a":[1,2]},"traits":null,"items":null,"rec":null,`))
	e, err := Decode([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	if string(e.Props) != `{"a":[1,2]}` || e.Traits != nil || e.Rec != nil || e.Extra != nil {
		t.Errorf("got %+v", e)
	}
}

func TestAppendNeverWritesWhatJSONCannotHold(t *testing.T) {
	e := full()
	e.Value, e.Items[0].Price, e.ID = math.NaN(), math.Inf(1), "bad\xff"
	e.Extra["id"] = json.RawMessage(`"forged"`)
	got, err := Decode(Append(nil, e))
	if err != nil {
		t.Fatal(err)
	}
	if got.Value != 0 || got.Items[0].Price != 0 || got.ID != "bad\uFFFD" || got.Extra["id"] != nil {
		t.Errorf("got %+v", got)
	}
}

func TestStringsSurviveWhateverTheyHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := full()
		e.Name = rapid.StringN(1, 50, -1).Draw(t, "name")
		e.Env = rapid.String().Draw(t, "env")
		e.Extra = map[string]json.RawMessage{rapid.String().Draw(t, "extra"): json.RawMessage(`1`)}
		for name := range e.Extra {
			if known(name) {
				return
			}
		}
		got, err := Decode(Append(nil, e))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(e, got); diff != "" {
			t.Fatal(diff)
		}
	})
}

// encoding/json is the twin: what it calls valid and what we accept differ only by
// the things it repairs.
func TestCheckAgreesWithEncodingJSON(t *testing.T) {
	tokens := []string{`{`, `}`, `[`, `]`, `,`, `:`, `"a"`, `"b"`, `1`, `-0.5e+3`, `true`, `null`, ` `, `"`, `\u0041`, `0`, `.`, `e`, `-`}
	rapid.Check(t, func(t *rapid.T) {
		in := strings.Join(rapid.SliceOfN(rapid.SampledFrom(tokens), 0, 12).Draw(t, "tokens"), "")
		err := check([]byte(in), 1)
		if err != nil && strings.Contains(err.Error(), "occurs twice") {
			return
		}
		if got, want := err == nil, json.Valid([]byte(in)); got != want {
			t.Fatalf("check(%q) = %v, json.Valid = %v", in, err, want)
		}
	})
}

func TestTheEnvelopeOpensAndRefuses(t *testing.T) {
	want := full()
	got, err := Open(Seal(want))
	if err != nil || !cmp.Equal(want, got) {
		t.Fatalf("Open(Seal(e)) = %+v, %v", got, err)
	}
	var version *VersionError
	if _, err := Open([]byte{2, 0, '{'}); !errors.As(err, &version) || version.Version != 2 {
		t.Errorf("unknown version: %v", err)
	}
	var key *KeyError
	if _, err := Open([]byte{1, 0xac, 2, 9, 9}); !errors.As(err, &key) || key.ID != 300 {
		t.Errorf("unknown key: %v", err)
	}
	for name, b := range map[string][]byte{
		"empty": {}, "no key": {1}, "cut key": {1, 0x80}, "long key": append([]byte{1, 0x80, 0}, Append(nil, want)...), "no payload": {1, 0},
	} {
		var d *DecodeError
		if _, err := Open(b); !errors.As(err, &d) {
			t.Errorf("%s: error = %v, want a *DecodeError", name, err)
		}
	}
}

func fixedPoint(t *testing.T, b []byte) {
	e, err := Decode(b)
	if err != nil {
		return
	}
	once := Append(nil, e)
	again, err := Decode(once)
	if err != nil {
		t.Fatalf("wrote what it refuses: %v\n%s", err, once)
	}
	if twice := Append(nil, again); string(twice) != string(once) {
		t.Fatalf("not a fixed point:\n%s\n%s", once, twice)
	}
	Interactions(e)
}

func FuzzDecode(f *testing.F) {
	f.Add(Append(nil, full()))
	f.Add(Append(nil, system()))
	f.Add([]byte(line(`"props":{"x":"\ud83d\ude00","y":[1e-7,-0]},`)))
	f.Fuzz(fixedPoint)
}

func FuzzOpen(f *testing.F) {
	f.Add(Seal(full()))
	f.Add([]byte{1, 0xac, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := Open(b)
		if err != nil {
			return
		}
		if _, err := Open(Seal(e)); err != nil {
			t.Fatalf("sealed what it does not open: %v", err)
		}
	})
}
