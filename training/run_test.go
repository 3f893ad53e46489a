package training

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"kindred/data"
	"kindred/model/artifact"
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
