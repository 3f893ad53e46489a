package describe_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/features"
	"kindred/features/segment"
	"kindred/model/cluster"
	"kindred/training/describe"
)

// shop are people in the dimensions of the fold: half look around, a quarter buys, a quarter has left.
func shop(n int) []float64 {
	random := rand.New(rand.NewPCG(1, 2))
	var x []float64
	for i := range n {
		v := map[string]float64{}
		add := func(name string, mean float64) { v[name] = math.Log1p(math.Floor(mean * (.5 + random.Float64()))) }
		switch i % 4 {
		case 0, 1:
			add("views_7d", 6)
			add("views_30d", 12)
			v["engagement"] = .4 + .2*random.Float64()
		case 2:
			add("views_7d", 20)
			add("views_30d", 60)
			add("carts_30d", 6)
			add("purchases_30d", 4)
			add("revenue_90d", 300)
			v["engagement"] = .8 + .15*random.Float64()
		case 3:
			add("idle_days", 30)
			v["engagement"] = .1 * random.Float64()
		}
		add("sessions", 5)
		v["rating_mean"], v["category_focus"] = math.NaN(), random.Float64()
		for _, name := range features.VectorNames() {
			x = append(x, v[name])
		}
	}
	return x
}

func fitted(t testing.TB, x []float64, method cluster.Method) *cluster.Model {
	t.Helper()
	var dims []cluster.Dim
	for _, name := range features.VectorNames() {
		dims = append(dims, cluster.Dim{Name: name})
	}
	cfg := cluster.Default()
	cfg.K, cfg.Method = 3, method
	m, _, err := cluster.Fit(t.Context(), x, dims, cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// compiles compiles a proposal as the rule of a segment.
func compiles(t *testing.T, when string) {
	t.Helper()
	if _, err := segment.Compile(segment.Rules{Segments: []segment.Rule{{Segment: "proposed", When: when}}}, segment.Default()); err != nil {
		t.Errorf("%s does not compile: %v", when, err)
	}
}

func TestClustersAreToldInWordsAndAsRulesThatCompile(t *testing.T) {
	x := shop(1600)
	groups, err := describe.Describe(t.Context(), fitted(t, x, cluster.KMeansMethod), x, describe.Grow)
	if err != nil {
		t.Fatal(err)
	}
	if len(groups) != 3 {
		t.Fatalf("%d groups; want 3", len(groups))
	}
	people, money := 0, 0.0
	for _, g := range groups {
		t.Logf("%d: %d people, %.0f %% of revenue: %s\n%+v %s", g.Cluster, g.People, 100*g.RevenueShare, g.Words, g.Rule, g.Note)
		people, money = people+g.People, money+g.RevenueShare
		if g.Rule == nil {
			t.Errorf("cluster %d has no rule: %s", g.Cluster, g.Note)
			continue
		}
		compiles(t, g.Rule.When)
		if g.Rule.Precision < .97 || g.Rule.Recall < .97 || g.Rule.HeldOut != 534 {
			t.Errorf("cluster %d: precision %v, recall %v on %d rows", g.Cluster, g.Rule.Precision, g.Rule.Recall, g.Rule.HeldOut)
		}
		if g.RevenueShare > .9 && !strings.Contains(g.Words, "more") {
			t.Errorf("the buyers are told as %q", g.Words)
		}
	}
	if people != 1600 || math.Abs(money-1) > 1e-9 {
		t.Errorf("%d people with %v of the revenue; want all", people, money)
	}
}

// What the tree says and what the rule says are the same but for rounding: a rule is
// measured on rows that the tree did not see, so one that learned noise is bad at it.
func TestPrecisionIsMeasuredOnRowsThatTheTreeDidNotSee(t *testing.T) {
	x := shop(1200)
	m := fitted(t, x, cluster.KMeansMethod)
	grow := func(_ context.Context, samples []describe.Sample) ([]*describe.Node, error) {
		var out []*describe.Node
		for range samples { // everybody with a view
			out = append(out, &describe.Node{Column: 0, Threshold: math.Log(1.5), Below: &describe.Node{}, Others: &describe.Node{Inside: true}})
		}
		return out, nil
	}
	groups, err := describe.Describe(t.Context(), m, x, grow)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		if g.Rule == nil {
			continue // those who left
		}
		if want := float64(g.People) / 900; g.Rule.When != `events("Product Viewed").within("7d").count() >= 1` || math.Abs(g.Rule.Precision-want) > .03 || g.Rule.Recall != 1 {
			t.Errorf("%+v; want precision %v", *g.Rule, want)
		}
	}
}

func TestEveryDimensionIsSaidOrRefusedWithAReason(t *testing.T) {
	unsaid := describe.Unsaid(features.VectorNames())
	for _, line := range unsaid {
		if strings.Contains(line, "not known") {
			t.Error(line)
		}
	}
	if len(unsaid) != 5 {
		t.Errorf("unsaid: %q", unsaid)
	}
	// Both sides of every dimension that can be said compile.
	m := fitted(t, shop(400), cluster.KMeansMethod)
	for column := range len(features.VectorNames()) - len(unsaid) {
		for _, inside := range []bool{true, false} {
			grow := func(_ context.Context, samples []describe.Sample) ([]*describe.Node, error) {
				root := &describe.Node{Column: column, Threshold: .15, Below: &describe.Node{Inside: inside}, Others: &describe.Node{Inside: !inside}}
				return []*describe.Node{root, root, root}, nil
			}
			groups, err := describe.Describe(t.Context(), m, shop(400), grow)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range groups {
				if g.Rule != nil {
					compiles(t, g.Rule.When)
				}
			}
		}
	}
}

func TestWithoutTreesThereAreWordsAndANote(t *testing.T) {
	x := shop(400)
	m := fitted(t, x, cluster.MixtureMethod)
	broken := func(context.Context, []describe.Sample) ([]*describe.Node, error) {
		return nil, errors.New("the process ended")
	}
	bad := func(_ context.Context, s []describe.Sample) ([]*describe.Node, error) {
		out := make([]*describe.Node, len(s))
		out[0] = &describe.Node{Column: 99, Below: &describe.Node{}, Others: &describe.Node{}}
		return out, nil
	}
	for name, grow := range map[string]describe.Grower{"none": nil, "broken": broken, "bad trees": bad} {
		groups, err := describe.Describe(t.Context(), m, x, grow)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range groups {
			if g.Rule != nil || g.Note == "" || g.Words == "" {
				t.Errorf("%s: %+v", name, g)
			}
		}
	}
}

func TestAChildGrowsWhatGrowDoes(t *testing.T) {
	samples := []describe.Sample{{Columns: []string{"a", "b"}, X: [][]float64{{1, 1}, {1, 2}, {5, 1}, {6, 2}, {5, 3}}, Inside: []bool{false, false, true, true, true}}}
	want, err := describe.Grow(t.Context(), samples)
	if err != nil {
		t.Fatal(err)
	}
	if w := want[0]; w.Column != 0 || w.Threshold != 3 || w.Below.Inside || !w.Others.Inside {
		t.Errorf("tree %+v; want a split of a at 3", w)
	}
	in, _ := json.Marshal(samples)
	var out bytes.Buffer
	if err := describe.Child(t.Context(), bytes.NewReader(in), &out); err != nil {
		t.Fatal(err)
	}
	var got []*describe.Node
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-grown +of the child:\n%s", diff)
	}
	for _, text := range []string{"", "[]", `[{"columns":["a"],"x":[[1]],"inside":[]}]`, `[{"columns":["a"],"x":[[1,2]],"inside":[true]}]`} {
		if err := describe.Child(t.Context(), strings.NewReader(text), &out); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
	many := describe.Sample{Columns: []string{"a"}, X: make([][]float64, describe.MaxRows+1), Inside: make([]bool, describe.MaxRows+1)}
	if _, err := describe.Grow(t.Context(), []describe.Sample{many}); err == nil {
		t.Error("more rows than the cap were accepted")
	}
}
