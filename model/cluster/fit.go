package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
)

// Dim describes one dimension of a behaviour vector.
type Dim struct {
	Name string
	Log  bool // counted or spent: scale ln(1 + x)
}

// Fit scales raw rows, finds clusters and numbers them: after old's where old is not
// nil, otherwise from 1 by falling size. x is row-major with one value a dimension,
// NaN where missing, and is not changed. What Find chose is returned
// too. progress counts values of k, or starts.
//
// The error is ErrTooFewRows when the rows hold too few distinct points, cfg's,
// ctx's, or names a dimension without a name or with one that occurs twice.
func Fit(ctx context.Context, x []float64, dims []Dim, cfg Config, old *Model, progress func(done, total int)) (*Model, *Choice, error) {
	if err := cfg.Validate(); err != nil {
		return nil, nil, err
	}
	m := &Model{}
	var log []bool
	for i, d := range dims {
		if d.Name == "" || slices.Contains(m.Names, d.Name) {
			return nil, nil, fmt.Errorf("fit clusters: dimension %d: name %q is empty or occurs twice", i, d.Name)
		}
		m.Names, log = append(m.Names, d.Name), append(log, d.Log)
	}
	if len(dims) == 0 {
		return nil, nil, errors.New("fit clusters: no dimensions")
	}
	scaler, err := FitScaler(x, log)
	if err != nil {
		return nil, nil, err
	}
	m.Scaler = scaler
	z := make([]float64, len(x))
	scaler.Transform(z, x)

	r, choice, err := Find(ctx, z, len(dims), cfg, progress)
	if err != nil {
		return nil, nil, fmt.Errorf("fit clusters: %w", err)
	}
	if m.Silhouette, err = r.silhouette(ctx, z, len(dims), cfg); err != nil {
		return nil, nil, fmt.Errorf("fit clusters: %w", err)
	}
	m.Rows, m.Inertia = int64(len(r.Labels)), r.Inertia
	m.Centroids, m.Sizes = r.Centroids, r.Sizes
	m.learn(r, z, len(dims))
	m.Numbers = bySize(r.Sizes)
	m.Next = int32(r.K) + 1
	m = m.renumbered(m.Numbers, m.Next)
	if old != nil {
		m = Match(old, m)
	}
	return m, choice, nil
}

// learn takes over what the method assigns by.
func (m *Model) learn(r *Result, z []float64, dims int) {
	m.Method = KMeansMethod
	switch {
	case r.Mixture != nil:
		m.Method, m.Weights, m.Factors = MixtureMethod, r.Mixture.Weights, r.Mixture.Factors
		m.settle()
	case r.Density != nil:
		m.Method, m.Radius = DBSCANMethod, r.Density.Radius
		var cores []float64
		var of []int32
		for i, core := range r.Density.Core {
			if core {
				cores, of = append(cores, z[i*dims:(i+1)*dims]...), append(of, r.Labels[i])
			}
		}
		tree, order := newTree(cores, dims)
		m.Cores, m.CoreOf = tree, make([]int32, len(of))
		for i, at := range order {
			m.CoreOf[i] = of[at]
		}
	}
}

// bySize numbers clusters from 1 by falling size, equal ones in order.
func bySize(sizes []int64) []int32 {
	order := make([]int, len(sizes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sizes[b], sizes[a]) })
	numbers := make([]int32, len(sizes))
	for rank, c := range order {
		numbers[c] = int32(rank) + 1
	}
	return numbers
}
