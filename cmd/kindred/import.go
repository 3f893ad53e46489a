package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kindred/data"
	"kindred/data/dataset"
	"kindred/data/event"
	"kindred/features"
	"kindred/features/identity"
)

// How much is appended with one fsync: so many events, or fewer large ones.
const (
	importBatch      = 2000
	importBatchBytes = 8 << 20
)

// importOptions are the flags of `kindred import`.
type importOptions struct {
	format  string
	source  string
	fold    string
	keep    int
	maxBad  int
	shift   bool
	heldOut bool
}

func newImport(g *globals) *cobra.Command {
	var o importOptions
	c := &cobra.Command{
		Use:   "import --format F PATH",
		Short: "Bring a file or directory of interactions, items and people into the data directory",
		Long: "Import reads the whole data set, stages it as canonical events, and only then appends them: a failure leaves nothing\n" +
			"half-written, and importing the same files again adds nothing. It needs the log, so no server may be running on the directory.\n\nFormats:\n" + formats(),
		Example: "  kindred import --data kindred-data --format movielens --shift-to-now data/dataset/sample/ml-latest-small\n  kindred import --data kindred-data --format csv clicks.csv.gz",
		Args:    exactly(1, "the path of a file or directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.format == "" {
				return usagef("--format is missing; use one of %s", strings.Join(dataset.Formats(), ", "))
			}
			if dataset.Describe(o.format) == "" {
				return usagef("--format %q is unknown; use one of %s", o.format, strings.Join(dataset.Formats(), ", "))
			}
			if o.maxBad < 0 {
				return usagef("--max-bad is %d; use 0 or more", o.maxBad)
			}
			return g.importPath(cmd.Context(), args[0], o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.format, "format", "", "one of "+strings.Join(dataset.Formats(), ", "))
	f.StringVar(&o.source, "source", "", `name of the source, which message ids are unique in (default "import-" and the format)`)
	f.StringVar(&o.fold, "fold", "", "ml-100k: one of its splits, u1 to u5, ua or ub")
	f.IntVar(&o.keep, "p", 0, "citeulike: the split by training items a person keeps, 1 or 10")
	f.IntVar(&o.maxBad, "max-bad", 0, "how many bad lines are put up with; one more fails the import")
	f.BoolVar(&o.shift, "shift-to-now", false, "move all times so that the newest is now, for samples: windows and trends come alive")
	f.BoolVar(&o.heldOut, "held-out", false, "bring in the files' own validation and test parts too")
	return c
}

func formats() string {
	var b strings.Builder
	for _, name := range dataset.Formats() {
		fmt.Fprintf(&b, "  %-14s%s\n", name, strings.ReplaceAll(dataset.Describe(name), "\n", "\n                "))
	}
	return b.String()
}

func (g *globals) importPath(ctx context.Context, path string, o importOptions) error {
	c, err := g.load()
	if err != nil {
		return err
	}
	n, err := newNode(c, g.logger(c))
	if err != nil {
		return err
	}
	done, err := n.importDataset(ctx, path, o, newProgress(g.err))
	if err = errors.Join(err, n.close()); err != nil {
		return err
	}
	fmt.Fprintln(g.out, done)
	return nil
}

// imported is what an import did.
type imported struct {
	name                        string
	events, fresh, items, users int
	nobody                      int // events of nobody, left out
	bad                         []dataset.BadLine
}

func (d imported) String() string {
	s := fmt.Sprintf("imported %s: %d events (%d new, %d already there), %d items, %d people", d.name, d.events, d.fresh, d.events-d.fresh, d.items, d.users)
	if d.nobody > 0 {
		s += fmt.Sprintf("\n  left out %d events whose ids identify nobody (see features.identity.blocked_ids)", d.nobody)
	}
	for i, b := range d.bad {
		if i == 10 {
			return s + fmt.Sprintf("\n  … and %d more lines left out", len(d.bad)-i)
		}
		s += "\n  left out " + b.String()
	}
	return s
}

// importDataset reads, stages, appends, folds and archives a data set.
func (n *node) importDataset(ctx context.Context, path string, o importOptions, p *progress) (done imported, err error) {
	defer p.close()
	now := time.Now()
	ds, err := dataset.Read(ctx, o.format, dataset.Options{
		Path: path, MaxBad: o.maxBad, Fold: o.fold, P: o.keep, Now: now,
		Progress: func(done, total int64) { p.at("reading", done, total) },
	})
	if err != nil {
		return done, err
	}
	stageDir := filepath.Join(n.cfg.Data, "staging")
	if err := os.MkdirAll(stageDir, 0o700); err != nil {
		return done, fmt.Errorf("import %s: %w", path, err)
	}
	staged, err := dataset.Stage(ctx, ds, stageDir, dataset.StageOptions{
		Space: n.cfg.Space, Env: n.cfg.Env, Source: o.source, Now: now, ShiftToNow: o.shift, HeldOut: o.heldOut,
		Progress: func(done, total int) { p.at("staging", int64(done), int64(total)) },
	})
	if err != nil {
		return done, fmt.Errorf("import %s: %w", path, err)
	}
	defer func() { err = errors.Join(err, staged.Remove()) }()

	done = imported{name: ds.Name, events: staged.Count(), items: len(staged.Items()), users: len(ds.Users), bad: ds.Bad}
	if done.nobody, err = n.countNobody(staged, o.maxBad-len(ds.Bad)); err != nil {
		return done, fmt.Errorf("import %s: %w", path, err)
	}
	done.events -= done.nobody
	if err := n.worker.CatchUp(ctx); err != nil { // what an interrupted import appended is "already there" too
		return done, fmt.Errorf("import %s: %w", path, err)
	}
	if err := n.catalog.PutItems(ctx, staged.Items()); err != nil {
		return done, fmt.Errorf("import items of %s: %w", path, err)
	}
	if done.fresh, err = n.appendStaged(ctx, staged, p); err != nil {
		return done, fmt.Errorf("import events of %s: %w", path, err)
	}
	return done, n.settle(ctx, p)
}

// countNobody counts the staged events that belong to nobody. More than allowed is
// an error, before anything is written.
func (n *node) countNobody(staged *dataset.Staged, allowed int) (nobody int, err error) {
	var first data.IDs
	err = staged.Events(func(e data.Event) error {
		if n.ofNobody(e) {
			if nobody++; nobody == 1 {
				first = e.IDs
			}
		}
		return nil
	})
	if err == nil && nobody > allowed {
		err = fmt.Errorf("%d events have ids that identify nobody, the first with user %q and anonymous id %q; give them real ids, leave them out with --max-bad, or change features.identity.blocked_ids",
			nobody, first.User, first.Anonymous)
	}
	return nobody, err
}

// ofNobody reports whether no id of the event identifies anybody.
func (n *node) ofNobody(e data.Event) bool {
	ids := n.cfg.Features.Identity.Of(e)
	return ids.User == "" && ids.Anonymous == ""
}

// appendStaged appends the staged events that are not there yet, a batch at a
// time, and returns how many.
func (n *node) appendStaged(ctx context.Context, staged *dataset.Staged, p *progress) (fresh int, err error) {
	lookup := func(kind data.IDKind, id string) (data.ProfileID, error) { return n.store.Lookup(ctx, kind, id) }
	var (
		batch []data.Event
		recs  []data.Record // of batch
		bytes int           // of recs
		seen  int
	)
	flush := func() error {
		applied, err := features.AlreadyApplied(ctx, n.store, n.store.Partitions(), batch)
		if err != nil {
			return err
		}
		missing := recs[:0]
		for i, r := range recs {
			if !applied[i] {
				missing = append(missing, r)
			}
		}
		if err := n.store.Append(ctx, missing); err != nil {
			return err
		}
		fresh += len(missing)
		seen += len(batch)
		batch, recs, bytes = batch[:0], recs[:0], 0
		p.at("appending", int64(seen), int64(staged.Count()))
		return nil
	}
	err = staged.Events(func(e data.Event) (err error) {
		if n.ofNobody(e) {
			return nil
		}
		e.IDs = n.cfg.Features.Identity.Of(e)
		if e.Profile, err = identity.Home(e.IDs, lookup); err != nil {
			return err
		}
		r := data.Record{Partition: data.PartitionOf(string(e.Profile), n.store.Partitions()), Value: event.Seal(e)}
		if bytes += len(r.Value); len(batch) == importBatch || bytes > importBatchBytes && len(batch) > 0 {
			if err := flush(); err != nil {
				return err
			}
			bytes = len(r.Value)
		}
		batch, recs = append(batch, e), append(recs, r)
		return nil
	})
	if err != nil {
		return fresh, err
	}
	return fresh, flush()
}
