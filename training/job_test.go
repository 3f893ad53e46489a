package training

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"kindred/data"
)

func TestARunningJobBeatsAndTellsItsStage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &shelf{}
		tr, err := track(t.Context(), s, "train-1", func(string, int, int) {})
		if err != nil {
			t.Fatal(err)
		}
		tr.progress("fit als", 6, 12)
		time.Sleep(10 * heartbeat)
		synctest.Wait()
		j := s.job(t)
		if s.updates != 10 || j.State != data.JobRunning || j.Stage != "fit als" || math.Abs(j.Progress-.45) > 1e-9 {
			t.Errorf("%d heartbeats of %+v, want 10 of a running job, half through fit als", s.updates, j)
		}
		tr.progress("read interactions", 0, 1) // an earlier stage again takes nothing back
		if got := tr.now().Progress; math.Abs(got-.45) > 1e-9 {
			t.Errorf("progress fell to %v", got)
		}
		if err := tr.finish(t.Context(), &Outcome{Version: "m-1"}, nil); err != nil {
			t.Fatal(err)
		}
		if j := s.job(t); j.State != data.JobDone || j.Progress != 1 || j.Model != "m-1" {
			t.Errorf("job %+v, want done with its model", j)
		}
	})
}

func TestAJobEndsAsItsErrorSaysAlsoWhenStopped(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{nil, data.JobDone},
		{fmt.Errorf("train: %w: below popularity", ErrRefused), data.JobRefused},
		{fmt.Errorf("train: %w", ErrNothingNew), data.JobDone},
		{fmt.Errorf("train: %w", ErrTooLittle), data.JobFailed},
		{errors.New("disk on fire"), data.JobFailed},
	} {
		s := &shelf{}
		ctx, cancel := context.WithCancel(t.Context())
		tr, err := track(ctx, s, "train-1", func(string, int, int) {})
		if err != nil {
			t.Fatal(err)
		}
		cancel()
		if got := tr.finish(ctx, &Outcome{}, tc.err); !errors.Is(got, tc.err) {
			t.Errorf("finish = %v, want %v", got, tc.err)
		}
		if j := s.job(t); j.State != tc.want || tc.err != nil && j.Message != tc.err.Error() {
			t.Errorf("%v: job %+v, want %s and the error's words", tc.err, j, tc.want)
		}
	}
}

func TestAJobOfAnotherStateIsSaid(t *testing.T) {
	s := &shelf{}
	tr, err := track(t.Context(), s, "train-1", func(string, int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	s.jobs[0].State = data.JobAbandoned // by a run that took the lease over
	if err := tr.finish(t.Context(), &Outcome{}, nil); !errors.Is(err, data.ErrConflict) {
		t.Errorf("finish = %v, want data.ErrConflict", err)
	}
}

func TestTheStagesMakeAWholeRun(t *testing.T) {
	sum := 0.0
	for _, s := range stageShare {
		base, share := stageAt(s.prefix + " something")
		if math.Abs(base-sum) > 1e-9 || share != s.share {
			t.Errorf("%s begins at %v with %v, want %v with %v", s.prefix, base, share, sum, s.share)
		}
		sum += s.share
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("the stages sum to %v", sum)
	}
}
