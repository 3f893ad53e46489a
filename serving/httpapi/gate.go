package httpapi

import (
	"context"
	"net/http"
	"sync/atomic"
)

// gate bounds how many lists are made at the same time, Config.MaxAnswers: those above
// it would only make the others later. They are told when to come again.
type gate struct {
	max int64
	now atomic.Int64
}

// enter reports whether there is room; then leave has to follow.
func (g *gate) enter() bool {
	if g.now.Add(1) > g.max {
		g.now.Add(-1)
		return false
	}
	return true
}

func (g *gate) leave() { g.now.Add(-1) }

// gated is a handler that runs where the gate has room. The body was read before and the
// answer is written after it, so that who sends or reads slowly takes no room.
func gated[I, O any](a *api, handler func(context.Context, *I) (*O, error)) func(context.Context, *I) (*O, error) {
	return func(ctx context.Context, in *I) (*O, error) {
		if !a.gate.enter() {
			return nil, a.later(http.StatusTooManyRequests, "as many lists are being made as the server makes at the same time; try again later")
		}
		defer a.gate.leave()
		return handler(ctx, in)
	}
}
