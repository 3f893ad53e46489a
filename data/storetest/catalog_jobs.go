package storetest

import (
	"encoding/json"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"kindred/data"
)

func testJobs(t *testing.T, open OpenCatalog) {
	t.Run("a job lives from start to finish by the database's clock", func(t *testing.T) {
		c := open.fresh(t)
		must(t, c.StartJob(t.Context(), data.Job{ID: "j1", Kind: "train", Stage: "read"}))
		got, err := c.Job(t.Context(), "j1")
		must(t, err)
		if got.State != data.JobRunning || !recent(got.Started) || !got.Heartbeat.Equal(got.Started) || !got.Finished.IsZero() {
			t.Errorf("started: %+v", got)
		}
		must(t, c.UpdateJob(t.Context(), data.Job{ID: "j1", Progress: .5, Stage: "fit", Message: "half"}))
		got, err = c.Job(t.Context(), "j1")
		must(t, err)
		if got.Kind != "train" || got.Progress != .5 || got.Stage != "fit" || got.Message != "half" || got.Heartbeat.Before(got.Started) {
			t.Errorf("updated: %+v", got)
		}
		must(t, c.FinishJob(t.Context(), data.Job{ID: "j1", State: data.JobRefused, Progress: 1, Stage: "gate", Message: "worse", Model: "m-1"}))
		got, err = c.Job(t.Context(), "j1")
		must(t, err)
		if got.State != data.JobRefused || got.Message != "worse" || got.Model != "m-1" || !recent(got.Finished) {
			t.Errorf("finished: %+v", got)
		}
	})

	t.Run("what is not running is not changed", func(t *testing.T) {
		c := open.fresh(t)
		must(t, c.StartJob(t.Context(), data.Job{ID: "j1", Kind: "train"}))
		must(t, c.FinishJob(t.Context(), data.Job{ID: "j1", State: data.JobDone}))
		for name, err := range map[string]error{
			"start again":    c.StartJob(t.Context(), data.Job{ID: "j1", Kind: "train"}),
			"update ended":   c.UpdateJob(t.Context(), data.Job{ID: "j1"}),
			"finish ended":   c.FinishJob(t.Context(), data.Job{ID: "j1", State: data.JobFailed}),
			"update unknown": c.UpdateJob(t.Context(), data.Job{ID: "j2"}),
		} {
			if !errors.Is(err, data.ErrConflict) {
				t.Errorf("%s: %v, want ErrConflict", name, err)
			}
		}
		for name, err := range map[string]error{
			"no id":    c.StartJob(t.Context(), data.Job{Kind: "train"}),
			"no kind":  c.StartJob(t.Context(), data.Job{ID: "j3"}),
			"progress": c.StartJob(t.Context(), data.Job{ID: "j3", Kind: "train", Progress: math.NaN()}),
			"state":    c.FinishJob(t.Context(), data.Job{ID: "j1", State: data.JobRunning}),
		} {
			if err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	})

	t.Run("jobs whose process went away are abandoned", func(t *testing.T) {
		c := open.fresh(t)
		must(t, c.StartJob(t.Context(), data.Job{ID: "j1", Kind: "train"}))
		if n, err := c.AbandonJobs(t.Context(), time.Hour); n != 0 || err != nil {
			t.Errorf("AbandonJobs(1h) = %d, %v; want 0", n, err)
		}
		eventually(t, "the job is abandoned", func() bool {
			n, err := c.AbandonJobs(t.Context(), 0)
			must(t, err)
			return n == 1
		})
		if j, err := c.Job(t.Context(), "j1"); j.State != data.JobAbandoned || j.Finished.IsZero() || err != nil {
			t.Errorf("job %+v, %v; want abandoned", j, err)
		}
		if err := c.UpdateJob(t.Context(), data.Job{ID: "j1"}); !errors.Is(err, data.ErrConflict) {
			t.Errorf("UpdateJob = %v, want ErrConflict: the job must learn that it was given up", err)
		}
	})

	t.Run("jobs are listed newest first, in pages", func(t *testing.T) {
		c := open.fresh(t)
		want := []string{"j5", "j4", "j3", "j2", "j1"}
		for _, id := range slices.Backward(want) {
			must(t, c.StartJob(t.Context(), data.Job{ID: id, Kind: "train"}))
		}
		var got []string
		for after := ""; ; after = got[len(got)-1] {
			page, err := c.Jobs(t.Context(), after, 2)
			must(t, err)
			if len(page) == 0 {
				break
			}
			for _, j := range page {
				got = append(got, j.ID)
			}
		}
		equal(t, "ids", want, got)
		if _, err := c.Jobs(t.Context(), "unknown", 2); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("Jobs after an unknown one = %v, want ErrNotFound", err)
		}
	})

	t.Run("evaluations keep their reports and list without them", func(t *testing.T) {
		c := open.fresh(t)
		report := json.RawMessage(`{"models":[{"name":"als"}]}`)
		for i, id := range []string{"e1", "e2", "e3"} {
			must(t, c.PutEvaluation(t.Context(), data.Evaluation{ID: id, Created: time.UnixMilli(int64(1000 + i)).UTC(), Model: "m", Dataset: "d", Report: report}))
		}
		got, err := c.Evaluation(t.Context(), "e2")
		must(t, err)
		equal(t, "evaluation", data.Evaluation{ID: "e2", Created: time.UnixMilli(1001).UTC(), Model: "m", Dataset: "d", Report: report}, got)
		first, err := c.Evaluations(t.Context(), "", 2)
		must(t, err)
		rest, err := c.Evaluations(t.Context(), first[1].ID, 2)
		must(t, err)
		var ids []string
		for _, e := range append(first, rest...) {
			if ids = append(ids, e.ID); e.Report != nil {
				t.Errorf("%s is listed with its report", e.ID)
			}
		}
		equal(t, "ids", []string{"e3", "e2", "e1"}, ids)
		if _, err := c.Evaluation(t.Context(), "x"); !errors.Is(err, data.ErrNotFound) {
			t.Errorf("Evaluation = %v, want ErrNotFound", err)
		}
		must(t, c.PutEvaluation(t.Context(), data.Evaluation{ID: "now", Report: report}))
		if got, err := c.Evaluation(t.Context(), "now"); err != nil || !recent(got.Created) {
			t.Errorf("created %v, %v; want now", got.Created, err)
		}
		for name, e := range map[string]data.Evaluation{"no id": {Report: report}, "no report": {ID: "x"}, "bad report": {ID: "x", Report: json.RawMessage("{")}} {
			if err := c.PutEvaluation(t.Context(), e); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
	})
}

// eventually tries until ok: for outcomes that need the database's clock to move.
// The test binary's own deadline is the bound.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for !ok() {
		if err := t.Context().Err(); err != nil {
			t.Fatalf("waiting until %s: %v", what, err)
		}
	}
}
