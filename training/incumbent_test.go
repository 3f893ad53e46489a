package training

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
	"kindred/features"
	"kindred/model"
	"kindred/model/vocab"
	"kindred/training/evaluate"
	"kindred/training/split"
)

func TestTheIncumbentIsJudgedOnWhatItHasNotSeen(t *testing.T) {
	b := newBench(t, tiny)
	acts := tiny.acts()
	cfg := quick() // a fifth of the history is held out; the last run's news is a tenth
	first, second := len(acts)/2, len(acts)*9/10
	archive(t, b.deps.Lake, acts[:first])
	if _, err := b.run(t, cfg, RunOptions{}); err != nil {
		t.Fatal(err)
	}
	said := func(out Outcome) string { return strings.Join(out.Evaluation.Verdict.Reasons, "; ") }
	for _, news := range [][]data.Interaction{acts[first:second], acts[second:]} {
		archive(t, b.deps.Lake, news)
		out, err := b.run(t, cfg, RunOptions{})
		if err != nil {
			t.Fatal(err)
		}
		v := out.Evaluation.Verdict
		if v.People < cfg.Split.MinPeople || v.Incumbent <= 0 || v.CandidateSince <= 0 || !strings.Contains(said(out), "since the current model") {
			t.Errorf("verdict %+v, want both models on what came since the last run", v)
		}
	}
	// One person's news is too little, and no record of another holdout takes its place.
	b.shelf.models[len(b.shelf.models)-1].Metrics = []byte(`{"protocol":"time","models":{"hybrid":{"ndcg@10":{"mean":0.99}}}}`)
	archive(t, b.deps.Lake, []data.Interaction{{ID: "new", User: "p00", Item: "i19", At: monday.Add(900 * 3600e9)}})
	out, err := b.run(t, cfg, RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if text := said(out); !strings.Contains(text, "not compared: only") || !strings.Contains(text, "people acted since the current model was trained") || !strings.Contains(text, "recorded ndcg@10 0.9900") {
		t.Errorf("verdict %q, want no comparison, why, and the recorded value", text)
	}
}

func TestTheComparisonAsksForNothingThatTheIncumbentHasSeen(t *testing.T) {
	src := tiny.source(t)
	h, err := split.Apply(src.Source, split.Time, split.Options{Share: .5})
	if err != nil {
		t.Fatal(err)
	}
	moment := src.Acts[0].At
	for _, a := range src.Acts {
		moment = max(moment, a.At-24*3600e3) // all but each one's last
	}
	tr := &trial{holdout: h, cfg: quick()}
	used, before, after := map[int32]bool{}, map[[2]int32]bool{}, map[[2]int32]bool{}
	for _, a := range h.Acts {
		used[a.Item] = used[a.Item] || a.At < h.Cut
		if pair := [2]int32{a.Person, a.Item}; a.At <= moment {
			before[pair] = true
		} else {
			after[pair] = true
		}
	}
	cases := tr.since(moment)
	if len(cases) == 0 {
		t.Fatal("no questions")
	}
	for _, c := range cases {
		for _, item := range c.Relevant {
			if pair := [2]int32{c.Group, item}; !after[pair] || before[pair] || !used[item] {
				t.Errorf("%s is asked for %s: after %v, before %v, used in the training part %v", c.Person, h.Items.Key(item), after[pair], before[pair], used[item])
			}
		}
		for _, item := range c.History.Rows {
			if !before[[2]int32{c.Group, item}] {
				t.Errorf("the history of %s has %s, which is part of the answer", c.Person, h.Items.Key(item))
			}
		}
	}
}

func TestClustersGoOnWithTheNumbersOfTheFormerOnes(t *testing.T) {
	b := newBench(t, tiny)
	archive(t, b.deps.Lake, tiny.acts())
	snap, err := b.deps.Lake.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	silent := func(string, int, int) {}
	x, err := Behaviour(t.Context(), snap, features.Default(), 1000, silent)
	if err != nil {
		t.Fatal(err)
	}
	former, choice, note, err := groups(t.Context(), x, quick(), nil, silent)
	if err != nil || former == nil || choice == nil {
		t.Fatalf("groups = %v, %v, %q, %v", former, choice, note, err)
	}
	for i := range former.Numbers {
		former.Numbers[i] += 40
	}
	former.Next += 40
	now, _, _, err := groups(t.Context(), x, quick(), former, silent)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(former.Numbers, now.Numbers); d != "" {
		t.Errorf("numbers of the same groups: %s", d)
	}
	cfg := quick()
	cfg.Cluster.MinPeople = 1000
	if m, _, note, err := groups(t.Context(), x, cfg, former, silent); m != nil || err != nil || !strings.Contains(note, "24 people, 1000 are wanted") {
		t.Errorf("groups of too few = %v, %q, %v; want none and why", m, note, err)
	}
}

func TestARetrainingStartsFromTheIncumbentsFactors(t *testing.T) {
	b := newBench(t, tiny)
	archive(t, b.deps.Lake, tiny.acts())
	var models [2][]byte
	for n := range models {
		out, err := b.run(t, quick(), RunOptions{Force: true})
		if err != nil {
			t.Fatal(err)
		}
		if models[n], err = b.bundle(t, out.Version).ALS.MarshalBinary(); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Equal(models[0], models[1]) {
		t.Error("a second run on the same data has the factors of the first: it began from random ones")
	}
}

func TestItemsThatTheIncumbentDoesNotKnowComeLast(t *testing.T) {
	b := newBench(t, tiny)
	archive(t, b.deps.Lake, tiny.acts())
	out, err := b.run(t, quick(), RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	in, err := loadIncumbent(t.Context(), b.deps.Lake, out.Model)
	if err != nil {
		t.Fatal(err)
	}
	keys := append([]string{"zz"}, in.bundle.Items.Keys()...)
	for i := range tiny.items / 2 { // as many as a shelf, so that rows taken for old ones are of the other
		keys = append(keys, fmt.Sprintf("a%02d", i))
	}
	items, err := vocab.New(keys)
	if err != nil {
		t.Fatal(err)
	}
	c, err := in.contender(items)
	if err != nil {
		t.Fatal(err)
	}
	sea, _ := items.Row("i00")
	list, err := c.Trials[0].Recommender.Recommend(t.Context(), evaluate.Question{History: model.History{Rows: []int32{0, sea}, Weights: []float32{1, 1}}}, items.Len())
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != items.Len() {
		t.Fatalf("%d items of %d", len(list), items.Len())
	}
	for _, row := range list[tiny.items:] {
		if key := items.Key(row); key[0] == 'i' {
			t.Errorf("%s, which the model knows, comes after items that it does not know", key)
		}
	}
	for _, row := range list[:5] {
		if key := items.Key(row); key > "i09" {
			t.Errorf("%s is on the other shelf than i00: rows are not translated", key)
		}
	}
	if w := in.warm(items, quick()); w == nil || w.Items() != items.Len() {
		t.Errorf("warm = %v, want factors over the new vocab", w)
	}
}

func TestAnArtifactThatCannotBeReadIsNoReasonNotToTrain(t *testing.T) {
	b := newBench(t, tiny)
	archive(t, b.deps.Lake, tiny.acts())
	b.shelf.models, b.shelf.current = []data.Model{{Version: "m-0", Artifact: "m-0"}}, "m-0"
	if out, err := b.run(t, quick(), RunOptions{}); err != nil || b.shelf.current != out.Version {
		t.Errorf("Run = %v, want a new model though the current one's artifact is gone", err)
	}
}
