package clean_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"compress/gzip"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/data"
	"kindred/data/event"
	"kindred/serving/ingest/clean"
	"kindred/serving/ingest/stage"
)

// withRules is a cleaner that does nothing but what the rules say.
func withRules(t testing.TB, rules string) *clean.Cleaner {
	path := write(t, "rules.yaml", rules)
	return cleaner(t, func(c *clean.Config) {
		c.Rules, c.Device, c.Bot.Enabled, c.IP = path, false, false, clean.IPFull
	})
}

func TestMappings(t *testing.T) {
	for _, tt := range []struct {
		name, rules, call string
		props, event      string
	}{
		{"a name and an id", `mappings: {shop: [{when: event.name == "view", set: {name: '"Product Viewed"', properties.product_id: properties.sku_no}}]}`,
			`"event":"view","properties":{"sku_no":"p1"}`, `{"sku_no":"p1","product_id":"p1"}`, "Product Viewed"},
		{"another source", `mappings: {other: [{set: {name: '"No"'}}]}`, `"event":"view","properties":{"a":1}`, `{"a":1}`, "view"},
		{"every source first", `mappings: {shop: [{set: {name: event.name + "2"}}], "*": [{set: {name: event.name + "1"}}]}`, `"event":"x"`, ``, "x12"},
		{"not this event", `mappings: {shop: [{when: properties.kind == "b", set: {name: '"No"'}}]}`, `"event":"view","properties":{"kind":"a"}`, `{"kind":"a"}`, "view"},
		{"a field that when needs is missing", `mappings: {shop: [{when: properties.kind == "b", set: {name: '"No"'}}]}`, `"event":"view"`, ``, "view"},
		{"a field that set needs is missing", `mappings: {shop: [{set: {properties.a: properties.none, properties.b: "1.0"}}]}`, `"event":"v"`, `{"b":1}`, "v"},
		{"an optional", `mappings: {shop: [{set: {properties.a: 'properties.?none', properties.b: 'properties.?none.orValue("x")'}}]}`, `"event":"v"`, `{"b":"x"}`, "v"},
		{"rename and drop", `mappings: {shop: [{rename: {properties.prix: properties.price, properties.gone: properties.x}, drop: [properties.debug, properties.none]}]}`,
			`"event":"v","properties":{"prix":3,"debug":{"a":1},"k":true}`, `{"price":3,"k":true}`, "v"},
		{"all see the event as it was", `mappings: {shop: [{set: {properties.a: properties.b, properties.b: properties.a}}]}`, `"event":"v","properties":{"a":1,"b":2}`, `{"a":2,"b":1}`, "v"},
		{"into an object that is not there", `mappings: {shop: [{set: {properties.a.b.c: event.type}}]}`, `"event":"v"`, `{"a":{"b":{"c":"track"}}}`, "v"},
		{"functions", `mappings: {shop: [{set: {properties.at: date(properties.at), properties.cents: 'minor(properties.price, "EUR")', properties.kg: 'convert(properties.lb, "lb", "kg")', properties.n: 'number(properties.price) * 2.0'}}]}`,
			`"event":"v","properties":{"at":1700000000,"price":"59.90","lb":2}`, `{"at":"2023-11-14T22:13:20.000Z","price":"59.90","lb":2,"cents":5990,"kg":0.90718474,"n":119.8}`, "v"},
		{"a long id stays what it is", `mappings: {shop: [{set: {properties.id2: properties.id}}]}`, `"event":"v","properties":{"id":12345678901234567}`, `{"id":12345678901234567,"id2":12345678901234567}`, "v"},
		{"products", `mappings: {shop: [{set: {properties.products: 'properties.lines.map(l, {"product_id": l.sku, "price": l.cents / 100.0})'}, drop: [properties.lines]}]}`,
			`"event":"Order Completed","properties":{"lines":[{"sku":"a","cents":199},{"sku":"b","cents":50}]}`, `{"products":[{"price":1.99,"product_id":"a"},{"price":0.5,"product_id":"b"}]}`, "Order Completed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := eventOf(t, "shop", `{"type":"track","userId":"u",`+tt.call+`}`)
			if v := withRules(t, tt.rules).Apply(&e, &stage.Caller{Source: "shop"}); v != (stage.Verdict{}) {
				t.Fatalf("verdict %+v", v)
			}
			if d := same(string(e.Props), tt.props); d != "" || e.Name != tt.event {
				t.Errorf("%s %q, want %q", d, e.Name, tt.event)
			}
		})
	}
}

func TestAMappedEventIsWhatAClientWouldHaveSentSo(t *testing.T) {
	c := withRules(t, `mappings: {shop: [{set: {name: '"Order Completed"', properties.product_id: properties.art, properties.revenue: properties.sum / 100.0, context.rec: '{"request_id": "r1", "position": 2}'}}]}`)
	e := eventOf(t, "shop", `{"type":"track","event":"kauf","userId":"u","properties":{"art":"p1","sum":5990,"price":3,"category":"shoes"}}`)
	if v := c.Apply(&e, &stage.Caller{}); v != (stage.Verdict{}) {
		t.Fatal(v)
	}
	want := []data.EventItem{{ID: "p1", Price: 3, Facets: map[string][]string{"category": {"shoes"}}}}
	if d := cmp.Diff(want, e.Items); d != "" || e.Value != 59.9 || e.Rec == nil || e.Rec.Position != 2 || e.Ctx != nil {
		t.Errorf("%s value %v, rec %+v, context %s", d, e.Value, e.Rec, e.Ctx)
	}
	for _, set := range []string{`properties.price: "1e15"`, `properties.a: 'properties.lines.map(l, properties.lines)'`} {
		e := eventOf(t, "shop", `{"type":"track","event":"kauf","userId":"u","properties":{"product_id":"p","lines":[`+strings.Repeat(`"xxxxxxxxxx",`, 200)+`1]}}`)
		if v := withRules(t, `mappings: {shop: [{set: {`+set+`}}]}`).Apply(&e, &stage.Caller{}); v.Fate != stage.Refuse || v.Kind != "mapping.refuse" || !strings.HasPrefix(v.Reason, "after clean-up: ") {
			t.Errorf("%s: %+v", set, v)
		}
	}
}

func TestDiscard(t *testing.T) {
	c := withRules(t, `mappings: {shop: [{when: event.name.startsWith("debug"), discard: true}]}`)
	e := eventOf(t, "shop", `{"type":"track","event":"debug 1","userId":"u"}`)
	if v := c.Apply(&e, &stage.Caller{}); v.Fate != stage.Drop || v.Kind != "mapping.discard" {
		t.Errorf("%+v", v)
	}
	if got := c.Counts()[clean.Count{"mapping.discarded", "shop[1]"}]; got != 1 {
		t.Errorf("counted %d times", got)
	}
}

func TestNormalising(t *testing.T) {
	rules := `
dates: [properties.at, "properties.products[].made", traits.born]
aliases:
  properties.category: {Shoes: [schuhe, chaussures]}
  properties.products[].category: {Shoes: [schuhe]}
units:
  - {field: properties.weight, from: lb, to: kg}
  - {field: properties.width, unit_field: width_unit, to: cm}
  - {field: properties.depth, from: percent, to: share}
money: {fields: [price, total], currency: EUR}
`
	c := withRules(t, rules)
	for in, want := range map[string]string{
		`{"at":1700000000}`:                  `{"at":"2023-11-14T22:13:20.000Z"}`,
		`{"at":"2026-11-20 23:30:38+01:00"}`: `{"at":"2026-11-20T22:30:38.000Z"}`,
		`{"at":"soon"}`:                      `{"at":"soon"}`,
		`{"at":null}`:                        `{"at":null}`,
		`{"products":[{"made":"20240131"},{"price":"1.5"},{"made":{}}]}`: `{"products":[{"made":"2024-01-31"},{"price":"1.5","price_minor":150},{"made":{}}]}`,
		`{"category":"  SCHUHE "}`:                                       `{"category":"Shoes"}`,
		`{"category":["x","chaussures"]}`:                                `{"category":["x","Shoes"]}`,
		`{"category":"Shoes"}`:                                           `{"category":"Shoes"}`,
		`{"category":[]}`:                                                `{"category":[]}`,
		`{"weight":1}`:                                                   `{"weight":0.45359237}`,
		`{"weight":"500 g"}`:                                             `{"weight":0.5}`,
		`{"weight":"heavy"}`:                                             `{"weight":"heavy"}`,
		`{"weight":"3 m"}`:                                               `{"weight":"3 m"}`,
		`{"width":10,"width_unit":"in"}`:                                 `{"width":25.4,"width_unit":"cm"}`,
		`{"depth":80}`:                                                   `{"depth":0.8}`,
		`{"price":59.9}`:                                                 `{"price":59.9,"price_minor":5990}`,
		`{"price":59,"currency":"jpy"}`:                                  `{"price":59,"currency":"jpy","price_minor":59}`,
		`{"total":"1.2345","currency":"KWD"}`:                            `{"total":"1.2345","currency":"KWD","total_minor":1235}`,
		`{"price":1,"currency":"XYZ"}`:                                   `{"price":1,"currency":"XYZ"}`,
		`{"products":[{"price":1,"currency":"JPY"},{"price":1}],"currency":"USD"}`: `{"products":[{"price":1,"currency":"JPY","price_minor":1},{"price":1,"price_minor":100}],"currency":"USD"}`,
	} {
		e := eventOf(t, "shop", `{"type":"track","event":"X","userId":"u","properties":`+in+`}`)
		if v := c.Apply(&e, &stage.Caller{}); v != (stage.Verdict{}) {
			t.Errorf("%s: %+v", in, v)
		}
		if d := same(string(e.Props), want); d != "" {
			t.Errorf("%s: %s", in, d)
		}
	}
	e := eventOf(t, "shop", `{"type":"identify","userId":"u","traits":{"born":"1961-04-12"}}`)
	c.Apply(&e, &stage.Caller{})
	if string(e.Traits) != `{"born":"1961-04-12"}` {
		t.Errorf("traits %s", e.Traits)
	}
	if got := c.Counts()[clean.Count{"normalise.failed", "date properties.at"}]; got != 1 {
		t.Errorf("the date that is none is counted %d times", got)
	}
}

func TestRulesFilesSayWhatIsWrong(t *testing.T) {
	for rules, want := range map[string]string{
		`mapings: {}`: "field mapings not found",
		`mappings: {shop: [{when: evnt.name == "x", drop: [properties.a]}]}`: `shop: rule 1: when: line 1, column 1: "evnt.name" is not known here; did you mean event.name?`,
		`mappings: {shop: [{when: event.name, drop: [properties.a]}]}`:       "gives string, but bool is wanted",
		`mappings: {shop: [{set: {propertes.a: "1"}}]}`:                      "did you mean properties?",
		`mappings: {shop: [{set: {properties: "1"}}]}`:                       "name a field inside of it",
		`mappings: {shop: [{set: {name: "1"}}]}`:                             "gives int, but string is wanted",
		`mappings: {shop: [{}]}`:                                             "does nothing",
		`mappings: {shop: [{discard: true}]}`:                                "every event of the source would go",
		`mappings: {shop: [{drop: ["properties.a[].b"]}]}`:                   "names one field",
		`dates: [properties..x]`:                                             "a name in the path is empty",
		`units: [{field: properties.a, from: kg, to: cm}]`:                   "use a unit of length",
		`units: [{field: properties.a, to: stone}]`:                          "no known unit",
		`money: {fields: [properties.price]}`:                                "bare name",
		`money: {currency: EURO}`:                                            "ISO 4217",
		`aliases: {properties.c: {A: [x], B: [X]}}`:                          "let it stand for one",
		"{": "not a rules file",
	} {
		path := write(t, "rules.yaml", rules)
		cfg := clean.Default()
		cfg.Rules = path
		if _, err := clean.New(cfg); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v, want %q", rules, err, want)
		}
	}
}

func TestDates(t *testing.T) {
	for in, want := range map[string]string{
		"2026-11-20T23:30:38.503Z": "2026-11-20T23:30:38.503Z", "2026-11-20T23:30:38+0200": "2026-11-20T21:30:38.000Z", "2026-11-20": "2026-11-20",
		"20261120": "2026-11-20", "20261120T233038Z": "2026-11-20T23:30:38.000Z", "1700000000": "2023-11-14T22:13:20.000Z", "1700000000.5": "2023-11-14T22:13:20.500Z",
		"1700000000123": "2023-11-14T22:13:20.123Z", "1700000000123456": "2023-11-14T22:13:20.123Z", "1700000000123456789": "2023-11-14T22:13:20.123Z",
		"-1": "1969-12-31T23:59:59.000Z", "": "", "0x10": "", "NaN": "", "1e40": "", "2026-13-01": "", "99999999": "1973-03-03T09:46:39.000Z", "20/11/2026": "",
	} {
		if got, _ := clean.Date(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) { // the four epochs of one instant are one instant
		ms := rapid.Int64Range(100_000_000_001, 4_000_000_000_000).Draw(t, "ms")
		want, ok := clean.Date(fmt.Sprint(ms))
		for _, other := range []string{fmt.Sprint(ms*1000 + 7), fmt.Sprint(ms * 1_000_000), fmt.Sprintf("%d.%03d", ms/1000, ms%1000), want} {
			if got, _ := clean.Date(other); !ok || got != want {
				t.Fatalf("%s: %q, want %q", other, got, want)
			}
		}
	})
}

func TestMinorUnits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { // a decimal amount is exactly its digits
		digits := rapid.IntRange(0, 4).Draw(t, "digits")
		code := []string{"JPY", "", "EUR", "BHD", "CLF"}[digits]
		if digits == 1 {
			return
		}
		n := rapid.Int64Range(-1e12, 1e12).Draw(t, "n")
		text := fmt.Sprintf("%d.%0*d", abs(n)/pow10(digits), max(1, digits), abs(n)%pow10(digits)*[]int64{10, 1}[min(1, digits)]/[]int64{10, 1}[min(1, digits)])
		var f float64
		fmt.Sscan(text, &f)
		if n < 0 {
			f = -f
		}
		if got, ok := clean.MinorUnits(f, code); !ok || got != n {
			t.Fatalf("%s %s: %d, want %d", text, code, got, n)
		}
	})
	for _, code := range []string{"", "EU", "EURO", "XXX", "E R", "€"} {
		if n, ok := clean.MinorUnits(1, code); ok {
			t.Errorf("%q: %d", code, n)
		}
	}
	if _, ok := clean.MinorUnits(math.MaxFloat64, "EUR"); ok {
		t.Error("the largest number has minor units")
	}
}

func abs(n int64) int64 { return max(n, -n) }
func pow10(n int) int64 { return int64(math.Pow10(n)) }

func TestVendoredListIsTheOneThatTheReadmeNames(t *testing.T) {
	readme, err := os.ReadFile("vendored/README.md")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("vendored/crawler-user-agents/crawler-user-agents.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), hex.EncodeToString(h.Sum(nil))) {
		t.Errorf("the checksum %x is not in vendored/README.md", h.Sum(nil))
	}
}

func FuzzRules(f *testing.F) {
	f.Add(`mappings: {shop: [{when: 'event.name == "x"', set: {name: '"Y"', properties.a.b: properties.c}, rename: {properties.d: context.e}, drop: [traits.f]}]}`, `{"type":"track","event":"x","userId":"u","properties":{"c":[1],"d":{}}}`)
	f.Add("dates: [properties.a]\nunits: [{field: properties.a, to: kg}]\nmoney: {fields: [a], currency: EUR}\naliases: {properties.a: {x: [y]}}", `{"type":"track","event":"x","userId":"u","properties":{"a":"1"}}`)
	f.Add("a: &a [*a]", "{}")
	f.Fuzz(func(t *testing.T, rules, call string) {
		r, err := clean.ParseRules([]byte(rules))
		if err != nil {
			if err.Error() == "" {
				t.Fatal("an error without words")
			}
			return
		}
		c, err := event.ParseCall([]byte(call), "")
		if err != nil {
			return
		}
		e, err := c.Canonical(event.Intake{Source: "shop", Received: noon, NewID: func() string { return "id" }})
		if err != nil {
			return
		}
		v := clean.ApplyRules(r, &e)
		if v.Fate != stage.Keep && v.Reason == "" {
			t.Fatalf("%+v", v)
		}
		if v.Fate == stage.Keep {
			if _, err := event.Open(event.Seal(e)); err != nil {
				t.Fatalf("the event cannot be read again: %v", err)
			}
		}
	})
}
