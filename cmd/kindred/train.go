package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"kindred/cmd/internal/config"
	"kindred/data"
	"kindred/data/embedded"
	"kindred/data/lake"
	"kindred/training"
	"kindred/training/report"
	"kindred/training/schedule"
)

// flushWithin is how long `kindred train` waits for a running server to archive
// what it has taken in.
const flushWithin = 30 * time.Second

// serverSeen is how old a server's heartbeat may be for it to count as running.
const serverSeen = 10 * time.Second

func newTrain(g *globals) *cobra.Command {
	var force bool
	c := &cobra.Command{
		Use:   "train",
		Short: "Train, judge and publish a model now",
		Long: "Train reads the lake, fits every component, judges the candidate on the newest interactions beside popularity and item-kNN,\n" +
			"and publishes it if the gate lets it pass. It works beside a running server, which archives what it has taken in first\n" +
			"and switches to the new model within a second. Exit code 3 means that the gate refused; the former model goes on serving.",
		Example: "  kindred train --data kindred-data\n  kindred train --data kindred-data --set training.als.factors=128",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := g.load()
			if err != nil {
				return err
			}
			return g.train(cmd.Context(), c, force)
		},
	}
	c.Flags().BoolVar(&force, "force", false, "train although nothing is new since the current model")
	return c
}

func (g *globals) train(ctx context.Context, c config.Config, force bool) (err error) {
	cat, err := openCatalog(c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cat.Close()) }()
	l, err := lake.Open(lakeDir(c), c.Space)
	if err != nil {
		return err
	}
	p := newProgress(g.err)
	defer p.close()
	if err := g.completeLake(ctx, c, cat, p); err != nil {
		return err
	}
	t := trainer{cfg: c, catalog: cat, lake: l, owner: newOwner("train")}
	out, err := t.lease(ctx, training.RunOptions{Force: force, Builder: version, Progress: func(stage string, done, total int) { p.at(stage, int64(done), int64(total)) }})
	p.close()
	if errors.Is(err, training.ErrNothingNew) {
		fmt.Fprintf(g.out, "%v; --force trains all the same\n", err)
		return nil
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(g.out, "published %s, trained on %d interactions of %d people with %d items; report in %s\n",
		out.Version, out.Interactions, out.People, out.Items, filepath.Join(reportsDir(c), out.Version))
	return nil
}

// completeLake brings what is in the log and not in the lake there: whoever holds
// the log is asked to; where nobody does, it is done here. A server that was killed
// leaves such a tail.
func (g *globals) completeLake(ctx context.Context, c config.Config, cat *embedded.Catalog, p *progress) error {
	if mustExist(c.Data) != nil {
		return nil // a lake without a log
	}
	n, err := newNode(c, g.logger(c))
	if errors.Is(err, data.ErrLocked) {
		return g.flushServer(ctx, cat, p)
	}
	if err != nil {
		return err
	}
	complete, err := n.archived(ctx)
	if err == nil && !complete {
		err = n.settle(ctx, p)
	}
	return errors.Join(err, n.close())
}

// flushServer asks a running server to archive what it has taken in, and waits for it.
func (g *globals) flushServer(ctx context.Context, cat *embedded.Catalog, p *progress) error {
	if _, err := cat.ActiveProcess(ctx, "stream", serverSeen); errors.Is(err, data.ErrNotFound) {
		fmt.Fprintln(g.err, "a process that is no server holds the log; training on what the lake holds")
		return nil
	} else if err != nil {
		return fmt.Errorf("look for a running server: %w", err)
	}
	id, err := cat.RequestFlush(ctx)
	if err != nil {
		return fmt.Errorf("ask the server to archive: %w", err)
	}
	p.at("waiting for the archiver", 0, 0)
	wait, cancel := context.WithTimeout(ctx, flushWithin)
	defer cancel()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		done, err := cat.FlushDone(wait, id)
		if done {
			tick.Stop()
			return nil
		}
		if err != nil && wait.Err() == nil {
			return fmt.Errorf("wait for the server to archive: %w", err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-wait.Done():
			p.close()
			fmt.Fprintf(g.err, "the server did not archive within %v; training on what the lake holds\n", flushWithin)
			return nil
		case <-tick.C:
		}
	}
}

// trainer does training runs, whoever asks for them.
type trainer struct {
	cfg     config.Config
	catalog *embedded.Catalog
	lake    *lake.Lake
	owner   string
}

// lease does one run under the training lease; data.ErrConflict if somebody else has it.
func (t trainer) lease(ctx context.Context, opt training.RunOptions) (out training.Outcome, err error) {
	ran, err := schedule.WithLease(ctx, t.catalog, t.owner, t.cfg.Schedule.LeaseTTL, func(ctx context.Context, l data.Lease) error {
		out, err = t.run(ctx, l, opt)
		return err
	})
	if err == nil && !ran {
		err = fmt.Errorf("train: another training run is under way: %w", data.ErrConflict)
	}
	return out, err
}

// run does one run under a lease that the caller holds, and writes its report.
func (t trainer) run(ctx context.Context, l data.Lease, opt training.RunOptions) (training.Outcome, error) {
	opt.Grow = growBeside
	out, err := training.Run(ctx, training.Deps{Lake: t.lake, Catalog: t.catalog, Features: t.cfg.Features, Lease: l, Now: time.Now}, t.cfg.Training, opt)
	if out.Evaluation == nil || out.Version == "" {
		return out, err
	}
	return out, errors.Join(err, t.writeReport(out))
}

// writeReport puts the evaluation where the server's /reports/ finds it.
func (t trainer) writeReport(out training.Outcome) error {
	r, err := out.Evaluation.Report()
	if err != nil {
		return err
	}
	r.Created, r.Version = time.Now().UTC(), version
	if err := os.MkdirAll(reportsDir(t.cfg), 0o700); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return report.Write(filepath.Join(reportsDir(t.cfg), out.Version), r)
}

// newOwner names this process in leases and heartbeats.
func newOwner(what string) string {
	return fmt.Sprintf("%s-%d-%s", what, os.Getpid(), uuid.NewString()[:8])
}
