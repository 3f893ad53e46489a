package segments

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestWhoWaitsForATurnCanGiveUp(t *testing.T) {
	turn := make(turn, 1)
	if !turn.try() || turn.try() {
		t.Fatal("the turn is not one's alone")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := turn.take(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("take = %v, want the context's end", err)
	}
	turn.give()
	if err := turn.take(t.Context()); err != nil {
		t.Errorf("take = %v", err)
	}
}

// TestTasksAreDoneAlsoAtTheEnd leaves tasks while Run is busy with something else.
func TestTasksAreDoneAlsoAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Config{}, Deps{})
		ctx, cancel := context.WithCancel(t.Context())
		done := 0
		go s.work(ctx)
		s.tasks <- func(context.Context) { done++ }
		synctest.Wait()
		if done != 1 {
			t.Fatal("a task was not done at once")
		}
		cancel()
		synctest.Wait()
		s.tasks <- func(context.Context) { done++ } // nobody takes it any more, and nobody is stuck
	})
}

func TestRetriesComeLaterAndLater(t *testing.T) {
	now := time.Unix(0, 0)
	r := retry{}.after(now)
	if r.at != now.Add(rest) {
		t.Errorf("the first retry is at %v, want after %v", r.at, rest)
	}
	for range 20 {
		r = r.after(now)
	}
	if r.wait != longestRetry {
		t.Errorf("the wait is %v, want %v", r.wait, longestRetry)
	}
}
