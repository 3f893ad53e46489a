package training

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
	"kindred/data/dataset"
	"kindred/model/artifact"
	"kindred/training/evaluate"
	"kindred/training/report"
	"kindred/training/split"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// still is a clock that does not move.
func still() time.Time { return time.Unix(0, 0) }

// TestTheGoldenReport keeps the whole report of an evaluation of a small crowd: a
// change of ranking anywhere below shows up as a difference in its numbers.
func TestTheGoldenReport(t *testing.T) {
	e, err := Evaluate(t.Context(), small.source(t), quick(), EvaluateOptions{Protocol: split.UserTime, K: []int{5, 10}, Clock: still})
	if err != nil {
		t.Fatal(err)
	}
	r, err := e.Report()
	if err != nil {
		t.Fatal(err)
	}
	for i := range r.Models {
		r.Models[i].PeakMemoryBytes = 0 // of this machine
		round(r.Models[i].Metrics)
		if b := r.Models[i].Popularity; b != nil {
			b.Mean, b.TopShare, b.Gini = fourDigits(b.Mean), fourDigits(b.TopShare), fourDigits(b.Gini)
		}
	}
	for _, s := range r.Slices {
		for _, m := range s.Models {
			round(m.Metrics)
		}
	}
	var got bytes.Buffer
	if err := report.JSON(&got, r); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("testdata", "two-tastes.report.json")
	if *update {
		if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), got.String()); d != "" {
		t.Errorf("the report changed; rewrite it with -update if that is what you wanted:\n%s", d)
	}
}

// round keeps four digits: the rest differs between architectures.
func round(metrics map[string]report.Interval) {
	for name, v := range metrics {
		metrics[name] = report.Interval{Mean: fourDigits(v.Mean), Low: fourDigits(v.Low), High: fourDigits(v.High)}
	}
}

func fourDigits(v float64) float64 { return math.Round(v*1e4) / 1e4 }

func TestPersonalModelsFindTheTwoTastes(t *testing.T) {
	for _, p := range []split.Protocol{split.Time, split.UserTime, split.LeaveOneOut} {
		e, err := Evaluate(t.Context(), small.source(t), quick(), EvaluateOptions{Protocol: p})
		if err != nil {
			t.Fatal(err)
		}
		popular, _ := e.Result.Mean(Popular, "ndcg", 10)
		for _, name := range []string{ALS, ItemItem, Content, Hybrid} {
			if v, ok := e.Result.Mean(name, "ndcg", 10); !ok || v < 1.2*popular {
				t.Errorf("%s: ndcg@10 of %s is %.3f, popularity's %.3f", p, name, v, popular)
			}
		}
	}
}

func TestTheBaselinesAreAlwaysInTheTable(t *testing.T) {
	e, err := Evaluate(t.Context(), small.source(t), quick(), EvaluateOptions{Protocol: split.UserTime, Models: []string{ALS}})
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for _, s := range e.Result.Scores {
		rows = append(rows, s.Name)
	}
	if d := cmp.Diff([]string{Popular, ItemItem, ALS}, rows); d != "" {
		t.Error(d)
	}
	r, err := e.Report()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range r.Models {
		if m.Baseline != (m.Name != ALS) {
			t.Errorf("%s: baseline %v", m.Name, m.Baseline)
		}
	}
}

func TestSeedsAreAveragedForWhatDrawsRandomNumbers(t *testing.T) {
	e, err := Evaluate(t.Context(), small.source(t), quick(), EvaluateOptions{Protocol: split.UserTime, Seeds: 3})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{Popular: 1, ItemItem: 1, Content: 1, ALS: 3, Hybrid: 3} {
		s := e.Result.Score(name)
		if len(s.Trials) != want {
			t.Errorf("%s has %d trials, want %d", name, len(s.Trials), want)
		}
		sum := 0.0
		for _, trial := range s.Trials {
			sum += trial.Metrics["ndcg@10"] / float64(want)
		}
		if d := s.Metrics["ndcg@10"].Mean - sum; d > 1e-12 || d < -1e-12 {
			t.Errorf("%s: %v is not the mean %v of its trials", name, s.Metrics["ndcg@10"].Mean, sum)
		}
	}
	if als := e.Result.Score(ALS); als.Trials[0].Metrics["ndcg@10"] == als.Trials[1].Metrics["ndcg@10"] {
		t.Error("two seeds of als give the same table")
	}
}

func TestWhatIsServedIsARowOfItsOwn(t *testing.T) {
	serve := func(_ context.Context, b *artifact.Bundle) (evaluate.Recommender, error) {
		blend, err := b.Blend() // what serving does without rules and filters
		if err != nil {
			return nil, err
		}
		return evaluate.Ranker(blend), nil
	}
	e, err := Evaluate(t.Context(), small.source(t), quick(), EvaluateOptions{Protocol: split.UserTime, Served: serve, Clock: still})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(e.Result.Score(Hybrid).Metrics, e.Result.Score(Served).Metrics); d != "" {
		t.Errorf("the served hybrid differs from the hybrid: %s", d)
	}
	broken := func(context.Context, *artifact.Bundle) (evaluate.Recommender, error) {
		return nil, errors.New("no room")
	}
	if _, err := Evaluate(t.Context(), small.source(t), quick(), EvaluateOptions{Protocol: split.UserTime, Served: broken}); err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("Evaluate = %v, want why the candidate cannot be served", err)
	}
}

func TestTheHoldoutIsNotLearnedFrom(t *testing.T) {
	// The same training part with another holdout: the blend must not move.
	one, two := small.dataset(), small.dataset()
	times := make([]time.Time, 0, len(one.Interactions)) // in time order already
	for _, i := range one.Interactions {
		times = append(times, i.At)
	}
	cut := times[len(times)*8/10]
	for i := range two.Interactions {
		if !two.Interactions[i].At.Before(cut) {
			two.Interactions[i].Item = "i07"
		}
	}
	var weights [2][]float64
	for n, ds := range []*dataset.Dataset{one, two} {
		src, err := FromDataset(ds)
		if err != nil {
			t.Fatal(err)
		}
		e, err := Evaluate(t.Context(), src, quick(), EvaluateOptions{Protocol: split.Time})
		if err != nil {
			t.Fatal(err)
		}
		weights[n] = e.Blend.Weights
	}
	if d := cmp.Diff(weights[0], weights[1]); d != "" {
		t.Errorf("the blend changes with the holdout: %s", d)
	}
}

func TestOptionsThatMakeNoSenseAreNamed(t *testing.T) {
	for want, opt := range map[string]EvaluateOptions{
		"weekly":   {Protocol: "weekly"},
		`"magic"`:  {Protocol: split.UserTime, Models: []string{"magic"}},
		"seeds":    {Protocol: split.UserTime, Seeds: -1},
		"relevant": {Protocol: split.UserTime, Relevant: -1},
		"k: 0":     {Protocol: split.UserTime, K: []int{0}},
		"sessions": {Protocol: split.Session},
	} {
		if _, err := Evaluate(t.Context(), small.source(t), quick(), opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Evaluate = %v, want an error with %q", err, want)
		}
	}
	opt := EvaluateOptions{Protocol: split.UserTime, Relevant: 4}
	ds := small.dataset()
	for i := range ds.Interactions {
		ds.Interactions[i].Kind, ds.Interactions[i].Value = data.Rating, 3
	}
	src, err := FromDataset(ds)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Evaluate(t.Context(), src, quick(), opt); !errors.Is(err, ErrTooLittle) {
		t.Errorf("Evaluate without a relevant item = %v, want ErrTooLittle", err)
	}
}
