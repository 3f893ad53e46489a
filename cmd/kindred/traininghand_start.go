package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
)

// maxLine bounds what is kept of a line that a training process writes.
const maxLine = 4 << 10

// inProcessOfItsOwn does one run in a child process of this program, at low
// priority, so that it takes from requests neither processor nor garbage
// collection, and no crash of it ends them. begins is told about every stage; it
// may be called from another goroutine, until the run has ended.
//
// When ctx ends the child is told to stop, and killed if it does not. The error is
// the run's own, as trainer.run gives it, or an *exec.ExitError when the child
// ended without a word about how the run ended.
func inProcessOfItsOwn(ctx context.Context, o order, log *slog.Logger, begins func(stage string)) (*ending, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("start the training process: %w", err)
	}
	c := exec.CommandContext(ctx, thisProgram(), handCommand)
	c.Args[0] = os.Args[0]
	c.Env = append(os.Environ(), childLimits()...)
	stdin, err := c.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("start the training process: %w", err)
	}
	c.Cancel = func() error { stdin.Close(); return nil }
	c.WaitDelay = stopWithin

	var ended *ending
	c.Stdout = &lines{each: func(line []byte) {
		var n note
		switch err := json.Unmarshal(line, &n); {
		case err != nil:
			log.Warn("training process", "says", string(line))
		case n.Ended != nil:
			ended = n.Ended
		default:
			log.Debug("training process", "stage", n.Stage)
			begins(n.Stage)
		}
	}}
	crash := ""
	c.Stderr = &lines{each: func(line []byte) {
		if crash == "" && (bytes.HasPrefix(line, []byte("panic: ")) || bytes.HasPrefix(line, []byte("fatal error: "))) {
			crash = "; " + string(line)
		}
		log.Warn("training process", "says", string(line))
	}}
	if err := c.Start(); err != nil {
		return nil, fmt.Errorf("start the training process: %w", err)
	}
	log.Info("training process started", "pid", c.Process.Pid, "job", o.Job)
	_, sent := stdin.Write(text)
	err = c.Wait()
	switch {
	case ended != nil:
		return ended, ended.err()
	case ctx.Err() != nil:
		return nil, fmt.Errorf("the training process was stopped: %w", context.Cause(ctx))
	case err == nil:
		err = errors.Join(errors.New("without a result"), sent)
	case strings.Contains(err.Error(), "signal: killed"):
		crash = " by the system, as when memory runs out, or by somebody"
	}
	return nil, fmt.Errorf("the training process ended: %w%s", err, crash)
}

// thisProgram is the file of the program that runs: its very bytes where the system
// has a name for them, though the file may have been replaced since.
func thisProgram() string {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe"
	}
	name, err := os.Executable()
	if err != nil {
		return os.Args[0]
	}
	return name
}

// childLimits bound a training process by what the server has: a quarter of the
// processors, at least one, are left to requests, for low priority is no help
// against a quota that all share; and of a memory limit it gets what the server
// does not use.
func childLimits() []string {
	procs := runtime.GOMAXPROCS(0)
	env := []string{fmt.Sprintf("GOMAXPROCS=%d", max(1, procs-max(1, procs/4)))}
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
		used := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
		metrics.Read(used)
		env = append(env, fmt.Sprintf("GOMEMLIMIT=%d", max(limit/4, limit-int64(used[0].Value.Uint64()-used[1].Value.Uint64()))))
	}
	return env
}

// lines is a writer that hands every line on.
type lines struct {
	each func(line []byte)
	rest []byte
}

func (w *lines) Write(p []byte) (int, error) {
	for n := len(p); ; {
		line, after, found := bytes.Cut(p, []byte("\n"))
		w.rest = append(w.rest, line[:min(len(line), maxLine-min(len(w.rest), maxLine))]...)
		if !found {
			return n, nil
		}
		w.each(w.rest)
		w.rest, p = w.rest[:0], after
	}
}
