package training

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kindred/data"
	"kindred/data/lake"
	"kindred/features"
	"kindred/model/artifact"
	"kindred/training/describe"
)

// Models is where a run publishes.
type Models interface {
	Current(ctx context.Context) (data.Model, error)
	PutModel(ctx context.Context, m data.Model) error
	PromoteFenced(ctx context.Context, version string, lease data.Lease) error
	PutEvaluation(ctx context.Context, e data.Evaluation) error
	Models(ctx context.Context, after string, limit int) ([]data.Model, error)
	DropArtifact(ctx context.Context, version string) error
}

// Catalog is what a run asks of the catalog.
type Catalog interface {
	Items
	Models
	Jobs
}

// Deps are the stores of a run and what it may know of the world. All are required.
type Deps struct {
	Lake    *lake.Lake
	Catalog Catalog
	// Features are those that the stream folds with: the clusters are learned from
	// the same vectors.
	Features features.Config
	// Lease is the training lease, held and renewed by the caller (schedule.WithLease).
	Lease data.Lease
	Now   func() time.Time
}

// RunOptions are the choices of one run.
type RunOptions struct {
	// Job is the run's id in the jobs list; "" for one of its own (JobID).
	Job string
	// Force trains though nothing is new.
	Force bool
	// Progress, if not nil, is told about every stage.
	Progress Progress
	// Grow, if not nil, grows the trees that cluster rules are proposed from, in a process of their own.
	Grow describe.Grower
	// Builder is the version of the program, kept in the artifact.
	Builder string
}

// Outcome is what a run came to.
type Outcome struct {
	Job        string // its id in the jobs list
	Version    string // of the model that was published, or refused; "" when there is none
	Model      data.Model
	Evaluation *Evaluation // nil when the run ended before it
	Watermark  time.Time   // newest log time that was read
	Interactions,
	People,
	Items int
}

// summary says in a line what a run that went well came to.
func (o *Outcome) summary() string {
	if o.Evaluation == nil || o.Evaluation.Verdict == nil {
		return ""
	}
	v := o.Evaluation.Verdict
	return fmt.Sprintf("%s published: %s %.4f, popularity %.4f, on %d people", o.Version, v.Metric, v.Candidate, v.Popular, o.Evaluation.People)
}

// Run trains once: reads the lake as it is, judges a candidate, and publishes and
// promotes it if the gate lets it pass. The caller has archived what it wants
// included, and holds the lease.
//
// The error wraps ErrNothingNew, ErrTooLittle or ErrRefused, is
// schedule.ErrLeaseLost's or ctx's, data.ErrStale when the lease was gone at the
// moment of promotion, or a store's. On any error the current model stays as it
// was, and the job's row says why. The Outcome says how far it came.
func Run(ctx context.Context, deps Deps, cfg Config, opt RunOptions) (Outcome, error) {
	var out Outcome
	if err := cfg.Validate(); err != nil {
		return out, err
	}
	if opt.Progress == nil {
		opt.Progress = func(string, int, int) {}
	}
	if out.Job = opt.Job; out.Job == "" {
		out.Job = JobID(deps.Now(), deps.Lease)
	}
	t, err := track(ctx, deps.Catalog, out.Job, opt.Progress)
	if err != nil {
		return out, fmt.Errorf("train: %w", err)
	}
	opt.Progress = t.progress
	r := run{Deps: deps, cfg: cfg, opt: opt, out: &out}
	if err = r.run(ctx); err != nil {
		if cause := context.Cause(ctx); ctx.Err() != nil && !errors.Is(err, cause) {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		err = fmt.Errorf("train: %w", err)
	}
	return out, t.finish(ctx, &out, err)
}

// run is one run under way.
type run struct {
	Deps
	cfg Config
	opt RunOptions
	out *Outcome

	incumbent   *incumbent
	src         *Source
	snap        *lake.Snapshot
	config      json.RawMessage // what the catalog keeps: configuration and fingerprint
	fingerprint string
}

func (r *run) run(ctx context.Context) error {
	if err := r.read(ctx); err != nil {
		return err
	}
	t, err := r.judge(ctx)
	if err != nil {
		return err
	}
	verdict := r.out.Evaluation.Verdict
	if !verdict.Passed {
		b := t.bundle()
		if err := r.publish(ctx, b, data.ModelRefused); err != nil {
			return fmt.Errorf("keep the refused candidate: %w", err)
		}
		if err := r.retain(ctx); err != nil {
			return fmt.Errorf("%w: %s; %w", ErrRefused, joined(verdict.Reasons), err)
		}
		return fmt.Errorf("%w: %s", ErrRefused, joined(verdict.Reasons))
	}
	b, err := r.refit(ctx, t)
	if err != nil {
		return err
	}
	return r.publish(ctx, b, data.ModelPublished)
}

// read takes the snapshot, unless nothing in it is new.
func (r *run) read(ctx context.Context) error {
	var err error
	if r.snap, err = r.Lake.Snapshot(ctx); err != nil {
		return err
	}
	items, err := r.Catalog.ItemsVersion(ctx)
	if err != nil {
		return err
	}
	if err := r.identify(items); err != nil {
		return err
	}
	switch current, err := r.Catalog.Current(ctx); {
	case err == nil:
		if !r.opt.Force && fingerprintOf(current) == r.fingerprint {
			return fmt.Errorf("%w: %s has all %d interactions", ErrNothingNew, current.Version, r.snap.Rows(lake.Interactions))
		}
		if r.incumbent, err = loadIncumbent(ctx, r.Lake, current); err != nil {
			return err
		}
	case !errors.Is(err, data.ErrNotFound):
		return err
	}
	if r.src, err = FromLake(ctx, r.snap, r.Catalog, r.opt.Progress); err != nil {
		return err
	}
	r.out.Watermark = r.src.Watermark
	r.out.Interactions, r.out.People, r.out.Items = len(r.src.Acts), r.src.People.Len(), r.src.Items.Len()
	return enough(r.src, r.cfg)
}

// enough refuses a source that no model could be fitted on and judged by.
func enough(src *Source, cfg Config) error {
	rule, liked := cfg.preference(), 0
	for _, a := range src.Acts {
		if rule.Of(a) > 0 {
			liked++
		}
	}
	switch {
	case len(src.Acts) == 0:
		return fmt.Errorf("%w: the lake has no interactions yet; import some or send events", ErrTooLittle)
	case src.People.Len() < 2 || src.Items.Len() < 2:
		return fmt.Errorf("%w: %d people and %d items; there must be 2 of each at least", ErrTooLittle, src.People.Len(), src.Items.Len())
	case liked < cfg.MinInteractions:
		return fmt.Errorf("%w: %d interactions that speak for an item, of %d; %d are needed (min_interactions)", ErrTooLittle, liked, len(src.Acts), cfg.MinInteractions)
	}
	return nil
}

// refit fits the components once more, on everything, and the clusters.
func (r *run) refit(ctx context.Context, t *trial) (*artifact.Bundle, error) {
	m := newMaterial(r.src.Table, r.src.Acts, r.src.Docs, r.cfg.preference())
	again := func(stage string, done, total int) { r.opt.Progress("re"+stage, done, total) }
	c, err := fit(ctx, m, r.cfg, r.cfg.Components, r.incumbent.warm(r.src.Items, r.cfg), r.Now, again)
	if err != nil {
		return nil, fmt.Errorf("on everything: %w", err)
	}
	if r.cfg.Cluster.Off {
		return bundle(r.src.Table, c, r.cfg, t.blend, nil), nil
	}
	x, err := Behaviour(ctx, r.snap, r.Features, r.cfg.Cluster.MaxPeople, r.opt.Progress)
	if err != nil {
		return nil, err
	}
	clusters, choice, note, err := groups(ctx, x, r.cfg, r.incumbent.clusters(), r.opt.Progress)
	if err != nil {
		return nil, err
	}
	if note != "" {
		r.out.Evaluation.Notes = append(r.out.Evaluation.Notes, note)
	}
	r.out.Evaluation.Clusters = choice
	if err := r.describe(ctx, clusters, x); err != nil {
		return nil, err
	}
	return bundle(r.src.Table, c, r.cfg, t.blend, clusters), nil
}

// joined writes the gate's reasons as one line.
func joined(reasons []string) string {
	line := ""
	for i, s := range reasons {
		if i > 0 {
			line += "; "
		}
		line += s
	}
	return line
}
