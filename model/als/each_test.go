package als

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

func TestWorkersStopBetweenChunks(t *testing.T) {
	failed := errors.New("failed")
	for name, c := range map[string]struct {
		stop func(cancel func()) error
		want error
	}{
		"cancelled": {func(cancel func()) error { cancel(); return nil }, context.Canceled},
		"an error":  {func(func()) error { return failed }, failed},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			s := sweeper{workers: 1}
			done := 0
			err := s.each(ctx, 5, func(_, i int) error {
				if done++; i == 1 {
					return c.stop(cancel)
				}
				return nil
			})
			if done != 2 || !errors.Is(err, c.want) {
				t.Errorf("%d pieces done, error %v; want 2, %v", done, err, c.want)
			}
		})
	}
}

func TestEveryChunkIsDoneOnce(t *testing.T) {
	for _, workers := range []int{1, 3, 100} {
		s := sweeper{workers: workers}
		times := make([]atomic.Int32, 50)
		if err := s.each(t.Context(), len(times), func(_, i int) error {
			times[i].Add(1)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for i := range times {
			if n := times[i].Load(); n != 1 {
				t.Errorf("%d workers: piece %d was done %d times", workers, i, n)
			}
		}
	}
}
