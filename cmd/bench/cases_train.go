package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"syscall"
	"time"

	"kindred/cmd/internal/load"
)

// training measures at half of the highest rate, alone and beside training runs that an
// operator's schedule would start.
func (k kindred) training(c *Case, z httpSize) error {
	s, stop, err := k.serve(c, z.items, .6)
	if err != nil {
		return err
	}
	return errors.Join(k.trainingOn(s, c, z), stop())
}

func (k kindred) trainingOn(s *server, c *Case, z httpSize) error {
	who := people(z.people, z.items, "--target", "recommendations")
	r, err := k.load(s, append(who, "--warmup", "1s", "--duration", seconds(z.short), "--clients", "8", "--prefill", "20")...)
	if err != nil {
		return err
	}
	quiet(c, r)
	top, err := kind(r, load.Recommend)
	if err != nil {
		return err
	}
	rate := strconv.FormatFloat(top.PerSecond/2, 'f', 0, 64)
	who = append(who, "--warmup", "1s", "--duration", seconds(z.long), "--clients", "64", "--rate", rate)
	one := func(v float64) *Sample { return sampleOf([]float64{v}) }
	c.Rows = append(c.Rows, Row{What: "recommendations a second, closed loop of 8 clients", Unit: "/s", Ours: one(top.PerSecond)})
	for _, beside := range []bool{false, true} {
		name, end := "alone", func() (trained, error) { return trained{}, nil }
		if beside {
			name, end = "beside a training run", k.train(s)
		}
		r, err := k.load(s, who...)
		runs, failed := end()
		if err = errors.Join(err, failed); err != nil {
			return err
		}
		n, err := kind(r, load.Recommend)
		if err != nil {
			return err
		}
		c.Rows = append(c.Rows,
			Row{What: fmt.Sprintf("p50 at %s a second (Poisson), %s", rate, name), Unit: "ms", Ours: one(n.Latency.P50)},
			Row{What: fmt.Sprintf("p99 at %s a second (Poisson), %s", rate, name), Unit: "ms", Ours: one(n.Latency.P99)},
			Row{What: "share of answers from the cache, " + name, Ours: share(r)})
		if n.Unsent > 0 {
			c.Notes = append(c.Notes, fmt.Sprintf("%s: %d REQUESTS WERE DUE AND NEVER SENT", name, n.Unsent))
		}
		if beside {
			c.Notes = append(c.Notes, fmt.Sprintf("kindred train --force ran the whole time: %d runs ended, the last was stopped after %.0f s", runs.ended, runs.last.Seconds()))
		}
	}
	return nil
}

// share is how many answers came from the cache, nil where the server does not say.
func share(r load.Report) *Sample {
	if r.Server == nil || r.Server.CacheShare == nil {
		return nil
	}
	return sampleOf([]float64{*r.Server.CacheShare})
}

// trained is what became of the training runs.
type trained struct {
	ended int
	last  time.Duration // of the one that was stopped
}

// train starts one training run after the other until end is called.
func (k kindred) train(s *server) (end func() (trained, error)) {
	ctx, cancel := context.WithCancel(k.b.ctx)
	type outcome struct {
		trained
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		var o outcome
		for ctx.Err() == nil && o.err == nil {
			cmd := exec.CommandContext(ctx, k.binary, "train", "--force", "--data", s.dir)
			cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
			cmd.WaitDelay = time.Minute
			began := time.Now()
			said, err := cmd.CombinedOutput()
			switch {
			case ctx.Err() != nil:
				o.last = time.Since(began)
			case err == nil || cmd.ProcessState != nil && cmd.ProcessState.ExitCode() == 3: // published, or refused by the gate
				o.ended++
			default:
				o.err = fmt.Errorf("kindred train: %w: %s", err, said)
			}
		}
		done <- o
	}()
	return func() (trained, error) {
		cancel()
		o := <-done
		return o.trained, o.err
	}
}
