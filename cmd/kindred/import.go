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
)

// importBatch is how many events are appended with one fsync.
const importBatch = 2000

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
	bad                         []dataset.BadLine
}

func (d imported) String() string {
	s := fmt.Sprintf("imported %s: %d events (%d new, %d already there), %d items, %d people", d.name, d.events, d.fresh, d.events-d.fresh, d.items, d.users)
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
	if err := n.catalog.PutItems(ctx, staged.Items()); err != nil {
		return done, fmt.Errorf("import items of %s: %w", path, err)
	}
	if done.fresh, err = n.appendStaged(ctx, staged, p); err != nil {
		return done, fmt.Errorf("import events of %s: %w", path, err)
	}
	return done, n.settle(ctx, p)
}

// appendStaged appends the staged events that are not there yet, a batch at a
// time, and returns how many.
func (n *node) appendStaged(ctx context.Context, staged *dataset.Staged, p *progress) (fresh int, err error) {
	lookup := func(kind data.IDKind, id string) (data.ProfileID, error) { return n.store.Lookup(ctx, kind, id) }
	var batch []data.Event
	seen := 0
	flush := func() error {
		applied, err := features.AlreadyApplied(ctx, n.store, n.store.Partitions(), batch)
		if err != nil {
			return err
		}
		var recs []data.Record
		for i, e := range batch {
			if !applied[i] {
				recs = append(recs, data.Record{Partition: data.PartitionOf(string(e.Profile), n.store.Partitions()), Value: event.Seal(e)})
			}
		}
		if len(recs) > 0 {
			if err := n.store.Append(ctx, recs); err != nil {
				return err
			}
		}
		fresh += len(recs)
		seen += len(batch)
		batch = batch[:0]
		p.at("appending", int64(seen), int64(staged.Count()))
		return nil
	}
	err = staged.Events(func(e data.Event) error {
		e.IDs = n.cfg.Features.Identity.Clean(e.IDs)
		if e.Profile, err = n.cfg.Features.Identity.Route(e.IDs, lookup); err != nil {
			return err
		}
		if batch = append(batch, e); len(batch) == importBatch {
			return flush()
		}
		return nil
	})
	if err != nil {
		return fresh, err
	}
	return fresh, flush()
}
