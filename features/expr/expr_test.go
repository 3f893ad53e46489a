package expr_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"

	"cel.dev/cel-go/common/types"
	"github.com/google/go-cmp/cmp"

	"kindred/features/expr"
)

// environment is one like that of ingest mappings.
func environment(t testing.TB) *expr.Env {
	env, err := expr.New(expr.DefaultLimits(), []expr.Var{
		{Name: "event.name", Type: expr.String}, {Name: "event.properties", Type: expr.Map}, {Name: "properties", Type: expr.Map},
	}, []expr.Func{{
		Name: "shout", Args: []expr.Type{expr.String}, Result: expr.String,
		Call: func(args ...expr.Value) expr.Value { return args[0].(types.String) + "!" },
	}})
	if err != nil {
		t.Fatal(err)
	}
	return env
}

const properties = `{"price":60,"big":12345678901234567,"name":"Lamp","tags":["a","b"],"nested":{"deep":{"x":1.5}},"nothing":null,"ok":true,"list":[{"q":1},{"q":2.5}]}`

func TestFunctionsReadAndMakeValues(t *testing.T) {
	for _, tt := range []struct {
		in   string
		text string
		num  float64
		kind string
	}{{`"x"`, "x", 0, "string"}, {`1.5`, "", 1.5, "double"}, {`12345678901234567`, "", 12345678901234568, "int"}, {`null`, "", 0, "null_type"}} {
		v := expr.JSON([]byte(tt.in))
		text, isText := expr.TextOf(v)
		num, isNum := expr.NumberOf(v)
		if text != tt.text || num != tt.num || isText != (tt.text != "") || isNum != (tt.num != 0) || expr.TypeOf(v) != tt.kind {
			t.Errorf("%s: %q, %v, %s", tt.in, text, num, expr.TypeOf(v))
		}
	}
	if s, _ := expr.TextOf(expr.TextValue("a")); s != "a" {
		t.Errorf("text %q", s)
	}
	if f, _ := expr.NumberOf(expr.NumberValue(2)); f != 2 {
		t.Errorf("number %v", f)
	}
}

func vars() expr.Activation {
	p := expr.JSON([]byte(properties))
	return expr.Vars(map[string]any{"event.name": "Product Viewed", "event.properties": p, "properties": p})
}

func TestEvaluation(t *testing.T) {
	env := environment(t)
	for _, tt := range []struct{ source, want, err string }{
		{`properties.price / 100.0`, `0.6`, ""},
		{`properties.price > 59 && properties.price < 61.5`, `true`, ""},
		{`properties.price == 60`, `true`, ""},
		{`properties.big`, `12345678901234567`, ""},
		{`event.name + ": " + properties.name`, `"Product Viewed: Lamp"`, ""},
		{`shout(properties.name)`, `"Lamp!"`, ""},
		{`properties.name.lowerAscii()`, `"lamp"`, ""},
		{`"b" in properties.tags && !("c" in properties.tags)`, `true`, ""},
		{`properties.tags[1]`, `"b"`, ""},
		{`properties.tags[2]`, ``, "index out of bounds"},
		{`properties.nested.deep.x`, `1.5`, ""},
		{`properties.nested`, `{"deep":{"x":1.5}}`, ""},
		{`properties.nested == {"deep": {"x": 1.5}}`, `true`, ""},
		{`properties.tags + ["c"]`, `["a","b","c"]`, ""},
		{`has(properties.nested.deep) && !has(properties.nested.none)`, `true`, ""},
		{`properties.missing`, ``, "no such key: missing"},
		{`properties.missing == 1 || properties.ok`, `true`, ""},
		{`properties.?missing.orValue("none")`, `"none"`, ""},
		{`properties.?missing`, `absent`, ""},
		{`properties.nothing`, `null`, ""},
		{`properties.list.map(x, x.q * 2.0)`, `[2,5]`, ""},
		{`properties.list.exists(x, x.q > 2)`, `true`, ""},
		{`properties.map(k, k).size()`, `8`, ""},
		{`{"b": 1, "a": [properties.name, null]}`, `{"a":["Lamp",null],"b":1}`, ""},
		{`timestamp("2026-11-20T23:30:38.5Z")`, `"2026-11-20T23:30:38.500Z"`, ""},
		{`string(properties.price)`, `"60"`, ""},
		{`int(properties.price)`, `60`, ""},
		{`properties.price / 0.0`, ``, "no form in JSON"},
		{`1 / 0`, ``, "division by zero"},
	} {
		p, err := env.Compile(tt.source, expr.Dyn)
		if err != nil {
			if tt.err == "" || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: %v", tt.source, err)
			}
			continue
		}
		var out []byte
		v, err := p.Eval(vars())
		if err == nil {
			var present bool
			if out, present, err = expr.AppendJSON(nil, v); err == nil && !present {
				out = []byte("absent")
			}
		}
		switch {
		case tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)):
			t.Errorf("%s: %s, %v, want the error %q", tt.source, out, err, tt.err)
		case tt.err == "" && (err != nil || string(out) != tt.want):
			t.Errorf("%s = %s, %v, want %s", tt.source, out, err, tt.want)
		}
	}
}

func TestErrorsSayWhereAndWhatWasMeant(t *testing.T) {
	env := environment(t)
	for _, tt := range []struct {
		name, source string
		want         expr.Type
		line, column int
		message      string
		suggestion   string
	}{
		{"a name", "true &&\n  event.nmae == \"x\"", expr.Bool, 2, 3, `"event.nmae" is not known here`, "event.name"},
		{"the first part of a name", "evnt.name", expr.Dyn, 1, 1, `"evnt.name" is not known here`, "event.name"},
		{"a function", "shuot(event.name)", expr.Dyn, 1, 1, `"shuot" is not known here`, "shout"},
		{"a method", "event.name.shuot()", expr.Dyn, 1, 12, `"shuot" is not known here`, "shout"},
		{"nothing near", "banana", expr.Dyn, 1, 1, `"banana" is not known here`, ""},
		{"grammar", "1 +", expr.Dyn, 1, 4, "Syntax error", ""},
		{"types", `1.5 * 100`, expr.Dyn, 1, 5, "* does not take (double, int)", "a number with a decimal point"},
		{"result", `event.name`, expr.Bool, 1, 1, "gives string, but bool is wanted here", ""},
		{"a pattern", `event.name.matches("(")`, expr.Bool, 1, 20, "invalid matches argument", ""},
		{"loops in loops", `properties.a.all(x, properties.b.all(y, properties.c.all(z, x == z)))`, expr.Bool, 0, 0, "", ""},
		{"too dear", `properties.a.all(x, properties.b.all(y, x == y))`, expr.Bool, 0, 0, "at most 5000000 are allowed", ""},
		{"too long", strings.Repeat(" ", 5000) + "1", expr.Dyn, 0, 0, "at most 4096", ""},
		{"too deep", strings.Repeat("(", 200) + "1" + strings.Repeat(")", 200), expr.Dyn, 0, 0, "", ""},
		{"too many", strings.Repeat("1+", 1500) + "1", expr.Dyn, 0, 0, "", ""},
		{"not text", "\xff", expr.Dyn, 0, 0, "not UTF-8", ""},
	} {
		_, err := env.Compile(tt.source, tt.want)
		var e *expr.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: error %v, want an expr.Error", tt.name, err)
			continue
		}
		if !strings.Contains(e.Message, tt.message) || !strings.HasPrefix(e.Suggestion, tt.suggestion) || (tt.suggestion == "") != (e.Suggestion == "") {
			t.Errorf("%s: %q, suggestion %q", tt.name, e.Message, e.Suggestion)
		}
		if tt.line != 0 && (e.Line != tt.line || e.Column != tt.column) {
			t.Errorf("%s: line %d, column %d, want %d, %d: %v", tt.name, e.Line, e.Column, tt.line, tt.column, e)
		}
	}
}

func TestJSONReadsLikeDecodedValues(t *testing.T) {
	env := environment(t)
	var decoded map[string]any
	if err := json.Unmarshal([]byte(properties), &decoded); err != nil {
		t.Fatal(err)
	}
	delete(decoded, "big") // a double here, an int there, by intention
	raw, _ := json.Marshal(decoded)
	for _, source := range []string{
		`properties`, `properties.size()`, `properties.list`, `properties.list[1].q`, `properties.tags == ["a", "b"]`, `properties.nested.deep == {"x": 1.5}`,
		`properties.filter(k, k.startsWith("n"))`, `properties.list.filter(x, x.q < 2.0)`, `type(properties) == map`, `type(properties.tags) == list`, `properties.nothing == null`,
		`properties["name"]`, `"price" in properties`, `2.5 in properties.list.map(x, x.q)`, `properties.tags.join("-")`, `dyn(properties) == dyn(1)`,
	} {
		p, err := env.Compile(source, expr.Dyn)
		if err != nil {
			t.Fatal(err)
		}
		var got [2]string
		for i, v := range []any{expr.JSON(raw), decoded} {
			value, err := p.Eval(expr.Vars(map[string]any{"properties": v}))
			if err != nil {
				t.Fatalf("%s: %v", source, err)
			}
			out, _, err := expr.AppendJSON(nil, value)
			if err != nil {
				t.Fatalf("%s: %v", source, err)
			}
			var v any
			json.Unmarshal(out, &v)
			if l, ok := v.([]any); ok && strings.Contains(source, "filter(k") {
				got[i] = strings.Repeat("x", len(l)) // the order of a map's keys is free
			} else {
				sorted, _ := json.Marshal(v)
				got[i] = string(sorted)
			}
		}
		if got[0] != got[1] {
			t.Errorf("%s: raw gives %s, decoded %s", source, got[0], got[1])
		}
	}
}

func TestProgramsAreSafeForConcurrentUse(t *testing.T) {
	p, err := environment(t).Compile(`properties.list.map(x, x.q).size() == 2 && properties.name == "Lamp"`, expr.Bool)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				if ok, err := p.Bool(vars()); !ok || err != nil {
					t.Errorf("= %v, %v", ok, err)
					return
				}
			}
		})
	}
	all.Wait()
}

func TestLoopsAreStoppedWhereTheCostEndsEvenIfTheInputIsLargerThanPromised(t *testing.T) {
	limits := expr.DefaultLimits()
	limits.MaxInputBytes, limits.MaxCost = 10, 1000
	env, err := expr.New(limits, []expr.Var{{Name: "properties", Type: expr.Map}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := env.Compile(`properties.a.all(x, x == 1)`, expr.Bool)
	if err != nil {
		t.Fatal(err)
	}
	raw := []byte(`{"a":[` + strings.Repeat("1,", 10000) + `1]}`)
	if _, err := p.Bool(expr.Vars(map[string]any{"properties": expr.JSON(raw)})); err == nil || !strings.Contains(err.Error(), "cost limit") {
		t.Errorf("error %v, want the cost limit", err)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"event.name", "event.type", "has", "traits"}
	got := map[string]string{}
	for _, s := range []string{"event.nmae", "Event.Name", "trait", "hsa", "x", ""} {
		got[s] = expr.Nearest(s, names)
	}
	want := map[string]string{"event.nmae": "event.name", "Event.Name": "event.name", "trait": "traits", "hsa": "has", "x": "", "": ""}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		`properties.price > 1.0`, `properties.a.map(x, x + x)`, `[1,2].map(x, [x,x].map(y, [y,y]))`, `"a".matches(event.name)`, `((((`, `properties.?a[?0].orValue(1)`,
		`duration("9999999999h")`, `timestamp(0)`, `"%s".format([properties])`, `event.name.replace("a", "bb", 1000000000)`, `properties.a.join(event.name)`,
	} {
		f.Add(seed, properties)
	}
	env := environment(f)
	f.Fuzz(func(t *testing.T, source, input string) {
		p, err := env.Compile(source, expr.Dyn)
		if err != nil {
			var e *expr.Error
			if !errors.As(err, &e) || e.Message == "" {
				t.Fatalf("error %v, want an expr.Error with a message", err)
			}
			return
		}
		if len(input) > 32<<10 || !json.Valid([]byte(input)) || input[0] != '{' {
			input = properties
		}
		v := expr.JSON([]byte(input))
		value, err := p.Eval(expr.Vars(map[string]any{"event.name": "x", "event.properties": v, "properties": v}))
		if err != nil {
			return
		}
		if out, present, err := expr.AppendJSON(nil, value); err == nil && present && !json.Valid(out) {
			t.Fatalf("%q gives %s, which is no JSON", source, out)
		}
	})
}
