package retrieve

import (
	"math"

	"kindred/model/kernel"
)

// Order is the order in which an index's rows stand.
type Order int

// AutoOrder chooses by the norms. ByNorm has the longest rows first: a search stops when the rest is too
// short. Clustered has rows of like direction together: where all norms are alike nothing
// is too short, but what is known of a cluster's centre need not be bounded.
const (
	AutoOrder Order = iota
	ByNorm
	Clustered
)

const (
	// alike is the least ratio of the norms of the shortest tenth to those of the longest tenth of the rows for
	// which AutoOrder is Clustered.
	alike = 0.7
	// clusterRows is how many rows a cluster should have, fewestClusters and mostClusters bound the number of
	// clusters. Finding a row's cluster costs O(f) for each.
	clusterRows                  = 800
	fewestClusters, mostClusters = 2, 512
	// lloyd is the number of iterations over the sample.
	lloyd = 6
)

// inClusters reports whether rows with these keys, which rise with falling norm, are to stand in clusters.
func inClusters(keys []uint64, order Order) bool {
	n := len(keys)
	if order != AutoOrder || n == 0 {
		return order == Clustered && n > 0
	}
	size := func(i int) float32 { return math.Float32frombits(^uint32(keys[i] >> 32)) }
	return size(n-1-n/10) >= alike*size(n/10)
}

// clusters are the centres of a k-means clustering of directions.
type clusters struct {
	f       int
	centres []float32 // k × f
	half    []float32 // ‖c‖²/2
}

// newClusters clusters sample, rows of norm 1, by Lloyd's iteration from rows evenly chosen of it. It gives the
// same centres for any number of workers; nil where there are too few rows.
func newClusters(sample []float32, f, rows, workers int) *clusters {
	n := len(sample) / f
	k := min((rows+clusterRows/2)/clusterRows, mostClusters, n/4)
	if k < fewestClusters {
		return nil
	}
	c := &clusters{f: f, centres: make([]float32, k*f), half: make([]float32, k)}
	for i := range k {
		copy(c.centres[i*f:(i+1)*f], sample[i*n/k*f:])
	}
	labels, counts := make([]int32, n), make([]float32, k)
	for range lloyd {
		c.halve()
		split(n, max(1, n/256), workers, func(from, to int) {
			products := make([]float32, k)
			for i := from; i < to; i++ {
				labels[i] = c.nearest(sample[i*f:(i+1)*f], 1, products)
			}
		})
		clear(counts)
		for _, l := range labels {
			counts[l]++
		}
		for l, m := range counts {
			if m > 0 { // an empty cluster keeps its centre
				clear(c.centres[l*f : (l+1)*f])
			}
		}
		for i, l := range labels {
			kernel.Axpy(1/counts[l], sample[i*f:(i+1)*f], c.centres[int(l)*f:(int(l)+1)*f])
		}
	}
	c.halve()
	return c
}

func (c *clusters) halve() {
	for i := range c.half {
		v := c.centres[i*c.f : (i+1)*c.f]
		c.half[i] = kernel.Dot(v, v) / 2
	}
}

// nearest is the centre next to the direction of x, a vector of the given norm. products is
// room for a number for each centre.
func (c *clusters) nearest(x []float32, size float64, products []float32) int32 {
	kernel.Gemv(products, c.centres, x)
	best, highest := int32(0), float32(math.Inf(-1))
	for i, p := range products {
		if p -= float32(size) * c.half[i]; p > highest {
			best, highest = int32(i), p
		}
	}
	return best
}

// assign gives every row the number of its cluster.
func (c *clusters) assign(vectors []float32, workers int) []int32 {
	labels := make([]int32, len(vectors)/c.f)
	split(len(labels), max(1, len(labels)/256), workers, func(from, to int) {
		products := make([]float32, len(c.half))
		for row := from; row < to; row++ {
			x := vectors[row*c.f : (row+1)*c.f]
			labels[row] = c.nearest(x, norm(x), products)
		}
	})
	return labels
}

// gather returns order sorted by label, rows of one label as they stood, and the labels in this
// order.
func gather(order, labels []int32) (sorted, of []int32) {
	most := int32(0)
	for _, l := range labels {
		most = max(most, l)
	}
	at := make([]int, most+2)
	for _, l := range labels {
		at[l+1]++
	}
	for l := range most {
		at[l+1] += at[l]
	}
	sorted, of = make([]int32, len(order)), make([]int32, len(order))
	for _, row := range order {
		l := labels[row]
		sorted[at[l]], of[at[l]] = row, l
		at[l]++
	}
	return sorted, of
}
