package event

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/data"
)

// tester is what testing.TB and *rapid.T have in common.
type tester interface {
	Helper()
	Fatalf(string, ...any)
}

// sameAsCanonical checks that a parser which has been used before makes of a call
// what ParseCall and Canonical make of it, to the byte, and reports whether it got
// there in its single pass.
func sameAsCanonical(t tester, p *Parser, raw []byte, typ data.EventType, in Intake) (fast bool) {
	t.Helper()
	defer p.Reset()
	c, wantErr := ParseCall(raw, typ)
	var want data.Event
	if wantErr == nil {
		want, wantErr = c.Canonical(in)
	}
	var e data.Event
	if fast = len(raw) <= MaxCallBytes && p.event(raw, typ, &in, &e); fast {
		if wantErr != nil {
			t.Fatalf("accepted %q, which is refused: %v", raw, wantErr)
		}
		if diff := cmp.Diff(want, e); diff != "" {
			t.Fatalf("%q becomes another event (-Canonical +Parser):\n%s", raw, diff)
		}
		if got, want := p.Seal(nil, &e), Seal(want); string(got) != string(want) {
			t.Fatalf("%q is sealed as\n%s\nwant\n%s", raw, got, want)
		}
		twin(t, raw, &e)
	}
	e = full()
	err := p.Event(raw, typ, &in, &e)
	if fmt.Sprint(err) != fmt.Sprint(wantErr) {
		t.Fatalf("%q: error %v, want %v", raw, err, wantErr)
	}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Fatalf("%q becomes another event (-Canonical +Parser):\n%s", raw, diff)
	}
	return fast
}

// twin checks the event against what encoding/json finds in the call.
func twin(t tester, raw []byte, e *data.Event) {
	t.Helper()
	var c map[string]any
	if err := json.Unmarshal(raw, &c); err != nil {
		t.Fatalf("accepted %q, which encoding/json refuses: %v", raw, err)
	}
	if id, ok := c["userId"].(string); ok && id != string(e.IDs.User) {
		t.Fatalf("%q: user %q, encoding/json finds %q", raw, e.IDs.User, id)
	}
	if name, ok := c["event"].(string); ok && e.Type == data.Track && name != e.Name {
		t.Fatalf("%q: name %q, encoding/json finds %q", raw, e.Name, name)
	}
	if want, ok := c["properties"].(map[string]any); ok && e.Type == data.Track {
		var got map[string]any
		if err := json.Unmarshal(e.Props, &got); err != nil || !cmp.Equal(want, got) {
			t.Fatalf("%q: properties %s, %v", raw, e.Props, err)
		}
	}
}

func TestTheParserReadsUsualCallsInOnePass(t *testing.T) {
	var p Parser
	spaced := strings.NewReplacer(`":`, `": `, `,"`, `, "`).Replace(segmentCall)
	for name, body := range map[string]string{
		"segment":      segmentCall,
		"with spaces":  spaced,
		"escapes":      strings.Replace(segmentCall, `Mozilla/5.0`, `Mozilla\/5.0 \"\u00e9\"`, 1),
		"name escaped": strings.Replace(segmentCall, `Product Viewed`, `Caf\u00e9`, 1),
		"not ASCII":    strings.Replace(segmentCall, `shoes`, `туфли 👠`, 1),
		"page":         `{"type":"page","userId":"u","messageId":"m","name":"Home","category":"c","properties":{"path":"/"},"context":{"timezone":"Europe/Berlin","ip":"1"}}`,
		"order": `{"type":"track","event":"Order Completed","userId":17,"timestamp":1763600438503,"properties":{"revenue":"12.5","products":[` +
			`{"product_id":1,"price":2.5,"quantity":2,"tags":["a"," b"]},{"sku":"s","category":["x","x"]},"bare",{}]},"z":[1],"context":{"rec":{"request_id":"r","position":3},"locale":"de"}}`,
		"identify": `{"type":"identify","userId":"u","anonymousId":"a","messageId":"m","context":{"traits":{"age":3},"device":{"id":"d"},"sessionId":5,"sessionStart":true}}`,
	} {
		t.Run(name, func(t *testing.T) {
			if !sameAsCanonical(t, &p, []byte(body), "", intake()) {
				t.Error("left to the general parser")
			}
			in := intake()
			in.BatchContext = json.RawMessage(`{"locale": "en", "timezone":"UTC"}`)
			in.SentAt = noon.Add(time.Hour)
			if !sameAsCanonical(t, &p, []byte(body), "", in) {
				t.Error("left to the general parser with a batch's context")
			}
		})
	}
}

// TestTheParserKnowsTheFinePrint has a call for each rule that two of its fields make
// together.
func TestTheParserKnowsTheFinePrint(t *testing.T) {
	var p Parser
	for _, fields := range []string{
		`"context":{"timezone":"A","tz":"B"}`, `"context":{"tz":null,"timezone":"A"}`, `"context":{"timezone":"A","x":1}`, `"context":{"x":1,"timezone":null}`, `"context":{}`,
		`"context":{"rec":{"request_id":"r"}}`, `"context":{"a":1,"rec":{"request_id":"r"},"b":2}`, `"context":{"rec":{"request_id":"r"},"consent":{},"b":2}`, `"context":{"b":2,"consent":{},"rec":{"request_id":"r"}}`,
		`"context":{"rec":{"request_id":"c"}},"properties":{"rec":{"request_id":"p"}}`, `"context":{"rec":null},"properties":{"rec":{"request_id":"p"}}`, `"context":{"rec":7,"consent":true,"traits":[]}`,
		`"context":{"traits":{"a":1}}`, `"context":{"traits":{"a":1}},"traits":{"b":2}`, `"context":{"traits":{"a":1}},"traits":{}`, `"context":{"traits":{"a":1},"timezone":"x","device":{"id":7},"sessionStart":true}`,
		`"context":{"externalIds":[{"id":1,"type":"a"}],"externalId":[{"id":2,"type":"b"}]},"previousId":"p"`, `"context":{"externalIds":{"id":1}}`, `"context":{"sessionId":null,"device":{"id":[]}}`,
		`"name":"N","properties":{"name":null}`, `"name":"N","category":"C","properties":{"category":null,"sku":"s"}`, `"category":"C","properties":{"category":"own","sku":"s"}`, `"category":"C","properties":{"sku":"s"}`,
		`"category":"C","properties":{}`, `"name":"","category":""`, `"name":"N"`, `"category":"a\"b","properties":{"sku":"s"}`, `"name":null,"category":null`,
		`"properties":{"products":[],"sku":"s"}`, `"properties":{"products":[{"name":"x"}],"sku":"s"}`, `"properties":{"products":[{"sku":"s"}],"product_id":"no"}`, `"properties":{"id":"no"}`, `"properties":{"products":[{"id":"yes"}]}`,
		`"properties":{"product_id":null,"sku":"s","quantity":"x","qty":2}`, `"properties":{"product_id":"","sku":"s","quantity":null,"qty":-2}`, `"properties":{"sku":"s","category":[],"categories":["c"]}`, `"properties":{"sku":"s","category":"a","categories":["c"]}`,
		`"properties":{"sku":"s","tags":["1","2","2","3","4","5","6","7","8","9"],"brand":" "}`, `"properties":{"sku":"s","brand":7,"tags":{}}`,
		`"properties":{"sku":"s","brand":"` + strings.Repeat("é", MaxFacetBytes) + `","tags":["a` + strings.Repeat("é", 200) + `","a` + strings.Repeat("é", 201) + `"]}`,
		`"properties":{"revenue":"x","total":"y","value":3}`, `"properties":{"revenue":null,"total":4,"value":3}`, `"properties":{"rating":true,"value":5}`, `"properties":{"rating":"\u0034","value":5}`,
		`"timestamp":"2026-11-20T11:00:00Z","originalTimestamp":"nonsense"`, `"originalTimestamp":"2026-11-20T10:00:00Z","timestamp":"2026-11-20T11:00:00Z"`, `"originalTimestamp":"nonsense","timestamp":"2026-11-20T11:00:00Z"`,
		`"timestamp":"2026-11-20T11:00:00Z"`, `"timestamp":"2026-11-20T11:00:00Z","messageId":""`, `"sentAt":"2026-11-20T11:00:00Z"`, `"traits":{"a":1}`, `"traits":{},"z":1`, `"integrations":5,"_metadata":[],"writeKey":{},"writekey":1,"receivedAt":1,"channel":1,"version":1`,
		`"groupId":"g","previousId":"p"`, `"type":5`, `"messageId":7`, `"messageId":-0`, `"z":"\u0061","\u007a":2`,
	} {
		for _, typ := range []data.EventType{data.Track, data.Page, data.Screen, data.Identify, data.Group, data.Alias} {
			for _, name := range []string{"Order Completed", "Item Rated", "ORDER x"} {
				raw := fmt.Sprintf(`{"event":%q,"anonymousId":"a",%s}`, name, fields)
				in := intake()
				sameAsCanonical(t, &p, []byte(raw), typ, in)
				sameAsCanonical(t, &p, []byte(strings.ReplaceAll(raw, `,"`, `, "`)), typ, in)
				in.BatchContext = json.RawMessage(`{"tz":"batch","b":null,"traits":{"z":1}}`)
				sameAsCanonical(t, &p, []byte(raw), typ, in)
			}
		}
	}
}

func TestTheParserAllocatesNothingOnceWarm(t *testing.T) {
	var p Parser
	var e data.Event
	in := intake()
	bodies := [][]byte{[]byte(segmentCall), []byte(strings.ReplaceAll(segmentCall, `,"`, `, "`)),
		[]byte(`{"type":"page","userId":"u","messageId":"m","name":"Home","z":1,"properties":{"tags":["a","b"],"sku":1},"context":{"timezone":"UTC","rec":{"request_id":"r"}}}`)}
	out := make([]byte, 0, 4096)
	if n := testing.AllocsPerRun(100, func() {
		for _, b := range bodies {
			if err := p.Event(b, "", &in, &e); err != nil {
				t.Fatal(err)
			}
			out = p.Seal(out[:0], &e)
		}
		p.Reset()
	}); n != 0 {
		t.Errorf("%v allocations a batch", n)
	}
}

func TestAParsersEventsLiveUntilReset(t *testing.T) {
	var p Parser
	in := intake()
	const n = 500
	events, want := make([]data.Event, n), make([]data.Event, n)
	for range 3 {
		for i := range events {
			raw := fmt.Appendf(nil, `{"type":"page", "userId":"u%d","messageId":"m%d","name":"n%d","z":%d,"previousId":"x","properties":{"products":[{"sku":%d,"tags":["t%d"]},{"sku":"b"}]},`+
				`"context":{"timezone":"z%d","a":%d,"rec":{"request_id":"r%d"}}}`, i, i, i, i, i, i, i, i, i)
			c, err := ParseCall(raw, "")
			if err != nil {
				t.Fatal(err)
			}
			if want[i], err = c.Canonical(in); err != nil {
				t.Fatal(err)
			}
			if err := p.Event(raw, "", &in, &events[i]); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, events); diff != "" {
			t.Fatal(diff)
		}
		p.Reset()
	}
}

// drawCall writes a call that is likely to be accepted and has something odd in it.
func drawCall(t *rapid.T) string {
	pick := func(label string, of ...string) string { // the first is the usual one
		if rapid.IntRange(0, 3).Draw(t, label+" odd") != 3 {
			return of[0]
		}
		return rapid.SampledFrom(of).Draw(t, label)
	}
	id := func(label string) string {
		return pick(label, `"u1"`, `"a b"`, `""`, `" "`, `null`, `7`, `-7`, `-0`, `1e3`, `1.5`, `"\u0061"`, `"\u0001"`, "\"\x7f\"", `"é"`, `true`, `[]`, `{}`,
			`12345678901234567890`, `"`+strings.Repeat("i", 99)+`"`, `"`+strings.Repeat("i", 100)+`"`, `"`+strings.Repeat("é", 60)+`"`, `"`+strings.Repeat("i", 257)+`"`)
	}
	number := func(label string) string {
		return pick(label, `1`, `0`, `-2.5`, `"3.5"`, `" 4 "`, `"x"`, `"0x10"`, `"1_0"`, `"NaN"`, `1e12`, `1e13`, `null`, `true`, `[]`, `"\u0031"`, `""`, `1e999`, `01`)
	}
	words := func(label string) string {
		return pick(label, `"shoes"`, `" shoes "`, `""`, `["a","b","a"," b ",""]`, `[1,"a"]`, `[]`, `3`, `null`, `{}`, `"\u00e9"`, `["1","2","3","4","5","6","7","8","9"]`)
	}
	stamp := func(label string) string {
		return pick(label, `"2026-11-20T11:59:58.503Z"`, `"2026-11-20T11:59:58Z"`, `"2026-11-20T12:59:58.123456+01:00"`, `"2026-11-20T11:59:58.123456+00:00"`, `"2026-11-20"`, `1763600438503`, `1763600438`, `"1763600438"`,
			`1763600438.5`, `null`, `"yesterday"`, `[]`, `"\u0032026-11-20"`, `0`, `-1`, `"2262-01-01T00:00:00Z"`, `"2026-11-20T13:59:58Z"`, `"1970-01-01T00:00:00Z"`)
	}
	rec := func() string {
		return pick("rec", `{"request_id":"r","position":3,"slot":"s","model":"m"}`, `{"request_id":7,"position":"2","other":[]}`, `{"request_id":""}`, `{"position":1}`, `{"request_id":"r","position":1.5}`, `{"request_id":"r","slot":null,"model":[]}`, `{}`, `null`, `"r"`, `[]`, `{"request_id":"\u0072"}`)
	}
	fields := func(label string, of [][2]string) string {
		var b strings.Builder
		for _, i := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(of)-1), 0, 6, rapid.ID[int]).Draw(t, label) {
			f := of[i]
			if b.Len() > 0 {
				b.WriteString(pick("comma", `,`, `,`, `,`, ` , `))
			}
			b.WriteString(f[0] + pick("colon", `:`, `:`, `:`, `: `) + f[1])
		}
		return `{` + b.String() + `}`
	}
	product := [][2]string{{`"product_id"`, id("pid")}, {`"productId"`, id("pid2")}, {`"item_id"`, id("iid")}, {`"sku"`, id("sku")}, {`"id"`, id("id")}, {`"article_id"`, id("aid")}, {`"itemId"`, id("iid2")},
		{`"quantity"`, number("quantity")}, {`"qty"`, number("qty")}, {`"price"`, number("price")}, {`"category"`, words("category")}, {`"categories"`, words("categories")},
		{`"brand"`, words("brand")}, {`"tags"`, words("tags")}, {`"\u0073ku"`, `"s"`}, {`"x"`, `{"a":[1, 2,{"b":null}]}`}}
	products := `[` + fields("p1", product) + `,` + pick("bare", `"bare"`, `7`, `null`, `[]`, `true`, `""`, `-1`, `1e5`, fields("p2", product)) + `]`
	props := append([][2]string{{`"products"`, products}, {`"products"`, pick("products", `[]`, `{}`, `null`, `"x"`)}, {`"rating"`, number("rating")}, {`"value"`, number("value")},
		{`"revenue"`, number("revenue")}, {`"total"`, number("total")}, {`"rec"`, rec()}, {`"name"`, pick("pname", `"n"`, `null`, `7`)}}, product...)
	ctx := [][2]string{{`"rec"`, rec()}, {`"consent"`, pick("consent", `{"a": true}`, `{}`, `true`, `null`)}, {`"sessionId"`, id("session")}, {`"sessionStart"`, pick("start", `true`, `false`, `null`, `"t"`)},
		{`"device"`, pick("device", `{"id":"d"}`, `{"id":null}`, `{}`, `{"id":[]}`, `"d"`, `null`)}, {`"externalIds"`, pick("ext", `[{"type":"e","id":"x"},{"id":"y"},3]`, `[]`, `null`)},
		{`"externalId"`, `[{"id":5,"type":"n","more":1}]`}, {`"traits"`, pick("ctraits", `{"age":3}`, `{}`, `null`, `[]`)}, {`"timezone"`, pick("zone", `"UTC"`, `null`)}, {`"tz"`, pick("tz", `"CET"`, `null`)},
		{`"ip"`, `"1.2.3.4"`}, {`"page"`, `{"url":"https:\/\/x","a":[{"k":1}]}`}, {`""`, `1`}}
	all := [][2]string{{`"messageId"`, id("message")}, {`"userId"`, id("user")}, {`"anonymousId"`, id("anon")}, {`"groupId"`, id("group")}, {`"previousId"`, id("previous")},
		{`"name"`, pick("name", `"Home"`, `""`, `"\u0048"`, `7`, `null`, "\"\x7f\"")}, {`"category"`, pick("cat", `"c"`, `"a\/b"`, `[]`, `null`)}, {`"timestamp"`, stamp("timestamp")}, {`"originalTimestamp"`, stamp("original")}, {`"sentAt"`, stamp("sent")},
		{`"properties"`, fields("props", props)}, {`"properties"`, pick("noprops", `null`, `[]`, `{}`)}, {`"context"`, fields("ctx", ctx)}, {`"traits"`, pick("traits", `{"a": 1}`, `{}`, `null`, `"x"`)},
		{`"integrations"`, `{"All":false}`}, {`"z"`, pick("z", `1`, `null`, `{"a":1, "b":[]}`)}, {`"é"`, `"x"`}, {`"\u007a"`, `1`}, {`"_metadata"`, `{}`}}
	body := fields("call", all)
	start := `{"type":` + pick("type", `"track"`, `"page"`, `"identify"`, `"screen"`, `"group"`, `"alias"`, `"system"`, `"x"`, `5`, `null`)
	if rapid.Bool().Draw(t, "named") {
		start += `,"event":` + pick("event", `"Order Completed"`, `"order x"`, `"ORDER "`, `"order"`, `"Item Rated"`, `"Product Viewed"`, `" "`, `"\u0061"`, `"Produkt gesehen – é"`, `7`)
	}
	if rapid.Bool().Draw(t, "person") {
		start += `,"anonymousId":"a"`
	}
	if body == `{}` {
		return start + `}`
	}
	return start + `,` + body[1:]
}

func TestTheParserAgreesOnCallsOfAllSorts(t *testing.T) {
	var p Parser
	fast, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		for range 10 {
			in := intake()
			if rapid.Bool().Draw(t, "batch") {
				in.BatchContext = json.RawMessage(rapid.SampledFrom([]string{`{"ip": "9","tz":null,"locale":"de"}`, `{}`, `null`, `[1`, `{"rec":{"request_id":"b"}}`, `{"a":1,"a":2}`}).Draw(t, "context"))
				in.SentAt = noon.Add(time.Duration(rapid.IntRange(-1e6, 1e6).Draw(t, "sent")) * time.Millisecond)
			}
			typ := rapid.SampledFrom([]data.EventType{"", "", data.Page, data.Track}).Draw(t, "route")
			all++
			if sameAsCanonical(t, &p, []byte(drawCall(t)), typ, in) {
				fast++
			}
		}
	})
	if os.Getenv("KINDRED_TEST_VERBOSE") != "" {
		t.Logf("%d of %d in one pass", fast, all)
	}
	if fast == 0 {
		t.Error("no call was read in one pass: the comparison compares nothing")
	}
}

func FuzzParser(f *testing.F) {
	for _, s := range []string{segmentCall, `{"type":"page","anonymousId":"a","properties":{"tags":["x"],"sku":3,"name":null},"name":"n","z":1}`,
		`{"type":"track","event":"Order Completed","userId":1,"timestamp":"2026-11-20T11:00:00Z","sentAt":1,` +
			`"properties":{"products":[{"product_id":1,"price":"2"}, "b"],"rec":{"request_id":"r"}},"context":{"sessionId":1,"traits":{},"timezone":"x"},"z":{}}`} {
		f.Add([]byte(s), `{"ip":"x"}`)
	}
	var p Parser
	f.Fuzz(func(t *testing.T, b []byte, batch string) {
		in := intake()
		in.BatchContext = json.RawMessage(batch)
		sameAsCanonical(t, &p, b, "", in)
	})
}

// textbookString is appendString, one character at a time.
func textbookString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteString("\\" + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func TestStringsAreWrittenAsTheTextbookWritesThem(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := strings.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "bcdefgh", " ", "\"", "\\", "\n", "\x00", "\x1f", "\x7f", "é", "\u2028", "👠", "\xff", "\xc3", "\t", "\r"}), 0, 20).Draw(t, "s"), "")
		got := string(appendString(nil, s))
		if got != textbookString(s) {
			t.Fatalf("%q is written %s, want %s", s, got, textbookString(s))
		}
		if back := ""; utf8.ValidString(s) && (json.Unmarshal([]byte(got), &back) != nil || back != s) {
			t.Fatalf("%q reads back as %q", s, back)
		}
	})
}
