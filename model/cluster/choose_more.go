package cluster

import (
	"context"
	"fmt"
	"math"
)

// mixed is FitMixture as a Result.
func mixed(ctx context.Context, x []float64, dims int, cfg Config, progress func(done, total int)) (*Result, error) {
	m, err := FitMixture(ctx, x, dims, cfg, progress)
	if err != nil {
		return nil, err
	}
	r := &Result{K: m.K, Centroids: m.Means, Labels: m.Labels, Sizes: m.Sizes, Iterations: m.Iterations, Mixture: m}
	r.Inertia = around(x, dims, r)
	return r, nil
}

// dense is DBSCAN as a Result, with the means of the groups as centroids. The error is
// ErrTooFewRows when there is no group.
func dense(ctx context.Context, x []float64, dims int, cfg Config) (*Result, error) {
	d, err := DBSCAN(ctx, x, dims, cfg)
	if err != nil {
		return nil, err
	}
	if d.K == 0 {
		return nil, fmt.Errorf("no %d of %d rows are within %.3g of each other: %w", cfg.MinPoints, len(d.Labels), cfg.Radius, ErrTooFewRows)
	}
	r := &Result{K: d.K, Centroids: make([]float64, d.K*dims), Labels: d.Labels, Sizes: d.Sizes, Density: d}
	for i, c := range d.Labels {
		if c == Outlier {
			continue
		}
		for j := range dims {
			r.Centroids[int(c)*dims+j] += x[i*dims+j] / float64(d.Sizes[c])
		}
	}
	r.Inertia = around(x, dims, r)
	return r, nil
}

// around is the inertia about the centroids of the rows' own clusters.
func around(x []float64, dims int, r *Result) float64 {
	sum := 0.0
	for i, c := range r.Labels {
		if c != Outlier {
			sum += squared(x[i*dims:(i+1)*dims], r.Centroids[int(c)*dims:(int(c)+1)*dims])
		}
	}
	return sum
}

// chooseMixture fits mixtures of MinK to MaxK components and takes the one of the lowest BIC.
func chooseMixture(ctx context.Context, x []float64, dims int, cfg Config, progress func(done, total int)) (*Choice, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Choice{Method: MixtureMethod}
	for k := cfg.MinK; k <= cfg.MaxK && (dims < 1 || k <= len(x)/dims); k++ {
		cfg.K = k
		r, err := mixed(ctx, x, dims, cfg, nil)
		if err != nil {
			return nil, err
		}
		if r.K < k {
			break
		}
		s, err := Silhouette(ctx, x, dims, r.Labels, r.K, cfg)
		if err != nil {
			return nil, err
		}
		c.K, c.Inertia, c.Silhouette = append(c.K, k), append(c.Inertia, r.Inertia), append(c.Silhouette, s)
		c.LogLikelihood, c.BIC = append(c.LogLikelihood, r.Mixture.LogLikelihood), append(c.BIC, r.Mixture.BIC)
		if at := len(c.K) - 1; c.Result == nil || r.Mixture.BIC < c.BIC[c.At] {
			c.At, c.Best, c.Result = at, k, r
		}
		if progress != nil {
			progress(k-cfg.MinK+1, cfg.MaxK-cfg.MinK+1)
		}
	}
	if len(c.K) == 0 {
		return nil, fmt.Errorf("choose k from %d to %d on %d rows: %w", cfg.MinK, cfg.MaxK, len(x)/max(1, dims), ErrTooFewRows)
	}
	c.Elbow = c.K[elbow(c.K, c.Inertia)]
	return c, nil
}

// radii are the shares of rows whose neighbourhood a radius must reach to be tried.
var radii = [...]float64{.5, .6, .7, .8, .85, .9, .95, .98}

// reachRows bounds the rows that the reach is measured on.
const reachRows = 4000

// chooseRadius runs DBSCAN with radii from the curve of distances to the MinPoints-th neighbour
// and takes the one of the highest silhouette, times the share of rows that are in a
// group: else one tight group and a thousand outliers would win.
func chooseRadius(ctx context.Context, x []float64, dims int, cfg Config, progress func(done, total int)) (*Choice, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	r, err := finiteRows(x, dims, cfg.Workers)
	if err != nil {
		return nil, err
	}
	if r.n < cfg.MinPoints {
		return nil, fmt.Errorf("choose a radius on %d rows: %w", r.n, ErrTooFewRows)
	}
	reach, err := r.reach(ctx, cfg.MinPoints, reachRows)
	if err != nil {
		return nil, err
	}
	c := &Choice{Method: DBSCANMethod}
	for percent := range 101 {
		c.Reach = append(c.Reach, reach[percent*(len(reach)-1)/100])
	}
	best := math.Inf(-1)
	for i, share := range radii {
		cfg.Radius = reach[int(share*float64(len(reach)-1))]
		if !(cfg.Radius > 0) || len(c.Radius) > 0 && cfg.Radius == c.Radius[len(c.Radius)-1] {
			continue
		}
		found, err := dense(ctx, x, dims, cfg)
		if err != nil {
			return nil, err
		}
		s, err := found.silhouette(ctx, x, dims, cfg)
		if err != nil {
			return nil, err
		}
		c.K, c.Inertia, c.Silhouette = append(c.K, found.K), append(c.Inertia, found.Inertia), append(c.Silhouette, s)
		c.Radius, c.Outliers = append(c.Radius, cfg.Radius), append(c.Outliers, found.Density.Outliers)
		if worth := s * float64(int64(r.n)-found.Density.Outliers); worth > best {
			best = worth
			c.At, c.Best, c.Elbow, c.Result = len(c.K)-1, found.K, found.K, found
		}
		if progress != nil {
			progress(i+1, len(radii))
		}
	}
	if c.Result == nil {
		return nil, fmt.Errorf("choose a radius: the rows hold fewer distinct points than neighbours: %w", ErrTooFewRows)
	}
	return c, nil
}

// silhouette is that of the rows that are in a cluster.
func (r *Result) silhouette(ctx context.Context, x []float64, dims int, cfg Config) (float64, error) {
	labels := r.Labels
	if r.Density != nil && r.Density.Outliers > 0 {
		var in []float64
		labels = nil
		for i, c := range r.Labels {
			if c != Outlier {
				in, labels = append(in, x[i*dims:(i+1)*dims]...), append(labels, c)
			}
		}
		x = in
	}
	return Silhouette(ctx, x, dims, labels, r.K, cfg)
}
