package segments

import (
	"context"
	"time"
)

// turn is a lock that nobody waits for any longer than they want to.
type turn chan struct{}

// take waits for the turn; the error is that of ctx.
func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// try takes the turn if it is free.
func (t turn) try() bool {
	select {
	case t <- struct{}{}:
		return true
	default:
		return false
	}
}

func (t turn) give() { <-t }

// retry is when something that failed is tried again.
type retry struct {
	at   time.Time
	wait time.Duration
}

// longestRetry bounds the wait between two tries.
const longestRetry = time.Hour

// after is the retry behind a failure at now: twice as late as the one before.
func (r retry) after(now time.Time) retry {
	r.wait = min(longestRetry, max(rest, 2*r.wait))
	r.at = now.Add(r.wait)
	return r
}
