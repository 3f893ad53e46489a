package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"kindred/cmd/internal/config"
	"kindred/data"
	"kindred/data/lake"
	"kindred/features"
	"kindred/training"
)

// handCommand is what a server calls its own program with, to train beside it.
const handCommand = "training-hand"

// stopWithin is how long a training process may take to stop when it is told to,
// or when its server is gone, before it is ended.
const stopWithin = 10 * time.Second

// errServerStopped is the cause that a training process's run is cancelled with.
var errServerStopped = errors.New("the server stopped the run, or is gone")

// order is what a server tells its training process, on standard input: the run,
// the lease that the server holds for it, and the part of the server's
// configuration that training reads. No secret is among it.
type order struct {
	Job     string
	Lease   data.Lease
	Builder string

	Data     string
	Space    data.Space
	Features features.Config
	Training training.Config
}

// note is a line of what the training process answers, on standard output: the
// stage that begins, or how the run ended.
type note struct {
	Stage string  `json:",omitempty"`
	Ended *ending `json:",omitempty"`
}

// ending is how a run ended.
type ending struct {
	Model string `json:",omitempty"` // the version that was published, or refused
	Error string `json:",omitempty"`
	Is    string `json:",omitempty"` // the error that Error wraps, where somebody branches on it
}

// known are the errors that stay themselves on their way between processes.
func known() map[string]error {
	return map[string]error{
		"refused": training.ErrRefused, "nothing new": training.ErrNothingNew, "too little": training.ErrTooLittle, "stale": data.ErrStale,
	}
}

func endingOf(out training.Outcome, err error) *ending {
	e := &ending{Model: out.Version}
	if err != nil {
		e.Error = err.Error()
		for name, is := range known() {
			if errors.Is(err, is) {
				e.Is = name
			}
		}
	}
	return e
}

// err is the run's error.
func (e *ending) err() error {
	if e.Error == "" {
		return nil
	}
	return toldError{e.Error, known()[e.Is]}
}

// toldError is another process's error.
type toldError struct {
	text string
	is   error // or nil
}

func (e toldError) Error() string { return e.text }
func (e toldError) Unwrap() error { return e.is }

// newTrainingHand is no command for people: `kindred train` is.
func newTrainingHand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:    handCommand,
		Short:  "Train for the server that started this process",
		Hidden: true,
		Args:   noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := stepBack(); err != nil {
				fmt.Fprintf(g.err, "training goes on at the priority of the server: %v\n", err)
			}
			var o order
			d := json.NewDecoder(g.in)
			d.DisallowUnknownFields()
			if err := d.Decode(&o); err != nil {
				return fmt.Errorf("read the server's order: %w; `kindred train` trains by hand", err)
			}
			ctx, stop := context.WithCancelCause(cmd.Context())
			defer stop(nil)
			// The server never writes more; it closes its end to stop the run, and the
			// system does when the server dies.
			go func() {
				io.Copy(io.Discard, g.in)
				stop(errServerStopped)
				time.Sleep(stopWithin)
				os.Exit(exitFailed)
			}()
			return g.obey(ctx, o)
		},
	}
}

// obey does one run and says on standard output how it goes. How it ended is told
// there, too, and is no error.
func (g *globals) obey(ctx context.Context, o order) (err error) {
	notes := json.NewEncoder(g.out)
	out, err := o.train(ctx, func(stage string) { _ = notes.Encode(note{Stage: stage}) }) // a server that is gone is noticed elsewhere
	return notes.Encode(note{Ended: endingOf(out, err)})
}

// train does the run of an order.
func (o order) train(ctx context.Context, begins func(stage string)) (out training.Outcome, err error) {
	c := config.Config{Data: o.Data, Space: o.Space, Features: o.Features, Training: o.Training}
	cat, err := openCatalog(c)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, cat.Close()) }()
	l, err := lake.Open(lakeDir(c), c.Space)
	if err != nil {
		return out, err
	}
	last := ""
	t := trainer{cfg: c, catalog: cat, lake: l, owner: o.Lease.Owner}
	return t.run(ctx, o.Lease, training.RunOptions{Job: o.Job, Builder: o.Builder, Progress: func(stage string, _, _ int) {
		if stage != last {
			last = stage
			begins(stage)
		}
	}})
}
