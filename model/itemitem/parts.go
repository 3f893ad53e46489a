package itemitem

import (
	"context"
	"fmt"
	"slices"

	"kindred/model/kernel"
	"kindred/model/rank"
	"kindred/model/sparse"
)

// parts is the lists when the dense inverse does not fit into the memory.
//
// The weights of a target may then be other than zero for some items only, its support,
// and are the best there are on it: the inverse of the support's own matrix gives them in the same
// closed form. Targets are taken in groups of items that share people, which share a
// support and with it an inverse: the group itself and the items that explain most of its
// targets, each by itself. SLIM with feature selection (X. Ning and G. Karypis, ICDM 2011) has
// a support for every target; a group costs one inverse of some thousand items instead of a
// hundred of some hundred, and its targets have the larger supports.
func (e *ease) parts(ctx context.Context) (*sparse.CSR, error) {
	size := e.partSize()
	plan, err := e.plan(ctx, size)
	if err != nil {
		return nil, err
	}
	e.report.Support = size
	e.report.Parts = len(plan.groups)
	p := kernel.NewSymmetric(size)
	lists := make([][]rank.Ranked, e.n)
	quality := e.newSample()
	for at, group := range plan.groups {
		e.progress(e.n*at/len(plan.groups), e.n)
		support := plan.support(group)
		if err := e.part(ctx, p, group, support, lists, quality); err != nil {
			return nil, fmt.Errorf("part %d of %d: %w", at+1, len(plan.groups), err)
		}
	}
	if e.report.Kept, err = quality.kept(ctx, e); err != nil {
		return nil, err
	}
	near := pack(lists)
	if e.cfg.Cut == CutPast {
		near = near.Transpose()
	}
	return near, nil
}

// partSize is the order of the matrices that are inverted.
func (e *ease) partSize() int {
	size := min(e.n, e.cfg.partItems())
	for size > 1 && bytes(size) > e.cfg.memory() {
		size = size * 7 / 8
	}
	return size
}

// part finds the weights of the group's targets among support, both rising.
func (e *ease) part(ctx context.Context, p *kernel.Symmetric, group, support []int32, lists [][]rank.Ranked, quality *sample) error {
	p.Reset(len(support))
	if err := gram(ctx, e.among(support), e.workers, p); err != nil {
		return err
	}
	if err := p.Invert(ctx, e.workers, nil); err != nil {
		return err
	}
	targets := make([]int, len(group)) // their rows in support
	for k, j := range group {
		targets[k], _ = slices.BinarySearch(support, j)
		quality.found(j, e.squares[j]+e.ridge[j]-1/float64(p.At(targets[k], targets[k])))
	}
	if e.cfg.Cut == CutPast {
		return e.pastLists(ctx, p, group, support, targets, lists)
	}
	type scratch struct{ row, sizes []float32 }
	all := make([]scratch, e.workers)
	return parallel(ctx, e.workers, len(group), func(worker, k int) {
		s := &all[worker]
		if s.row == nil {
			s.row, s.sizes = make([]float32, len(support)), make([]float32, len(support))
		}
		at := targets[k]
		p.Rows(at, 1, s.row)
		d := -s.row[at]
		for i := range s.row {
			s.row[i] /= d
		}
		s.row[at] = 0
		lists[group[k]] = largest(s.row, s.sizes, support, e.cfg.Neighbours)
	})
}

// pastLists puts the group's targets into the lists of the past items of support, each
// cut to its largest weights.
func (e *ease) pastLists(ctx context.Context, p *kernel.Symmetric, group, support []int32, targets []int, lists [][]rank.Ranked) error {
	diagonal := make([]float32, len(group))
	for k, at := range targets {
		diagonal[k] = p.At(at, at)
	}
	type scratch struct {
		weights, sizes []float32
		rows           []int32
	}
	all := make([]scratch, e.workers)
	return parallel(ctx, e.workers, len(support), func(worker, i int) {
		s := &all[worker]
		s.weights, s.rows = s.weights[:0], s.rows[:0]
		for _, old := range lists[support[i]] {
			s.weights, s.rows = append(s.weights, old.Score), append(s.rows, old.Row)
		}
		for k, at := range targets {
			if at != i {
				s.weights, s.rows = append(s.weights, -p.At(i, at)/diagonal[k]), append(s.rows, group[k])
			}
		}
		if len(s.sizes) < len(s.weights) {
			s.sizes = make([]float32, 2*len(s.weights))
		}
		lists[support[i]] = largest(s.weights, s.sizes, s.rows, e.cfg.Neighbours)
	})
}

// among is the strengths on some items, rising; row i is the i-th of them.
func (e *ease) among(items []int32) *strengths {
	byItem := &sparse.CSR{Rows: len(items), Cols: e.byItem.Cols, Ptr: make([]int64, len(items)+1)}
	for k, i := range items {
		cols, vals := e.byItem.Row(int(i))
		byItem.Col, byItem.Val = append(byItem.Col, cols...), append(byItem.Val, vals...)
		byItem.Ptr[k+1] = int64(len(byItem.Col))
	}
	ridge := make([]float64, len(items))
	for k, i := range items {
		ridge[k] = e.ridge[i]
	}
	return &strengths{byItem: byItem, byUser: byItem.Transpose(), ridge: ridge}
}

// sample is some targets that the approximation is judged by, spread evenly over all that
// was used, so that an item counts as often as it is used.
type sample struct {
	items     []int32
	explained map[int32]float64 // by the weights on the support
}

func (e *ease) newSample() *sample {
	const size = 16
	s := &sample{explained: map[int32]float64{}}
	step := max(1, int64(e.byItem.NNZ()/size))
	for i := range e.n {
		if e.byItem.Ptr[i]/step != e.byItem.Ptr[i+1]/step {
			s.items = append(s.items, int32(i))
		}
	}
	return s
}

func (s *sample) found(item int32, explained float64) {
	if _, ok := slices.BinarySearch(s.items, item); ok {
		s.explained[item] = explained
	}
}

// kept is the share of what all items explain of the sample that the supports explain.
func (s *sample) kept(ctx context.Context, e *ease) (float64, error) {
	exact := make([]float64, len(s.items))
	err := parallel(ctx, e.workers, len(s.items), func(_, k int) { exact[k] = e.explained(ctx, int(s.items[k])) })
	if err != nil {
		return 0, err
	}
	sum, all := 0.0, 0.0
	for k, j := range s.items {
		sum, all = sum+s.explained[j], all+exact[k]
	}
	if all <= 0 {
		return 1, nil
	}
	return max(0, min(1, sum/all)), nil // within rounding of either
}
