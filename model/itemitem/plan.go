package itemitem

import (
	"cmp"
	"context"
	"math"
	"slices"

	"kindred/model/rank"
)

// plan divides the items into groups of targets and says what each group's support is.
type plan struct {
	size    int     // of a support
	popular []int32 // all items, the most used first
	near    [][]rank.Ranked
	groups  [][]int32 // rising
	in      []bool    // memory
}

// groupShare of a support are the targets themselves. Smaller groups explain more, at a cost in
// proportion to their number; beyond 16 it grows faster than what is gained.
const groupShare = 16

// listLength is how many candidates each target has for its support.
const listLength = 64

// plan finds, for every item, those that explain most of it by themselves, g_ij²/(g_jj + Λ_jj), and
// fills groups along these lists, from the most used item on.
func (e *ease) plan(ctx context.Context, size int) (*plan, error) {
	b := &builder{strengths: e.strengths, own: make([]float64, e.n), other: make([]float64, e.n), keep: listLength}
	for i, s := range e.squares {
		b.own[i], b.other[i] = 1, math.Sqrt(s+e.ridge[i])
	}
	near, err := b.lists(ctx, e.workers)
	if err != nil {
		return nil, err
	}
	p := &plan{size: size, near: near, popular: make([]int32, e.n), in: make([]bool, e.n)}
	for i := range p.popular {
		p.popular[i] = int32(i)
		slices.SortFunc(near[i], rank.Compare)
	}
	slices.SortFunc(p.popular, func(a, b int32) int {
		return cmp.Or(cmp.Compare(e.squares[b], e.squares[a]), cmp.Compare(a, b))
	})
	p.divide(max(1, size/groupShare))
	return p, nil
}

// divide makes the groups, breadth first along the lists; where these end before a group is full, the
// most used item that is left goes on.
func (p *plan) divide(most int) {
	taken := make([]bool, len(p.popular))
	var group, queue []int32
	emit := func() {
		slices.Sort(group)
		p.groups = append(p.groups, group)
		group, queue = nil, queue[:0]
	}
	take := func(i int32) {
		if !taken[i] && len(group) < most {
			taken[i] = true
			group, queue = append(group, i), append(queue, i)
		}
	}
	for _, seed := range p.popular {
		take(seed)
		for len(queue) > 0 && len(group) < most {
			i := queue[0]
			queue = queue[1:]
			for _, other := range p.near[i] {
				take(other.Row)
			}
		}
		if len(group) == most {
			emit()
		}
	}
	if len(group) > 0 {
		emit()
	}
}

// support is the items among which the group's targets are solved, rising: the group, then
// every target's best candidate, every target's second and so on, then the most used items of all.
func (p *plan) support(group []int32) []int32 {
	clear(p.in)
	out := slices.Clone(group)
	add := func(i int32) {
		if !p.in[i] && len(out) < p.size {
			p.in[i] = true
			out = append(out, i)
		}
	}
	for _, i := range group {
		p.in[i] = true
	}
	for turn, more := 0, true; more; turn++ {
		more = false
		for _, i := range group {
			if turn < len(p.near[i]) {
				more = true
				add(p.near[i][turn].Row)
			}
		}
	}
	for _, i := range p.popular {
		add(i)
	}
	slices.Sort(out)
	return out
}
