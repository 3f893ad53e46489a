package training

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"kindred/data"
	"kindred/data/dataset"
	"kindred/data/event"
	"kindred/data/lake"
	"kindred/features"
	"kindred/model/artifact"
	"kindred/model/itemitem"
)

// monday is when the crowd's first day begins.
var monday = time.Date(2024, 3, 4, 9, 0, 0, 0, time.UTC)

// crowd is people of two tastes over two shelves of items: the first half of the
// people mostly uses the first half of the items, as if they were sea and mountain
// books. One interaction in eight is on the other shelf.
type crowd struct {
	people, items, each int
	seed                uint64
}

// small is the crowd of the evaluations.
var small = crowd{people: 60, items: 40, each: 16, seed: 1}

// tiny is the crowd of the runs.
var tiny = crowd{people: 24, items: 20, each: 10, seed: 1}

// acts are the crowd's views, in time order, one an hour for everybody in turn.
func (c crowd) acts() []data.Interaction {
	rng := rand.New(rand.NewPCG(c.seed, 2))
	orders := make([][]int, c.people)
	for p := range orders {
		orders[p] = c.taste(rng, p)
	}
	var out []data.Interaction
	for n := range c.each {
		for p := range c.people {
			out = append(out, data.Interaction{
				ID: fmt.Sprintf("e%d-%d", p, n), User: data.UserID(fmt.Sprintf("p%02d", p)), Kind: data.View,
				Item: data.ItemID(fmt.Sprintf("i%02d", orders[p][n])),
				At:   monday.Add(time.Duration(n)*24*time.Hour + time.Duration(p)*time.Minute),
			})
		}
	}
	return out
}

// taste is the order in which person p uses items.
func (c crowd) taste(rng *rand.Rand, p int) []int {
	half := c.items / 2
	own, other := rng.Perm(half), rng.Perm(half)
	shift := 0
	if p >= c.people/2 {
		shift = half
	}
	var order []int
	for len(order) < c.each {
		if (rng.IntN(8) == 0 || len(own) == 0) && len(other) > 0 {
			order = append(order, other[0]+half-shift)
			other = other[1:]
			continue
		}
		order = append(order, own[0]+shift)
		own = own[1:]
	}
	return order
}

// catalogue is the crowd's items, with words that tell the shelves apart.
func (c crowd) catalogue() []data.Item {
	words := []string{"harbour", "sail", "tide", "anchor", "reef", "summit", "ridge", "glacier", "cairn", "trail"}
	var out []data.Item
	for i := range c.items {
		shelf, name := 0, "sea"
		if i >= c.items/2 {
			shelf, name = 5, "mountain"
		}
		out = append(out, data.Item{
			ID: data.ItemID(fmt.Sprintf("i%02d", i)), Title: words[shelf+i%5] + " and " + words[shelf+(i+2)%5], Categories: []string{name},
		})
	}
	return out
}

// dataset is the crowd as files would tell it.
func (c crowd) dataset() *dataset.Dataset {
	return &dataset.Dataset{Name: "two-tastes", Format: "generated", Items: c.catalogue(), Interactions: c.acts()}
}

// source is the crowd as rows.
func (c crowd) source(t *testing.T) *Source {
	t.Helper()
	src, err := FromDataset(c.dataset())
	if err != nil {
		t.Fatal(err)
	}
	return src
}

// quick is a configuration that suits a small crowd.
func quick() Config {
	c := Default()
	c.ALS = ladderALS(8, .01, .1)
	c.ItemItem = itemitem.Config{Neighbours: 20, Cut: itemitem.CutTarget, Asymmetry: .5}
	c.Popular.HalfLife = 0
	c.Blend.MinCases = 20
	c.Cluster.MaxK, c.Cluster.Starts = 4, 3
	c.Split.MinPeople = 10
	return c
}

// profileOf is the profile that a user's first event opens.
func profileOf(u data.UserID) data.ProfileID { return data.NewProfileID(data.IDUser, string(u)) }

// archive appends events to a lake of one partition, one a act.
func archive(t *testing.T, l *lake.Lake, acts []data.Interaction) {
	t.Helper()
	var events []data.Event
	for _, a := range acts {
		events = append(events, data.Event{
			V: data.EventVersion, ID: a.ID, Source: "test", Space: data.DefaultSpace, Type: data.Track, Name: "Product Viewed",
			IDs: data.IDs{User: a.User}, Profile: profileOf(a.User), Items: []data.EventItem{{ID: a.Item}},
			Times: data.Times{Event: a.At, Original: a.At, Received: a.At.Add(time.Second)},
		})
	}
	archiveEvents(t, l, events)
}

// archiveEvents appends whole events.
func archiveEvents(t *testing.T, l *lake.Lake, events []data.Event) {
	t.Helper()
	first, err := l.Cursor(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	b := lake.Block{First: first, Last: first + int64(len(events)) - 1}
	for i, e := range events {
		b.Records = append(b.Records, data.Record{Offset: first + int64(i), Value: event.Seal(e)})
	}
	if err := l.WriteBlock(t.Context(), b); err != nil {
		t.Fatal(err)
	}
}

// shelf is a catalog in memory.
type shelf struct {
	mu          sync.Mutex
	items       []data.Item
	version     int64
	models      []data.Model
	current     string
	evaluations []data.Evaluation
	jobs        []data.Job
	stale       bool // the lease is somebody else's by now
	failing     error
	updates     int
}

func (s *shelf) Items(_ context.Context, after data.ItemID, limit int) ([]data.Item, error) {
	var out []data.Item
	for _, it := range s.items {
		if it.ID > after && len(out) < limit {
			out = append(out, it)
		}
	}
	return out, nil
}

func (s *shelf) ItemsVersion(context.Context) (int64, error) { return s.version, s.failing }

func (s *shelf) Current(context.Context) (data.Model, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range s.models {
		if m.Version == s.current {
			return m, nil
		}
	}
	return data.Model{}, data.ErrNotFound
}

func (s *shelf) PutModel(_ context.Context, m data.Model) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.models = append(s.models, m)
	return nil
}

func (s *shelf) Models(_ context.Context, after string, limit int) ([]data.Model, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []data.Model
	for _, m := range slices.Backward(s.models) {
		if (after == "" || m.Version < after) && len(out) < limit {
			out = append(out, m)
		}
	}
	return out, nil
}

func (s *shelf) DropArtifact(_ context.Context, version string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range s.models {
		if s.models[i].Version == version {
			s.models[i].Artifact = ""
		}
	}
	return nil
}

func (s *shelf) PromoteFenced(_ context.Context, version string, _ data.Lease) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stale {
		return data.ErrStale
	}
	s.current = version
	return nil
}

func (s *shelf) PutEvaluation(_ context.Context, e data.Evaluation) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !json.Valid(e.Report) {
		return errors.New("the report is not JSON")
	}
	s.evaluations = append(s.evaluations, e)
	return nil
}

func (s *shelf) StartJob(_ context.Context, j data.Job) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs = append(s.jobs, j)
	return nil
}

func (s *shelf) UpdateJob(_ context.Context, j data.Job) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.updates++
	return s.replace(j)
}

func (s *shelf) FinishJob(ctx context.Context, j data.Job) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.replace(j)
}

func (s *shelf) replace(j data.Job) error {
	i := slices.IndexFunc(s.jobs, func(o data.Job) bool { return o.ID == j.ID })
	if i < 0 || s.jobs[i].State != data.JobRunning {
		return data.ErrConflict
	}
	s.jobs[i] = j
	return nil
}

func (s *shelf) AbandonJobs(context.Context, time.Duration) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := int64(0)
	for i := range s.jobs {
		if s.jobs[i].State == data.JobRunning {
			s.jobs[i].State = data.JobAbandoned
			n++
		}
	}
	return n, nil
}

// job is the newest row of the jobs list.
func (s *shelf) job(t *testing.T) data.Job {
	t.Helper()
	if len(s.jobs) == 0 {
		t.Fatal("no job was started")
	}
	return s.jobs[len(s.jobs)-1]
}

// bench is a lake and a catalog for runs.
type bench struct {
	deps  Deps
	shelf *shelf
	now   time.Time
}

// newBench opens an empty lake and a catalog with the crowd's items.
func newBench(t *testing.T, c crowd) *bench {
	t.Helper()
	l, err := lake.Open(t.TempDir(), data.DefaultSpace)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{shelf: &shelf{items: c.catalogue(), version: 1}, now: monday.Add(1000 * time.Hour)}
	b.deps = Deps{Lake: l, Catalog: b.shelf, Features: features.Default(), Lease: data.Lease{Name: "train", Owner: "test", Fence: 1}, Now: func() time.Time { return b.now }}
	return b
}

// run trains once, an hour after the run before.
func (b *bench) run(t *testing.T, cfg Config, opt RunOptions) (Outcome, error) {
	t.Helper()
	b.now = b.now.Add(time.Hour)
	b.deps.Lease.Fence++
	return Run(t.Context(), b.deps, cfg, opt)
}

// bundle decodes a stored artifact.
func (b *bench) bundle(t *testing.T, version string) *artifact.Bundle {
	t.Helper()
	raw, err := b.deps.Lake.Artifact(t.Context(), version)
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := artifact.Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	return bundle
}
