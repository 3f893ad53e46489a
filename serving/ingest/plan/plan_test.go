package plan_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/data"
	"kindred/data/event"
	"kindred/serving/ingest/plan"
	"kindred/serving/ingest/stage"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

const shop = `
plan: shop
mode: reject
unknown_events: quarantine
unknown_properties: warn
events:
  - name: Product Viewed
    version: 1
    mode: warn
    properties: {type: object, required: [sku]}
  - name: Product Viewed
    version: 3
    properties:
      type: object
      required: [product_id]
      properties:
        product_id: {type: string}
        price: {type: number, minimum: 0}
        currency: {enum: [EUR, USD]}
        made: {type: string, format: date}
      patternProperties: {"^x_": true}
  - name: Strict
    unknown_properties: reject
    properties: {properties: {a: {type: integer}}}
  - name: Unwatched
    mode: "off"
    properties: false
  - type: page
    context: {required: [page]}
  - type: identify
    traits: {properties: {age: {type: integer, maximum: 150}}}
`

func compile(t testing.TB, texts ...string) *plan.Plan {
	t.Helper()
	var files []plan.File
	for _, text := range texts {
		f, err := plan.ParseFile([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	p, err := plan.Compile(files...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func eventOf(t testing.TB, call string) data.Event {
	t.Helper()
	c, err := event.ParseCall([]byte(call), "")
	if err != nil {
		t.Fatal(err)
	}
	e, err := c.Canonical(event.Intake{Source: "shop", Received: noon, NewID: func() string { return "id" }})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// with is a stage with the plan of that file content.
func with(t testing.TB, content string) (*plan.Stage, string) {
	t.Helper()
	cfg := plan.Default()
	cfg.Path = filepath.Join(t.TempDir(), "shop.yaml")
	if err := os.WriteFile(cfg.Path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := plan.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s, cfg.Path
}

func TestEventsAreHeldAgainstThePlan(t *testing.T) {
	s, _ := with(t, shop)
	track := func(name, rest string) string {
		return `{"type":"track","userId":"u","event":"` + name + `"` + rest + `}`
	}
	for _, tt := range []struct {
		name, call   string
		schema, kind string
		reason       string
	}{
		{"fits", track("Product Viewed", `,"properties":{"product_id":"p","price":1,"x_any":1}`), "Product Viewed@3 valid", "", ""},
		{"a missing property", track("Product Viewed", ``), "Product Viewed@3 invalid", "plan.reject", "tracking plan: Product Viewed@3: /properties/product_id is missing; the plan requires it"},
		{"types and ranges", track("Product Viewed", `,"properties":{"product_id":7,"price":-1,"currency":"DM","made":"yesterday"}`), "Product Viewed@3 invalid", "plan.reject",
			"/properties/currency value must be one of 'EUR', 'USD'; /properties/made 'yesterday' is not valid date: "},
		{"an older version", track("Product Viewed", `,"context":{"protocols":{"event_version":1}},"properties":{"sku":"p"}`), "Product Viewed@1 valid", "", ""},
		{"an older version that only warns", track("Product Viewed", `,"context":{"protocols":{"event_version":"1"}}`), "Product Viewed@1 invalid", "", ""},
		{"a version that is none", track("Product Viewed", `,"context":{"protocols":{"event_version":2}}`), "Product Viewed unknown", "plan.quarantine", "no version 2 of it; the newest is 3"},
		{"an unknown event", track("Product Veiwed", ``), "Product Veiwed unknown", "plan.quarantine", `the plan has no event "Product Veiwed"; did you mean "Product Viewed"?`},
		{"an unknown property that only warns", track("Product Viewed", `,"properties":{"product_id":"p","prise":1}`), "Product Viewed@3 valid", "", ""},
		{"an unknown property", track("Strict", `,"properties":{"b":1}`), "Strict@1 invalid", "plan.reject", "/properties/b the plan has no such property"},
		{"off", track("Unwatched", `,"properties":{"b":1}`), "", "", ""},
		{"page", `{"type":"page","userId":"u"}`, "Page Viewed@1 invalid", "plan.reject", "/context/page is missing"},
		{"traits", `{"type":"identify","userId":"u","traits":{"age":200}}`, "identify@1 invalid", "plan.reject", "/traits/age maximum: got 200, want 150"},
	} {
		e := eventOf(t, tt.call)
		v := s.Apply(&e, &stage.Caller{})
		got := ""
		if e.Schema != nil {
			var o struct{ Ref, Status string }
			if err := json.Unmarshal(e.Schema, &o); err != nil {
				t.Fatal(err)
			}
			got = o.Ref + " " + o.Status
		}
		if got != tt.schema || v.Kind != tt.kind || !strings.Contains(v.Reason, tt.reason) || (v.Fate == stage.Refuse) != (tt.kind != "") {
			t.Errorf("%s: %q, %+v", tt.name, got, v)
		}
		if ref, ok := plan.Refused(v.Reason); ok != (tt.kind != "") || ok && !strings.HasPrefix(tt.schema, ref) {
			t.Errorf("%s: Refused(%q) = %q, %v", tt.name, v.Reason, ref, ok)
		}
	}
	if _, ok := plan.Refused("event: is missing"); ok {
		t.Error("another dead letter is said to be the plan's")
	}
}

func TestCheckTriesACall(t *testing.T) {
	s, _ := with(t, shop)
	got, err := s.Plan().Check([]byte(`{"type":"track","userId":"u","event":"Product Viewed","properties":{"product_id":7,"prise":1}}`))
	want := plan.Result{Ref: "Product Viewed@3", Status: plan.Invalid, Mode: plan.Reject, Unknown: []string{"prise"},
		Violations: []plan.Violation{{Path: "/properties/product_id", Rule: "type", Message: "got number, want string"}}}
	if d := cmp.Diff(want, got); d != "" || err != nil {
		t.Error(d, err)
	}
	if _, err := s.Plan().Check([]byte(`{"type":"track"}`)); err == nil {
		t.Error("a call that no server takes is checked")
	}
	if n := len(s.Report().Events); n != 0 {
		t.Errorf("%d events in the report, want none", n)
	}
}

func TestPlansSayWhatIsWrong(t *testing.T) {
	event := func(schema string) string { return `{"events":[{"name":"A","properties":` + schema + `}]}` }
	double := `{"$ref":"#/$defs/a0","$defs":{"z":true`
	for i := range 20 {
		double += fmt.Sprintf(`,"a%d":{"allOf":[{"$ref":"#/$defs/%s"},{"$ref":"#/$defs/%[2]s"}]}`, i, map[bool]string{true: fmt.Sprint("a", i+1), false: "z"}[i < 19])
	}
	for name, tt := range map[string]struct{ text, want string }{
		"an unknown key":     {"evnts: []", "evnts"},
		"a tag":              {event(`{"properties":{"email":{"pii":"yes"}}}`), "email: pii is yes; use true or false"},
		"a mode":             {"mode: strict", "use off, warn, quarantine or reject"},
		"no name":            {"events: [{}]", "needs the name that clients send"},
		"twice":              {"events: [{name: A}, {name: A, version: 1}]", "version 1 is there twice"},
		"a type":             {"events: [{type: click}]", "use track, identify"},
		"no schema":          {event(`7`), "write an object"},
		"a wrong schema":     {event(`{"type":"strin"}`), "/type: "},
		"another document":   {event(`{"$ref":"https://example.com/x.json"}`), "is another document"},
		"a file":             {event(`{"$ref":"file:///etc/passwd"}`), "is another document"},
		"an older draft":     {event(`{"$schema":"http://json-schema.org/draft-04/schema#"}`), "of draft"},
		"a pattern":          {event(`{"pattern":"("}`), "not JSON Schema 2020-12"},
		"an alias":           {"events: &a [{name: A}]\nplan: *a", "no YAML aliases"},
		"doubling":           {event(double + `}}`), "looked at more than"},
		"doubling by levels": {event(`{"properties":{"a":{"allOf":[{"$ref":"#"},{"$ref":"#"}]}}}`), "looked at more than"},
		"too deep":           {event(strings.Repeat(`{"not":`, 200) + "true" + strings.Repeat("}", 200)), "nests deeper"},
		"no YAML":            {"\x00", "not a plan"},
	} {
		f, err := plan.ParseFile([]byte(tt.text))
		if err == nil {
			_, err = plan.Compile(f)
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %q", name, err, tt.want)
		}
	}
	for name, text := range map[string]string{
		"a tree":    `{"properties":{"children":{"items":{"$ref":"#"}},"a":{"$ref":"#/$defs/m"},"b":{"$ref":"#/$defs/m"}},"$defs":{"m":{"type":"object"}}}`,
		"tiny":      `{"properties":{"a":{"minimum":1e-300}}}`,
		"to itself": `{"properties":{"a":{"$ref":"#/properties/a"}}}`,
	} {
		f, err := plan.ParseFile([]byte(event(text)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if p, err := plan.Compile(f); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if _, err := p.Check([]byte(`{"type":"track","userId":"u","event":"A","properties":{"a":1e-320}}`)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestThePlanIsReadAgainWhenItChanges(t *testing.T) {
	s, path := with(t, "mode: reject\nevents: [{name: A, properties: {required: [x]}}]")
	refused := func() bool {
		e := eventOf(t, `{"type":"track","userId":"u","event":"A"}`)
		return s.Apply(&e, &stage.Caller{}).Fate == stage.Refuse
	}
	put := func(text string, at time.Time) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		os.Chtimes(path, at, at)
	}
	if changed, err := s.Refresh(); changed || err != nil || !refused() {
		t.Errorf("unchanged: %v, %v", changed, err)
	}
	put("events: [", noon)
	if changed, err := s.Refresh(); changed || err == nil || !strings.Contains(err.Error(), path) || !refused() {
		t.Errorf("a broken file: %v, %v", changed, err)
	}
	put("events: [{name: A}]", noon.Add(time.Second))
	if changed, err := s.Refresh(); !changed || err != nil || refused() {
		t.Errorf("mended: %v, %v", changed, err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"a.yaml": "events: [{name: A}]", "b.json": `{"unknown_events":"reject","events":[{"name":"B"}]}`, "README.md": "no plan"} {
		os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600)
	}
	p, err := plan.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]plan.Mode{"A": plan.Off, "B": plan.Off, "C": plan.Reject} {
		if r, _ := p.Check([]byte(`{"type":"track","userId":"u","event":"` + name + `"}`)); r.Mode != want {
			t.Errorf("of a directory, %s: %+v", name, r)
		}
	}
}

func TestReport(t *testing.T) {
	cfg := plan.Default()
	cfg.ReportEvents, cfg.ReportFields = 2, 3
	s, err := plan.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.Swap(compile(t, "mode: quarantine\nevents: [{name: A, properties: {properties: {p: {type: number}}}}, {name: Never}]"))
	for i, call := range []string{
		`{"type":"track","userId":"u","event":"A","properties":{"p":1,"q":null}}`, `{"type":"track","userId":"u","event":"A","properties":{"p":"1","q":1}}`,
		`{"type":"track","userId":"u","event":"A","properties":{"r":{},"s":1}}`, `{"type":"track","userId":"u","event":"B"}`, `{"type":"track","userId":"u","event":"C"}`,
	} {
		e := eventOf(t, call)
		e.Times.Received = noon.Add(time.Duration(i) * time.Minute)
		s.Apply(&e, &stage.Caller{})
	}
	min := func(n int) time.Time { return noon.Add(time.Duration(n) * time.Minute) }
	one := func(n int) plan.TypeReport { return plan.TypeReport{Count: 1, First: min(n), Last: min(n)} }
	want := plan.Report{
		Events: []plan.EventReport{
			{Type: "track", Name: "A", Planned: true, Count: 3, First: min(0), Last: min(2), Statuses: map[string]uint64{"valid": 2, "invalid": 1}, Refused: map[plan.Mode]uint64{"quarantine": 1},
				Fields: []plan.FieldReport{
					{Name: "p", Coverage: 2. / 3, First: min(0), Last: min(1), Types: map[string]plan.TypeReport{"number": one(0), "string": one(1)}, Drift: true},
					{Name: "q", Coverage: 2. / 3, Unknown: true, First: min(0), Last: min(1), Types: map[string]plan.TypeReport{"null": one(0), "number": one(1)}},
					{Name: "r", Coverage: 1. / 3, Unknown: true, First: min(2), Last: min(2), Types: map[string]plan.TypeReport{"object": one(2)}},
				},
				Violations: []plan.ViolationReport{{Path: "/properties/p", Rule: "type", Count: 1}}, Beyond: 1},
			{Type: "track", Name: "B", Count: 1, First: min(3), Last: min(3), Statuses: map[string]uint64{"unknown": 1}, Refused: map[plan.Mode]uint64{}, Fields: []plan.FieldReport{},
				Violations: []plan.ViolationReport{{Rule: "unknown_event", Count: 1}}},
		},
		Missing: []string{"Never@1"}, Beyond: 1,
	}
	if d := cmp.Diff(want, s.Report()); d != "" {
		t.Error(d)
	}
	if _, err := json.Marshal(s.Report()); err != nil {
		t.Error(err)
	}
}

func TestConcurrentUse(t *testing.T) {
	s, _ := with(t, shop)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 200 {
				e := eventOf(t, fmt.Sprintf(`{"type":"track","userId":"u","event":"Product Viewed","properties":{"product_id":"p","x_%d":1}}`, i))
				s.Apply(&e, &stage.Caller{})
				if i%50 == 0 {
					s.Report()
					s.Swap(s.Plan())
				}
			}
		})
	}
	all.Wait()
	if n := s.Report().Events[0].Count; n != 800 {
		t.Errorf("%d events counted, want 800", n)
	}
}

func TestADraftFitsWhatItWasDraftedFrom(t *testing.T) {
	values := rapid.SampledFrom([]string{`1`, `1.5`, `"a"`, `"b"`, `"2026-11-20T12:00:00Z"`, `null`, `true`, `[]`, `[1,"x",{"k":2}]`, `{"k":1}`, `{"k":"v","l":[]}`, `"` + strings.Repeat("x", 200) + `"`})
	rapid.Check(t, func(t *rapid.T) {
		f := plan.NewInferrer()
		var calls []string
		for range rapid.IntRange(1, 60).Draw(t, "events") {
			fields := ""
			for _, name := range rapid.SliceOfDistinct(rapid.SampledFrom([]string{"p", "q", "r"}), rapid.ID[string]).Draw(t, "fields") {
				fields += fmt.Sprintf(`,"%s":%s`, name, values.Draw(t, "value"))
			}
			typ := rapid.SampledFrom([]string{`"track","event":"A"`, `"track","event":"B"`, `"page"`, `"identify"`}).Draw(t, "type")
			calls = append(calls, fmt.Sprintf(`{"type":%s,"userId":"u","properties":{"z":1%s},"traits":{"z":1%[2]s}}`, typ, fields))
		}
		for _, call := range calls {
			c, err := event.ParseCall([]byte(call), "")
			if err != nil {
				t.Fatal(err)
			}
			e, err := c.Canonical(event.Intake{Received: noon, NewID: func() string { return "id" }})
			if err != nil {
				t.Fatal(err)
			}
			f.Add(&e)
		}
		b, err := f.Draft("draft").JSON()
		if err != nil {
			t.Fatal(err)
		}
		file, err := plan.ParseFile(b)
		if err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		p, err := plan.Compile(file)
		if err != nil {
			t.Fatalf("%v: %s", err, b)
		}
		for _, call := range calls {
			if r, err := p.Check([]byte(call)); err != nil || r.Status != plan.Valid || len(r.Unknown) > 0 {
				t.Fatalf("%s: %+v, %v\n%s", call, r, err, b)
			}
		}
	})
}

func FuzzPlan(f *testing.F) {
	f.Add([]byte(shop), []byte(`{"type":"track","userId":"u","event":"Product Viewed","properties":{"product_id":7}}`))
	f.Add([]byte(`{"events":[{"name":"A","properties":{"$dynamicRef":"#x","$defs":{"a":{"$dynamicAnchor":"x","unevaluatedProperties":false}}}}]}`), []byte(`{"type":"track","userId":"u","event":"A"}`))
	f.Add([]byte(`{"events":[{"name":"A","properties":{"properties":{"a":{"maximum":1e-999999999}}}}]}`), []byte(`{"type":"track","userId":"u","event":"A","properties":{"a":1e-999999999}}`))
	f.Add([]byte(`{"events":[{"name":"A","properties":{"pattern":"((a{1,100}){1,100}){1,100}"}}]}`), []byte(`{}`))
	f.Add([]byte("? {a: 1}\n: [!!binary x, .nan, -.inf, 0x10, 2001-01-01]"), []byte(`{}`))
	f.Add([]byte(`events: [{name: A, properties: {properties: {? [1] : true}}}]`), []byte(`{}`))
	f.Fuzz(func(t *testing.T, text, call []byte) {
		file, err := plan.ParseFile(text)
		if err == nil {
			var p *plan.Plan
			if p, err = plan.Compile(file); err == nil {
				if r, err := p.Check(call); err == nil && r.Status == "" {
					t.Fatalf("%+v", r)
				}
				return
			}
		}
		if err.Error() == "" {
			t.Fatal("an error without words")
		}
	})
}

func BenchmarkApply(b *testing.B) {
	s, _ := with(b, shop)
	for name, call := range map[string]string{
		"valid":   `{"type":"track","userId":"u","event":"Product Viewed","properties":{"product_id":"p","price":59.9,"currency":"EUR"}}`,
		"invalid": `{"type":"track","userId":"u","event":"Product Viewed","properties":{"product_id":7,"price":59.9,"currency":"EUR"}}`,
		"off":     `{"type":"track","userId":"u","event":"Unwatched","properties":{"product_id":"p","price":59.9,"currency":"EUR"}}`,
	} {
		e := eventOf(b, call)
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Apply(&e, &stage.Caller{})
			}
		})
	}
}
