package training

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"kindred/data"
	"kindred/features"
	"kindred/model"
	"kindred/model/artifact"
	"kindred/model/vocab"
	"kindred/training/evaluate"
	"kindred/training/split"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestARunPublishesWhatItJudged(t *testing.T) {
	b := newBench(t, tiny)
	archive(t, b.deps.Lake, tiny.acts())
	stages := map[string]bool{}
	out, err := b.run(t, quick(), RunOptions{Builder: "test", Progress: func(stage string, done, total int) { stages[stage] = true }})
	if err != nil {
		t.Fatal(err)
	}
	if b.shelf.current != out.Version || !strings.HasPrefix(out.Version, "m-20240415T020000Z-") {
		t.Errorf("current is %q, the run made %q", b.shelf.current, out.Version)
	}
	raw, err := b.deps.Lake.Artifact(t.Context(), out.Version)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := artifact.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	if got := artifact.Checksum(raw); !strings.HasSuffix(out.Version, got[:6]) || out.Model.Checksum != got {
		t.Errorf("version %s and checksum %s of an artifact with %s", out.Version, out.Model.Checksum, got)
	}
	if bundle.Items.Len() != tiny.items || bundle.ALS == nil || bundle.ItemItem == nil || bundle.Content == nil || bundle.Popular == nil || bundle.Hybrid == nil {
		t.Errorf("the bundle misses parts: %+v", bundle)
	}
	if bundle.Cluster == nil || bundle.Cluster.K() < 2 {
		t.Errorf("clusters = %+v, want some of %d people", bundle.Cluster, tiny.people)
	}
	if m := out.Model; m.Interactions != int64(tiny.people*tiny.each) || !m.Watermark.Equal(bundle.Meta.Watermark) || m.Watermark.IsZero() {
		t.Errorf("model %+v: want all interactions and the snapshot's watermark", m)
	}
	if got := RecordsOf(out.Model); got != int64(tiny.people*tiny.each) {
		t.Errorf("the model says that its run read %d records of the log, want one an event", got)
	}
	e := out.Evaluation
	hybrid, _ := e.Result.Mean(Hybrid, "ndcg", 10)
	popular, _ := e.Result.Mean(Popular, "ndcg", 10)
	if !e.Verdict.Passed || hybrid <= popular || e.Result.Score(ItemItem) == nil {
		t.Errorf("verdict %+v with the hybrid at %v and popular at %v, item-kNN beside them", e.Verdict, hybrid, popular)
	}
	if j := b.shelf.job(t); j.State != data.JobDone || j.Progress != 1 || j.Model != out.Version || !strings.Contains(j.Message, "ndcg@10") {
		t.Errorf("job %+v, want done, with the model and its metric", j)
	}
	if len(b.shelf.evaluations) != 1 || b.shelf.evaluations[0].Model != out.Version {
		t.Errorf("evaluations %v, want the model's", b.shelf.evaluations)
	}
	for _, stage := range []string{"read interactions", "validation: fit als", "learn hybrid", "fit als", "evaluate", "refit als", "fold events", "cluster", "publish"} {
		if !stages[stage] {
			t.Errorf("no progress of stage %q; there was %v", stage, stages)
		}
	}
}

func TestARunIsTheSameForAnyNumberOfWorkers(t *testing.T) {
	var checksum string
	for _, workers := range []int{1, 3} {
		b := newBench(t, tiny)
		archive(t, b.deps.Lake, tiny.acts())
		cfg := quick()
		cfg.Workers = workers
		out, err := b.run(t, cfg, RunOptions{})
		if err != nil {
			t.Fatal(err)
		}
		bundle := b.bundle(t, out.Version)
		bundle.Meta = artifact.Meta{} // its configuration holds the number of workers
		raw, err := bundle.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if got := artifact.Checksum(raw); checksum == "" {
			checksum = got
		} else if got != checksum {
			t.Errorf("%d workers give other models than one", workers)
		}
	}
}

func TestNothingNewIsNotTrainedAgainUnlessForced(t *testing.T) {
	b := newBench(t, tiny)
	archive(t, b.deps.Lake, tiny.acts())
	first, err := b.run(t, quick(), RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	out, err := b.run(t, quick(), RunOptions{})
	if !errors.Is(err, ErrNothingNew) || !strings.Contains(err.Error(), first.Version) {
		t.Errorf("second run = %v, want ErrNothingNew with the model's version", err)
	}
	if j := b.shelf.job(t); j.State != data.JobDone || !strings.Contains(j.Message, "nothing is new") {
		t.Errorf("job %+v, want done and why nothing was done", j)
	}
	if b.shelf.current != first.Version || out.Version != "" {
		t.Errorf("current %q after a skipped run, want %q", b.shelf.current, first.Version)
	}
	// A tick moves the watermark and is nothing to learn from.
	tick := data.Event{V: 1, ID: "tick", Source: "kindred", Type: data.System, Name: data.SysTick, Times: data.Times{Event: b.now, Received: b.now}}
	archiveEvents(t, b.deps.Lake, []data.Event{tick})
	if _, err := b.run(t, quick(), RunOptions{}); !errors.Is(err, ErrNothingNew) {
		t.Errorf("after a tick: %v, want ErrNothingNew", err)
	}
	for what, change := range map[string]func() (Config, RunOptions){
		"forced":        func() (Config, RunOptions) { return quick(), RunOptions{Force: true} },
		"new items":     func() (Config, RunOptions) { b.shelf.version++; return quick(), RunOptions{} },
		"configuration": func() (Config, RunOptions) { c := quick(); c.ALS.Iterations++; return c, RunOptions{} },
		"new events": func() (Config, RunOptions) {
			archive(t, b.deps.Lake, []data.Interaction{{ID: "new", User: "p00", Item: "i19", At: monday.Add(900 * 3600e9)}})
			return quick(), RunOptions{}
		},
	} {
		cfg, opt := change()
		if out, err := b.run(t, cfg, opt); err != nil || b.shelf.current != out.Version {
			t.Errorf("%s: Run = %v, want a new model", what, err)
		}
	}
}

func TestARefusedCandidateLeavesTheIncumbentServing(t *testing.T) {
	b := newBench(t, tiny)
	acts := tiny.acts()
	archive(t, b.deps.Lake, acts[:len(acts)/2])
	first, err := b.run(t, quick(), RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	archive(t, b.deps.Lake, acts[len(acts)/2:])
	cfg := quick()
	cfg.Gate.MinRatio = 2 // twice as good as the incumbent, on what neither has seen
	out, err := b.run(t, cfg, RunOptions{})
	if !errors.Is(err, ErrRefused) || !strings.Contains(err.Error(), first.Version) {
		t.Fatalf("Run = %v, want ErrRefused that names the current model", err)
	}
	if b.shelf.current != first.Version {
		t.Errorf("current is %q after a refusal, want %q", b.shelf.current, first.Version)
	}
	if j := b.shelf.job(t); j.State != data.JobRefused || !strings.Contains(j.Message, "below 2.00") {
		t.Errorf("job %+v, want refused and why", j)
	}
	m := b.shelf.models[len(b.shelf.models)-1]
	if m.Version != out.Version || m.Status != data.ModelRefused || m.Reason == "" || m.Artifact == "" {
		t.Errorf("model %+v: want the refused one, with its artifact for who overrules the gate", m)
	}
}

func TestOnlyTheNewestRefusedModelsKeepTheirArtifacts(t *testing.T) {
	b := newBench(t, tiny)
	acts := tiny.acts()
	archive(t, b.deps.Lake, acts[:len(acts)/2])
	first, err := b.run(t, quick(), RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	archive(t, b.deps.Lake, acts[len(acts)/2:])
	cfg := quick()
	cfg.Gate.MinRatio, cfg.KeepModels = 2, 2
	var refused []string
	for range 4 {
		out, err := b.run(t, cfg, RunOptions{Force: true})
		if !errors.Is(err, ErrRefused) {
			t.Fatal(err)
		}
		refused = append(refused, out.Version)
	}
	got, err := b.deps.Lake.Artifacts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{first.Version, refused[2], refused[3]}, got); d != "" {
		t.Errorf("artifacts: %s", d)
	}
	for _, m := range b.shelf.models {
		if kept := slices.Contains(got, m.Version); kept != (m.Artifact != "") {
			t.Errorf("%s names artifact %q, kept is %v", m.Version, m.Artifact, kept)
		}
	}
}

func TestFailuresLeaveTheIncumbentAndSayWhy(t *testing.T) {
	for name, tc := range map[string]struct {
		spoil func(*bench, *Config) context.Context
		want  error
		text  string
	}{
		"the store": {func(b *bench, _ *Config) context.Context { b.shelf.failing = errors.New("disk on fire"); return nil }, nil, "disk on fire"},
		"the lease": {func(b *bench, _ *Config) context.Context { b.shelf.stale = true; return nil }, data.ErrStale, "stale"},
		"cancelled": {func(b *bench, _ *Config) context.Context {
			ctx, cancel := context.WithCancelCause(context.Background())
			cancel(errors.New("asked to stop"))
			return ctx
		}, nil, "asked to stop"},
		"too little": {func(b *bench, c *Config) context.Context { c.MinInteractions = 1e6; return nil }, ErrTooLittle, "1000000 are needed"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, tiny)
			archive(t, b.deps.Lake, tiny.acts())
			b.shelf.models, b.shelf.current = []data.Model{{Version: "m-0"}}, "m-0"
			cfg := quick()
			ctx := tc.spoil(b, &cfg)
			if ctx == nil {
				ctx = t.Context()
			}
			_, err := Run(ctx, b.deps, cfg, RunOptions{})
			if err == nil || tc.want != nil && !errors.Is(err, tc.want) || !strings.Contains(err.Error(), tc.text) {
				t.Fatalf("Run = %v, want an error with %q", err, tc.text)
			}
			if j := b.shelf.job(t); j.State != data.JobFailed || !strings.Contains(j.Message, tc.text) {
				t.Errorf("job %+v, want failed and why", j)
			}
			if b.shelf.current != "m-0" {
				t.Errorf("current is %q, want the one that was", b.shelf.current)
			}
		})
	}
}

func TestAnEmptyLakeSaysWhatIsMissing(t *testing.T) {
	b := newBench(t, tiny)
	_, err := b.run(t, quick(), RunOptions{})
	if !errors.Is(err, ErrTooLittle) || !strings.Contains(err.Error(), "no interactions yet") {
		t.Errorf("Run = %v, want ErrTooLittle that says what is missing", err)
	}
}

func TestOnePersonsAbsurdRatingsPoisonNoRun(t *testing.T) {
	b := newBench(t, tiny)
	archive(t, b.deps.Lake, tiny.acts())
	var events []data.Event
	for i, rating := range []float64{1e300, 1e9} {
		events = append(events, data.Event{
			V: data.EventVersion, ID: fmt.Sprintf("rate%d", i), Source: "test", Type: data.Track, Name: "Item Rated", Value: rating,
			Profile: profileOf("p00"), IDs: data.IDs{User: "p00"}, Items: []data.EventItem{{ID: "i00"}}, Times: data.Times{Event: monday, Received: monday},
		})
	}
	archiveEvents(t, b.deps.Lake, events)
	out, err := b.run(t, quick(), RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	meta := b.bundle(t, out.Version).Meta
	if got := meta.Weights[WeightRatingMax]; got != quick().Weights.RatingMax || got == 0 {
		t.Errorf("the artifact's rating_max is %v, want the configuration's, so that serving bounds alike", got)
	}
}

func TestACrashedRunIsMarkedByTheNext(t *testing.T) {
	b := newBench(t, tiny)
	archive(t, b.deps.Lake, tiny.acts())
	b.shelf.jobs = []data.Job{{ID: "crashed", Kind: JobKind, State: data.JobRunning}}
	if _, err := b.run(t, quick(), RunOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := b.shelf.jobs[0].State; got != data.JobAbandoned {
		t.Errorf("the crashed run is %q, want abandoned", got)
	}
}

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

func TestMergedAndDeletedPeople(t *testing.T) {
	b := newBench(t, tiny)
	archive(t, b.deps.Lake, tiny.acts())
	erase := data.Event{V: 1, ID: "d", Source: "kindred", Type: data.System, Name: data.SysDelete, Profile: profileOf("p00"), Times: data.Times{Event: b.now, Received: b.now}}
	absorb := data.Event{V: 1, ID: "a", Source: "kindred", Type: data.System, Name: data.SysAbsorb, Profile: profileOf("p01"),
		Absorb: &data.Absorb{From: profileOf("p02")}, Times: data.Times{Event: b.now, Received: b.now}}
	archiveEvents(t, b.deps.Lake, []data.Event{erase, absorb})
	snap, err := b.deps.Lake.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	src, err := FromLake(t.Context(), snap, b.shelf, nil)
	if err != nil {
		t.Fatal(err)
	}
	if src.Deleted != int64(tiny.each) || src.People.Len() != tiny.people-2 {
		t.Errorf("%d interactions left out and %d people, want %d and %d", src.Deleted, src.People.Len(), tiny.each, tiny.people-2)
	}
	if _, ok := src.People.Row(string(profileOf("p02"))); ok {
		t.Error("p02 was merged into p01 and is still somebody")
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
