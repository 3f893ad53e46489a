package analytics

import (
	"fmt"
	"slices"
	"time"
)

// Step is one step of a funnel: how many people reached it, what share of those before, and in which
// time half of them did.
type Step struct {
	Event  string        `json:"event"`
	People int           `json:"people"`
	Share  float64       `json:"share"`  // of the step before; 1 for the first
	Median time.Duration `json:"median"` // since the step before
}

// Funnel counts people who did the events in order, all within a time of the first. Of several
// ways through, each person's longest counts, and of those the one that was quickest to its end.
func (h *History) Funnel(events []string, within time.Duration) ([]Step, error) {
	if len(events) < 2 || len(events) > 20 {
		return nil, fmt.Errorf("%d steps; a funnel has 2 to 20", len(events))
	}
	if within <= 0 {
		return nil, fmt.Errorf("within %v; a funnel needs a time", within)
	}
	steps := make([]func(Act) bool, len(events))
	out := make([]Step, len(events))
	for i, name := range events {
		var err error
		if steps[i], err = h.event(fmt.Sprintf("step %d", i+1), name); err != nil {
			return nil, err
		}
		out[i].Event = name
	}
	took := make([][]int64, len(events))
	for i := range h.People {
		way := longest(h.People[i].Acts, steps, within.Milliseconds())
		for k := range way {
			out[k].People++
			if k > 0 {
				took[k] = append(took[k], way[k]-way[k-1])
			}
		}
	}
	for k := range out {
		out[k].Share = 1
		if k > 0 {
			out[k].Share = share(out[k].People, out[k-1].People)
			if n := len(took[k]); n > 0 {
				slices.Sort(took[k])
				out[k].Median = time.Duration(took[k][(n-1)/2]) * time.Millisecond
			}
		}
	}
	return out, nil
}

func share(a, of int) float64 {
	if of == 0 {
		return 0
	}
	return float64(a) / float64(of)
}

// longest is the times of the steps that somebody made.
func longest(acts []Act, steps []func(Act) bool, within int64) (best []int64) {
	for i, a := range acts {
		if !steps[0](a) {
			continue
		}
		way := []int64{a.At}
		for _, b := range acts[i+1:] {
			if b.At > a.At+within || len(way) == len(steps) {
				break
			}
			if b.At > way[len(way)-1] && steps[len(way)](b) {
				way = append(way, b.At)
			}
		}
		if len(way) > len(best) || len(way) == len(best) && way[len(way)-1]-way[0] < best[len(best)-1]-best[0] {
			best = way
		}
	}
	return best
}
