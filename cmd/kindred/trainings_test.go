package main

import (
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"kindred/data"
)

// endless makes a run last until somebody ends it.
var endless = []string{"--set", "training.als.iterations=10000", "--set", "training.als.factors=256", "--set", "training.als.solver=cholesky", "--set", "schedule.every_events=0", "--set", "schedule.cron="}

// TestATrainingProcessMayEndWithoutItsServer kills a run's process, and then stops
// a server that has one.
func TestATrainingProcessMayEndWithoutItsServer(t *testing.T) {
	dir := shop(t)
	s := start(t, dir, endless...)
	before := serving(s)
	s.track("/v1/track", map[string]any{"userId": "b-0", "event": "Product Viewed", "properties": map[string]any{"product_id": "b19"}})

	job, hand := s.trainInProcess(1)
	if status, err := s.send("/v1/jobs", map[string]any{"kind": "train"}); err != nil || status != http.StatusConflict {
		t.Errorf("a second run at once: status %d, %v; want 409", status, err)
	}
	if err := hand.Kill(); err != nil {
		t.Fatal(err)
	}
	if j := s.waitForEnd(job); j.State != data.JobFailed || !strings.Contains(j.Message, "killed") {
		t.Errorf("the job is %s: %q; want failed, because its process was killed", j.State, j.Message)
	}
	if now := serving(s); now != before {
		t.Errorf("%s serves, want %s still", now, before)
	}

	job, _ = s.trainInProcess(2) // the lease is free
	s.stop()
	if jobs := kindred(t, exitDone, "jobs", "--data", dir, "--json"); !strings.Contains(jobs, job) || !strings.Contains(jobs, errServerStopped.Error()) {
		t.Errorf("after the stop the jobs do not say why %s ended:\n%s", job, jobs)
	}
}

// TestATrainingProcessDoesNotOutliveAKilledServer finds the end of the run in the
// jobs, where nobody but the run's own process can have written it.
func TestATrainingProcessDoesNotOutliveAKilledServer(t *testing.T) {
	dir := shop(t)
	s := start(t, dir, endless...)
	s.track("/v1/track", map[string]any{"userId": "b-0", "event": "Product Viewed", "properties": map[string]any{"product_id": "b19"}})
	s.trainInProcess(1)
	s.kill()
	for until := time.Now().Add(2 * stopWithin); ; time.Sleep(20 * time.Millisecond) {
		jobs := kindred(t, exitDone, "jobs", "--data", dir, "--json")
		if strings.Contains(jobs, errServerStopped.Error()) {
			return
		}
		if time.Now().After(until) {
			t.Fatalf("the run goes on without its server:\n%s", jobs)
		}
	}
}

// trainInProcess asks for a run, the n-th of the server, and returns its job and
// process.
func (r *running) trainInProcess(n int) (job string, hand *os.Process) {
	r.t.Helper()
	status, err := r.send("/v1/jobs", map[string]any{"kind": "train"})
	if err != nil || status != http.StatusAccepted {
		r.t.Fatalf("POST /v1/jobs: status %d, %v; want 202\n%s", status, err, r.log)
	}
	found := regexp.MustCompile(`training process started" pid=(\d+) job=(\S+)`).FindAllStringSubmatch(r.log.String(), -1)
	if len(found) != n {
		r.t.Fatalf("%d training processes in the log, want %d\n%s", len(found), n, r.log)
	}
	pid, err := strconv.Atoi(found[n-1][1])
	if err != nil {
		r.t.Fatal(err)
	}
	if hand, err = os.FindProcess(pid); err != nil {
		r.t.Fatal(err)
	}
	return found[n-1][2], hand
}

// waitForEnd waits until a job has ended.
func (r *running) waitForEnd(job string) (j data.Job) {
	r.t.Helper()
	for until := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if r.get("/v1/jobs/"+job, &j); j.State != data.JobRunning {
			return j
		}
		if time.Now().After(until) {
			r.t.Fatalf("%s has not ended\n%s", job, r.log)
		}
	}
}
