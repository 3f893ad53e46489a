package cluster

import (
	"fmt"
	"math"
	"slices"
)

// None is the number of no cluster: what a person has before the first assignment.
const None int32 = 0

// DefaultHysteresis is the ε of Assign: a new cluster must be 10 % nearer than the
// current one before a person moves.
const DefaultHysteresis = 0.1

// Model assigns vectors to numbered clusters. It is immutable and safe for
// concurrent use; all slices are read-only.
type Model struct {
	Names      []string  // names of the dimensions, in vector order
	Scaler     *Scaler   // of the training rows
	Centroids  []float64 // K × dims in scaled space, by rising number
	Numbers    []int32   // the cluster numbers, rising, from 1
	Sizes      []int64   // training rows in each cluster
	Next       int32     // the least number never used
	Rows       int64     // training rows
	Inertia    float64   // sum of squared distances of the training rows to their centroids
	Silhouette float64   // mean silhouette, sampled on large data; 0 when not measured
}

// Assignment is the answer of Assign.
type Assignment struct {
	Cluster    int32   // its number
	Distance   float64 // to its centroid, in scaled space
	Confidence float64 // 0 to 1: 1 − distance / distance to the nearest other centroid, not below 0
}

// K is the number of clusters.
func (m *Model) K() int { return len(m.Numbers) }

// Dims is the number of dimensions of a vector.
func (m *Model) Dims() int { return len(m.Names) }

// Has reports whether number is one of the model's clusters.
func (m *Model) Has(number int32) bool {
	_, ok := slices.BinarySearch(m.Numbers, number)
	return ok
}

// Assign finds the cluster of x, an unscaled vector of Dims values; missing ones are
// NaN. current is the number the person has, or None. A person stays where they are
// unless another centroid is nearer by the factor 1 − eps:
// d(new) < (1 − eps)·d(current). A current number that the model does not have
// counts as None. Equal distances go to the lower number. Cost is O(K·dims); a
// vector of another length panics.
func (m *Model) Assign(x []float64, current int32, eps float64) Assignment {
	return m.AssignIn(nil, x, current, eps)
}

// AssignIn is Assign that works in scratch and allocates only where that has no room
// for dims + K values.
func (m *Model) AssignIn(scratch, x []float64, current int32, eps float64) Assignment {
	if len(x) != m.Dims() {
		panic(fmt.Sprintf("cluster: assign a vector of %d values: the model has %d dimensions", len(x), m.Dims()))
	}
	if need := m.Dims() + m.K(); cap(scratch) < need {
		scratch = make([]float64, need)
	}
	z, distances := scratch[:m.Dims()], scratch[m.Dims():m.Dims()+m.K()]
	m.Scaler.Transform(z, x)

	best := 0
	for c := range distances {
		distances[c] = math.Sqrt(squared(z, m.centroid(c)))
		if distances[c] < distances[best] {
			best = c
		}
	}
	if at, ok := slices.BinarySearch(m.Numbers, current); ok && !(distances[best] < (1-eps)*distances[at]) {
		best = at
	}
	other := math.Inf(1)
	for c, d := range distances {
		if c != best {
			other = min(other, d)
		}
	}
	return Assignment{Cluster: m.Numbers[best], Distance: distances[best], Confidence: confidence(distances[best], other)}
}

// confidence is 1 − d/other, within [0, 1]; two centroids in one place give 0.
func confidence(d, other float64) float64 {
	if !(d < other) {
		return 0
	}
	return 1 - d/other
}

// Centroid writes into dst the mean of a cluster in raw units (geometric mean of
// log dimensions); false when the model has no such number.
func (m *Model) Centroid(number int32, dst []float64) bool {
	c, ok := slices.BinarySearch(m.Numbers, number)
	if ok {
		m.Scaler.Invert(dst, m.centroid(c))
	}
	return ok
}

// centroid is the c-th centroid in scaled space, not copied.
func (m *Model) centroid(c int) []float64 {
	dims := m.Dims()
	return m.Centroids[c*dims : (c+1)*dims]
}

// squared is the squared Euclidean distance of a and b.
func squared(a, b []float64) float64 {
	b = b[:len(a)]
	sum := 0.0
	for i, v := range a {
		d := v - b[i]
		sum += d * d
	}
	return sum
}
