package cluster

import (
	"cmp"
	"math"
	"slices"
)

// Match returns fresh with the numbers of old where both mean the same group.
//
// Old centroids go back to raw units and into fresh's scaled space, over the
// dimensions that both have by name, and are matched one to one at the least total
// distance. A pair is the same group when the distance is within fresh's
// root-mean-square radius, or within half the distance from fresh's centroid to its
// nearest neighbour: nearer to it than to any other group. All other new clusters get numbers from old.Next
// on, in fresh's order. Without a common dimension nothing matches.
func Match(old, fresh *Model) *Model {
	common := commonDims(old, fresh)
	numbers := make([]int32, fresh.K())
	if len(common) > 0 {
		cost, limit := distances(old, fresh, common)
		// More than all acceptable distances together: a match beats any shorter way.
		refused := 1.0
		for _, l := range limit {
			if !math.IsInf(l, 1) {
				refused += l
			}
		}
		for _, row := range cost {
			for j, d := range row {
				if d > limit[j] {
					row[j] += refused
				}
			}
		}
		for i, j := range Hungarian(cost) {
			if j >= 0 && cost[i][j] <= limit[j] {
				numbers[j] = old.Numbers[i]
			}
		}
	}
	next := old.Next
	for j, number := range numbers {
		if number == None {
			numbers[j] = next
			next++
		}
	}
	return fresh.renumbered(numbers, max(next, fresh.Next))
}

// commonDims lists the dimensions of fresh that old has too, as pairs {old, fresh}.
func commonDims(old, fresh *Model) [][2]int {
	var common [][2]int
	for f, name := range fresh.Names {
		if o := slices.Index(old.Names, name); o >= 0 {
			common = append(common, [2]int{o, f})
		}
	}
	return common
}

// distances are those from each old to each new centroid, [old][new], in fresh's
// scaled space over the common dimensions; limit is the largest acceptable one by new cluster.
func distances(old, fresh *Model, common [][2]int) (cost [][]float64, limit []float64) {
	raw, moved := make([]float64, old.Dims()), make([]float64, fresh.Dims())
	for i := range old.K() {
		old.Scaler.Invert(raw, old.centroid(i))
		for d := range moved {
			moved[d] = math.NaN()
		}
		for _, d := range common {
			moved[d[1]] = raw[d[0]]
		}
		fresh.Scaler.Transform(moved, moved)
		row := make([]float64, fresh.K())
		for j := range row {
			row[j] = over(common, moved, fresh.centroid(j))
		}
		cost = append(cost, row)
	}
	radius := math.Sqrt(fresh.Inertia / float64(max(1, fresh.Rows)))
	for j := range fresh.K() {
		nearest := math.Inf(1)
		for other := range fresh.K() {
			if other != j {
				nearest = min(nearest, over(common, fresh.centroid(other), fresh.centroid(j)))
			}
		}
		limit = append(limit, max(radius, nearest/2))
	}
	return cost, limit
}

// over is the distance of a and b, both in fresh's space, over the common dimensions.
func over(common [][2]int, a, b []float64) float64 {
	sum := 0.0
	for _, d := range common {
		diff := a[d[1]] - b[d[1]]
		sum += diff * diff
	}
	return math.Sqrt(sum)
}

// renumbered is a copy of m with the given number for each cluster, sorted by number.
func (m *Model) renumbered(numbers []int32, next int32) *Model {
	order := make([]int, len(numbers))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(numbers[a], numbers[b]) })
	r := *m
	r.Numbers, r.Sizes, r.Centroids, r.Next = nil, nil, nil, next
	for _, i := range order {
		r.Numbers = append(r.Numbers, numbers[i])
		r.Sizes = append(r.Sizes, m.Sizes[i])
		r.Centroids = append(r.Centroids, m.centroid(i)...)
	}
	m.reorder(&r, order)
	return &r
}

// reorder gives r, which has m's clusters in another order, what m assigns by.
func (m *Model) reorder(r *Model, order []int) {
	switch m.Method {
	case MixtureMethod:
		n := m.Dims() * m.Dims()
		r.Weights, r.Factors = nil, nil
		for _, i := range order {
			r.Weights = append(r.Weights, m.Weights[i])
			r.Factors = append(r.Factors, m.Factors[i*n:(i+1)*n]...)
		}
		r.settle()
	case DBSCANMethod:
		place := make([]int32, len(order))
		for at, i := range order {
			place[i] = int32(at)
		}
		r.CoreOf = make([]int32, len(m.CoreOf))
		for i, c := range m.CoreOf {
			r.CoreOf[i] = place[c]
		}
	}
}
