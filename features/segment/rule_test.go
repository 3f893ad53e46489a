package segment

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

func TestRulesSurviveYAMLAndJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rules := testRules(t)
		for i := range rules.Segments {
			r := &rules.Segments[i]
			r.Title, r.Notify = rapid.StringMatching(`[ -~äöü]{0,9}`).Draw(t, "title"), rapid.SampledFrom([][]string{nil, {"webhook:cms"}}).Draw(t, "notify")
			r.TTL = Duration(rapid.Int64Range(0, 1<<40).Draw(t, "ttl") * 1e6)
		}
		version, err := rules.Version()
		if err != nil || len(version) != 16 {
			t.Fatal(version, err)
		}
		asJSON, err := json.Marshal(rules)
		if err != nil {
			t.Fatal(err)
		}
		asYAML, err := yaml.Marshal(rules)
		if err != nil {
			t.Fatal(err)
		}
		var direct Rules
		if err := json.Unmarshal(asJSON, &direct); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(rules, direct); d != "" {
			t.Fatal(d)
		}
		for _, text := range [][]byte{asJSON, asYAML} {
			got, err := ParseRules(text)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if d := cmp.Diff(rules, got); d != "" {
				t.Fatalf("%s: %s", text, d)
			}
			if again, _ := got.Version(); again != version {
				t.Fatalf("%s has version %s, want %s", text, again, version)
			}
		}
		rules.Segments[0].Priority++
		if other, _ := rules.Version(); other == version {
			t.Fatal("other rules, the same version")
		}
	})
}

// TestDurationsAreWholeMilliseconds, because that is what String can write.
func TestDurationsAreWholeMilliseconds(t *testing.T) {
	for text, want := range map[string]string{"0.1ms": "0s", "1.6ms": "2ms", "1.5s": "1.5s", "36h": "36h", "48h": "2d", "1w": "7d", "1d12h": "36h", "90s": "1m30s"} {
		d, err := ParseDuration(text)
		if err != nil || d.String() != want {
			t.Errorf("%s is %v, %v; want %s", text, d, err, want)
		}
		if again, err := ParseDuration(d.String()); err != nil || again != d {
			t.Errorf("%v reads back as %v, %v", d, again, err)
		}
	}
}

// FuzzState gives a set bytes of somebody that it did not write.
func FuzzState(f *testing.F) {
	cfg := Default()
	cfg.MaxBytes = 1 << 20
	s, err := Compile(all(), cfg)
	if err != nil {
		f.Fatal(err)
	}
	p := &someone{traits: map[string]string{"age": "31"}, open: 1}
	w := s.NewWork()
	for _, name := range []string{"Clicked", "Product Viewed", "Order Completed", "Page Left"} {
		r, err := s.Event(w, nil, shown(name, 1000, `{"total":5,"product_id":"A","dwell_seconds":3}`), p, Affected{}, 1000)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append([]byte(nil), r.State...), int64(2000))
	}
	f.Fuzz(func(t *testing.T, state []byte, now int64) {
		if now < 0 || now > 1<<42 {
			return
		}
		before := string(state)
		r, err := s.Event(w, state, shown("Clicked", now, `{"total":5}`), p, Affected{Session: true}, now)
		if string(state) != before {
			t.Fatal("the bytes given were changed")
		}
		if err != nil {
			return
		}
		if r.Due != 0 && r.Due <= now {
			t.Fatalf("due at %d, which is not after %d", r.Due, now)
		}
		if _, err := s.Due(w, r.State, p, Affected{}, now+1); err != nil {
			t.Fatalf("%x: what was written cannot be read: %v", before, err)
		}
	})
}
