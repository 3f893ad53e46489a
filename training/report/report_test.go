package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// around is an interval of half width h.
func around(mean, h float64) Interval { return Interval{Mean: mean, Low: mean - h, High: mean + h} }

// full is a report with every section.
func full() *Report {
	metrics := func(scale float64) map[string]Interval {
		out := map[string]Interval{}
		for name, v := range map[string]float64{
			"ndcg@10": .101, "recall@10": .071, "recall_capped@10": .099, "precision@10": .083, "map@10": .052, "mrr@10": .204, "hitrate@10": .381,
			"ndcg@20": .113, "recall@20": .121, "recall_capped@20": .128,
		} {
			out[name] = around(v*scale, .006*scale)
		}
		out["coverage@10"], out["novelty@10"], out["diversity@10"] = Point(.11*scale), around(6.2+scale, .08), around(.62, .011)
		return out
	}
	loss := func(from float64) (out []float64) {
		for i := range 15 {
			out = append(out, from*(.35+.65*math.Exp(-float64(i)/3)))
		}
		return out
	}
	return &Report{
		Dataset: "ml-100k", Protocol: "user-time", People: 904, Items: 1682, Interactions: 100_000,
		Models: []Model{
			{
				Name: "hybrid", Metrics: metrics(1.86), Seconds: 41.27, PeakMemoryBytes: 412 << 20, Seed: 1,
				Config:     json.RawMessage(`{"components":["als","itemitem","content","popular"],"weights":[0.52,0.31,0.06,0.11]}`),
				Popularity: &PopularityBias{Mean: .842, TopShare: .613, Gini: .871},
			},
			{
				Name: "als", Metrics: metrics(1.60), Seconds: 6.04, PeakMemoryBytes: 203 << 20, Seed: 1, Loss: loss(48_211),
				Config:     json.RawMessage(`{"factors":64,"regularization":0.007,"unobserved_weight":0.3}`),
				Popularity: &PopularityBias{Mean: .816, TopShare: .561, Gini: .822},
			},
			{Name: "content", Metrics: metrics(.42), Seconds: .31, PeakMemoryBytes: 80 << 20, Seed: 1, Config: json.RawMessage(`{}`)},
			{
				Name: "itemitem", Metrics: metrics(1.58), Seconds: 2.2, PeakMemoryBytes: 151 << 20, Seed: 1, Baseline: true,
				Popularity: &PopularityBias{Mean: .871, TopShare: .668, Gini: .903},
			},
			{
				Name: "popular", Metrics: metrics(.92), Seconds: .02, PeakMemoryBytes: 64 << 20, Seed: 1, Baseline: true,
				Popularity: &PopularityBias{Mean: .991, TopShare: 1, Gini: .985},
			},
		},
		Created: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
		Command: "kindred evaluate --format movielens ml-100k --protocol user-time --relevant 4 --k 10,20 --out report",
		Machine: "linux/amd64, 2 cores", Version: "kindred dev",
		Notes:   []string{"39 people have no test rating of 4 and up and are left out.", "Times are known for everybody."},
		Details: []Detail{{"Relevant", "rating 4 and up"}},
		Gate: &Gate{Passed: true, Reasons: []string{
			"ndcg@10 0.1879 is not below the incumbent's 0.1851 less 2 %", "ndcg@10 0.1879 is above popular's 0.0929",
		}},
		Slices: []Slice{
			{Name: "warm: 20 and more train items", People: 801, Models: []SliceModel{
				{"hybrid", map[string]Interval{"ndcg@10": around(.192, .013)}}, {"popular", map[string]Interval{"ndcg@10": around(.091, .009)}},
			}},
			{Name: "short: below 20 train items", People: 103, Models: []SliceModel{
				{"hybrid", map[string]Interval{"ndcg@10": around(.151, .031)}}, {"popular", map[string]Interval{"ndcg@10": around(.112, .028)}},
			}},
		},
		Clusters: &Clusters{Algorithm: "k-means", Chosen: 4, Points: []ClusterPoint{
			{K: 2, Inertia: 1853.203, Silhouette: .2793}, {K: 3, Inertia: 1576.898, Silhouette: .2789}, {K: 4, Inertia: 1366.497, Silhouette: .2865}, {K: 5, Inertia: 1229.844, Silhouette: .2127}, {K: 6, Inertia: 1125.838, Silhouette: .2242}, {K: 8, Inertia: 960.125, Silhouette: .2228},
		}, Groups: []Cluster{
			{Number: 1, People: 700, Share: .7, RevenueShare: .1, Words: "fewer views in 7 days (1.20, -0.8 σ)", Features: []ClusterFeature{{"views_7d", -.8, 1.2}},
				Rule: &ClusterRule{`events("Product Viewed").within("7d").count() < 3`, .92, .97, 334}},
			{Number: -1, People: 12, Share: .012, Words: "like everybody", Note: "no rule: no split tells these people from the others"},
		}},
	}
}

// bare is the least that a report can say, with names that try to be markup.
func bare() *Report {
	return &Report{
		Dataset: `<script>alert("x")</script> | *a*`, Protocol: "given", People: 1, Items: 2, Interactions: 3,
		Models: []Model{{Name: "m<b>|", Metrics: map[string]Interval{"ndcg@5": Point(0)}, Seed: 7}},
	}
}

func render(t *testing.T, r *Report, f func(io.Writer, *Report) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := f(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestReportsLookAsTheyWereReviewed(t *testing.T) {
	for name, r := range map[string]*Report{"full": full(), "bare": bare()} {
		for ext, f := range map[string]func(io.Writer, *Report) error{".json": JSON, ".md": Markdown, ".html": HTML} {
			got := render(t, r, f)
			path := filepath.Join("testdata", name+ext)
			if *update {
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s differs from the reviewed one (-update accepts it):\n%s", path, diff)
			}
		}
	}
}

// The field names and nothing else: others script against them.
func TestReportJSONIsTheContract(t *testing.T) {
	var got map[string]any
	if err := json.Unmarshal([]byte(render(t, bare(), JSON)), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"dataset": bare().Dataset, "protocol": "given", "people": 1., "items": 2., "interactions": 3.,
		"models": []any{map[string]any{
			"name": "m<b>|", "metrics": map[string]any{"ndcg@5": map[string]any{"mean": 0., "low": 0., "high": 0.}},
			"seconds": 0., "peak_memory_bytes": 0., "seed": 7., "config": map[string]any{},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("report.json (-want +got):\n%s", diff)
	}
}

func TestAReportIsReadBackAsItWas(t *testing.T) {
	want := full()
	for i := range want.Models {
		if want.Models[i].Config == nil {
			want.Models[i].Config = json.RawMessage("{}")
		}
	}
	got, err := Read(strings.NewReader(render(t, want, JSON)))
	if err != nil {
		t.Fatal(err)
	}
	compact := cmp.Transformer("compact", func(m json.RawMessage) string {
		var b bytes.Buffer
		if err := json.Compact(&b, m); err != nil {
			t.Fatal(err)
		}
		return b.String()
	})
	if diff := cmp.Diff(want, got, compact); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
}

func TestWriteMakesThreeFilesAndReplacesThem(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "report")
	for _, r := range []*Report{bare(), full()} {
		if err := Write(dir, r); err != nil {
			t.Fatal(err)
		}
		names, err := os.ReadDir(dir)
		if err != nil || len(names) != 3 {
			t.Fatalf("files are %v, %v; want three", names, err)
		}
		for name, f := range map[string]func(io.Writer, *Report) error{FileJSON: JSON, FileMarkdown: Markdown, FileHTML: HTML} {
			got, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil || string(got) != render(t, r, f) {
				t.Errorf("%s is not what its renderer gives: %v", name, err)
			}
		}
	}
}

func TestAReportThatCannotBeTrueIsNotWritten(t *testing.T) {
	nan := math.NaN()
	for want, change := range map[string]func(*Report){
		"dataset is empty":       func(r *Report) { r.Dataset = "" },
		"protocol is empty":      func(r *Report) { r.Protocol = "" },
		"models is empty":        func(r *Report) { r.Models = nil },
		"models[1]: name is":     func(r *Report) { r.Models[1].Name = "" },
		`"hybrid" is there`:      func(r *Report) { r.Models[1].Name = "hybrid" },
		"config is not JSON":     func(r *Report) { r.Models[0].Config = json.RawMessage("{") },
		"seconds is NaN":         func(r *Report) { r.Models[0].Seconds = nan },
		"metric ndcg@10 is":      func(r *Report) { r.Models[0].Metrics["ndcg@10"] = Point(nan) },
		"outside its interval":   func(r *Report) { r.Models[0].Metrics["ndcg@10"] = Interval{Mean: .3, Low: .1, High: .2} },
		"loss[1] is +Inf":        func(r *Report) { r.Models[1].Loss[1] = math.Inf(1) },
		"popularity_bias is":     func(r *Report) { r.Models[0].Popularity.Gini = nan },
		"k=2: inertia NaN":       func(r *Report) { r.Clusters.Points[0].Inertia = nan },
		`slice "warm: 20 and mo`: func(r *Report) { r.Slices[0].Models[0].Metrics["ndcg@10"] = Point(nan) },
	} {
		r := full()
		change(r)
		dir := t.TempDir()
		if err := Write(dir, r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Write = %v; want an error with %q", err, want)
		}
		if names, _ := os.ReadDir(dir); len(names) > 0 {
			t.Errorf("%s: Write left %v", want, names)
		}
	}
}
