package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"kindred/cmd/internal/load"
	"kindred/cmd/internal/load/madeup"
)

// kindred is the program under load and the program that loads it.
type kindred struct {
	b      *bench
	binary string
}

// runHTTP measures a server with made-up models.
func runHTTP(ctx context.Context, args []string, out io.Writer) error {
	b := &bench{}
	fs := b.flags("bench http")
	k := kindred{b: b}
	fs.StringVar(&k.binary, "kindred", "bin/kindred", "the program")
	if err := b.start(ctx, fs, args, out); err != nil {
		return err
	}
	return b.all(httpCases(k, b.quick), "bench-http")
}

// server is a running `kindred serve`.
type server struct {
	cmd  *exec.Cmd
	dir  string // its data
	addr string
	log  *os.File
}

// serve starts a server on a fresh data directory with a made-up model, on a free
// port of loopback, and waits until it is ready.
func (k kindred) serve(c *Case, items int, spread float64) (*server, func() error, error) {
	dir, err := os.MkdirTemp(k.b.work, "server")
	if err != nil {
		return nil, nil, err
	}
	m := madeup.Default()
	m.Items, m.Spread, m.Now = items, spread, time.Now()
	if items > 200_000 {
		m.Neighbours = 20
	}
	if _, err := madeup.Write(k.b.ctx, dir, m); err != nil {
		return nil, nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &server{dir: dir}
	if s.log, err = os.Create(dir + ".log"); err != nil {
		return nil, nil, err
	}
	s.cmd = exec.Command(k.binary, "serve", "--data", dir, "--addr", "127.0.0.1:0", "--set", "schedule.every_events=0", "--set", "schedule.cron=",
		"--set", "ingest.quota.person.per_second=0", "--set", "ingest.quota.person_hard.per_second=0", "--set", "ingest.quota.users.per_second=0")
	s.cmd.Stderr = s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start %s: %w", k.binary, err)
	}
	stop := func() error { return errors.Join(s.stop(), os.RemoveAll(dir)) }
	lines := bufio.NewScanner(out)
	for s.addr == "" && lines.Scan() {
		if base, ok := strings.CutPrefix(lines.Text(), "listening on http://"); ok {
			s.addr = base
		}
	}
	go io.Copy(io.Discard, out)
	if err := s.ready(k.b.ctx); err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	c.Notes = append(c.Notes, fmt.Sprintf("a made-up model of %d items × 64, spread of norms %v, %d neighbours an item, with a catalogue; ready %.1f s after its start; it trains nothing meanwhile (schedule.every_events=0, schedule.cron=) and limits nobody (ingest.quota), for the load's busiest people act thousands of times a second", items, spread, m.Neighbours, time.Since(began).Seconds()))
	return s, stop, nil
}

// ready waits until the server serves a model.
func (s *server) ready(ctx context.Context) error {
	if s.addr == "" {
		b, _ := os.ReadFile(s.log.Name())
		return fmt.Errorf("the server ended before it listened: %s", b)
	}
	for range 600 {
		r, err := http.Get("http://" + s.addr + "/readyz")
		if err == nil {
			var body struct {
				Ready   bool
				Serving struct{ Version string }
			}
			json.NewDecoder(r.Body).Decode(&body)
			r.Body.Close()
			if body.Ready && strings.HasPrefix(body.Serving.Version, "m-") {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return errors.New("the server was not ready within a minute")
}

// stop ends the server as an operator would, by its process id.
func (s *server) stop() error {
	defer s.log.Close()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	kill := time.AfterFunc(2*time.Minute, func() { s.cmd.Process.Kill() })
	defer kill.Stop()
	if err := s.cmd.Wait(); err != nil {
		return fmt.Errorf("the server did not stop well (see %s): %w", s.log.Name(), err)
	}
	return os.Remove(s.log.Name())
}

// quiet notes where a load began before the server was done with the prefill.
func quiet(c *Case, r load.Report) {
	if r.Prefill != nil && !r.Prefill.Quiet {
		c.Notes = append(c.Notes, "THE SERVER WAS NOT QUIET when the measurement began: something else than requests is in the figures")
	}
}

// load runs `kindred load` against the server.
func (k kindred) load(s *server, args ...string) (load.Report, error) {
	var r load.Report
	out, err := os.CreateTemp(k.b.work, "load*.json")
	if err != nil {
		return r, err
	}
	out.Close()
	defer os.Remove(out.Name())
	args = append([]string{"load", "--addr", s.addr, "--json", out.Name()}, args...)
	if text, err := exec.CommandContext(k.b.ctx, k.binary, args...).CombinedOutput(); err != nil {
		return r, fmt.Errorf("kindred %s: %w: %s", strings.Join(args, " "), err, text)
	}
	b, err := os.ReadFile(out.Name())
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(b, &r)
}

// kind is what the report says of one kind of operation; failures are an error. What
// was never sent is none: it is in the latencies.
func kind(r load.Report, k load.Kind) (load.KindReport, error) {
	for _, one := range r.Kinds {
		if one.Kind == k.String() {
			if one.Failed > 0 || len(one.Errors) > 0 {
				return one, fmt.Errorf("%s: %d failed, %v, %v", one.Kind, one.Failed, one.Statuses, one.Errors)
			}
			return one, nil
		}
	}
	return load.KindReport{}, fmt.Errorf("the load sent no %s", k)
}

// seconds is a flag's value.
func seconds(n int) string { return strconv.Itoa(n) + "s" }
