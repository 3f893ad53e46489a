package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"kindred/data"
)

// Replayed is what became of dead letters that were sent again.
type Replayed struct {
	Tried     int    `json:"tried"`
	Delivered int    `json:"delivered"`
	Failed    int    `json:"failed"` // and stay, with the new reason
	Next      uint64 `json:"next"`   // go on from here
	More      bool   `json:"more"`   // there may be more behind
}

// maxLooked is how many dead letters one replay looks at.
const maxLooked = 20_000

// Replay sends dead letters of a webhook again, with their Idempotency-Keys, once each: at most
// limit of those with a number greater than after. The error is data.ErrNotFound for an unknown
// webhook. It stops at what the other side does not answer.
func (d *Dispatcher) Replay(ctx context.Context, name string, after uint64, limit int) (Replayed, error) {
	r := Replayed{Next: after}
	t, err := d.target(name)
	if err != nil {
		return r, err
	}
	for looked := 0; ; {
		letters, err := d.deps.Dead.DeadLetters(ctx, r.Next, 200)
		if err != nil {
			return r, err
		}
		for _, l := range letters {
			if looked++; r.Tried == limit || looked > maxLooked {
				r.More = true
				return r, nil
			}
			if l.Kind == kind && l.Source == name {
				delivered, err := t.again(ctx, l)
				if err != nil {
					return r, err
				}
				if r.Tried++; delivered {
					r.Delivered++
				} else {
					r.Failed++
				}
			}
			r.Next = l.Seq
		}
		if len(letters) < 200 {
			return r, nil
		}
	}
}

// again sends a letter once.
func (t *target) again(ctx context.Context, l data.DeadLetter) (delivered bool, err error) {
	m, err := reread(l.Raw)
	if err == nil {
		if err := t.turn(ctx); err != nil {
			return false, err
		}
		err = t.post(ctx, m)
		<-t.turns
		if ctx.Err() != nil && err != nil {
			return false, ctx.Err()
		}
		t.heard(m, err)
	}
	if err == nil {
		return true, t.deps.Dead.SettleDead(ctx, []uint64{l.Seq}, nil)
	}
	l.Tried, l.Reason = t.deps.Now().UTC(), fmt.Sprintf("webhook %s: tried again: %v", t.cfg.Name, err)
	return false, t.deps.Dead.SettleDead(ctx, nil, []data.DeadLetter{l})
}

// reread makes the message of a dead letter again.
func reread(raw []byte) (*message, error) {
	var b Body
	if err := json.Unmarshal(raw, &b); err != nil || len(b.Changes) == 0 {
		return nil, fmt.Errorf("the letter has no changes")
	}
	m := &message{key: b.Changes[0].ID, body: raw, at: make([]time.Time, len(b.Changes))}
	if n := len(b.Changes); n > 1 {
		m.key += "-" + b.Changes[n-1].ID + "-" + strconv.Itoa(n)
	}
	for i, c := range b.Changes {
		m.at[i] = c.At
	}
	return m, nil
}
