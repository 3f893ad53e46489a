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

	Method Method // how it assigns; "" is KMeansMethod

	// Of a mixture, in the order of Numbers; Centroids are its means.
	Weights []float64
	Factors []float64 // K × dims × dims: see Mixture
	Offsets []float64 // made of the others: see parameters

	// Of DBSCAN; Centroids are the means of its groups.
	Cores  *Tree   // in scaled space
	CoreOf []int32 // by core: the index of its group in Numbers
	Radius float64
}

// Assignment is the answer of Assign.
type Assignment struct {
	Cluster    int32   // its number
	Distance   float64 // to its centroid, in scaled space; of a mixture Mahalanobis's; of DBSCAN to its nearest core; 0 for an outlier
	Confidence float64 // 0 to 1: 1 − distance / distance to the nearest other centroid, not below 0; of a mixture the posterior; of DBSCAN 1 − distance / radius
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
// NaN. current is the number the person has, or None. A current number that the model does not have
// counts as None. Equal claims go to the lower number.
//
// By k-means it is the nearest centroid, but a person stays where they are
// unless another is nearer by the factor 1 − eps: d(new) < (1 − eps)·d(current). By
// a mixture it is the component of the greatest posterior, unless that of the current one is
// (1 − eps) of it or more. By DBSCAN it is the group of the nearest core within the radius,
// else Outlier; a person stays in a group while a core of it is within radius/(1 − eps) and no other
// group's is nearer by the factor.
//
// Cost is O(K·dims), of a mixture O(K·dims²), of DBSCAN a search for the nearest core. A
// vector of another length panics.
func (m *Model) Assign(x []float64, current int32, eps float64) Assignment {
	return m.AssignIn(nil, x, current, eps)
}

// Scratch is how many values AssignIn works in.
func (m *Model) Scratch() int { return 2*m.Dims() + m.K() }

// AssignIn is Assign that works in scratch and allocates only where that has no room
// for Scratch values; DBSCAN allocates a little all the same.
func (m *Model) AssignIn(scratch, x []float64, current int32, eps float64) Assignment {
	if len(x) != m.Dims() {
		panic(fmt.Sprintf("cluster: assign a vector of %d values: the model has %d dimensions", len(x), m.Dims()))
	}
	if cap(scratch) < m.Scratch() {
		scratch = make([]float64, m.Scratch())
	}
	d := m.Dims()
	z, claims, y := scratch[:d], scratch[d:d+m.K()], scratch[d+m.K():m.Scratch()]
	m.Scaler.Transform(z, x)
	at, had := slices.BinarySearch(m.Numbers, current)
	if !had {
		at = -1
	}
	switch m.Method {
	case MixtureMethod:
		return m.likeliest(z, y, claims, at, eps)
	case DBSCANMethod:
		return m.densest(z, at, eps)
	}
	return m.nearest(z, claims, at, eps)
}

// nearest assigns to the nearest centroid; at is the place of the current one, or −1.
func (m *Model) nearest(z, distances []float64, at int, eps float64) Assignment {
	best := 0
	for c := range distances {
		distances[c] = math.Sqrt(squared(z, m.centroid(c)))
		if distances[c] < distances[best] {
			best = c
		}
	}
	if at >= 0 && !(distances[best] < (1-eps)*distances[at]) {
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

// likeliest assigns to the component of the greatest posterior.
func (m *Model) likeliest(z, y, logs []float64, at int, eps float64) Assignment {
	best := 0
	for c := range logs {
		logs[c] = m.Offsets[c] - m.mahalanobis(c, z, y)/2
		if logs[c] > logs[best] {
			best = c
		}
	}
	if at >= 0 && !(math.Exp(logs[at]-logs[best]) < 1-eps) {
		best = at
	}
	all := 0.0
	for _, l := range logs {
		all += math.Exp(l - logs[best])
	}
	a := Assignment{Cluster: m.Numbers[best], Distance: math.Sqrt(m.mahalanobis(best, z, y))}
	if all >= 1 { // not where x is so far out that no logarithm is finite
		a.Confidence = 1 / all
	}
	return a
}

// mahalanobis is the squared distance of z to the mean of component c, by its covariance.
func (m *Model) mahalanobis(c int, z, y []float64) float64 {
	d := m.Dims()
	mean, factor := m.centroid(c), m.Factors[c*d*d:(c+1)*d*d]
	sum := 0.0
	for i := range d {
		v := z[i] - mean[i]
		row := factor[i*d : i*d+i+1]
		for j, w := range y[:i] {
			v -= row[j] * w
		}
		y[i] = v / row[i]
		sum += y[i] * y[i]
	}
	return sum
}

// densest assigns to the group of the nearest core.
func (m *Model) densest(z []float64, at int, eps float64) Assignment {
	core, d := m.Cores.nearest(z, m.Radius*m.Radius, nil)
	if at >= 0 && (core < 0 || int(m.CoreOf[core]) != at) {
		limit := m.Radius / (1 - eps)
		own, had := m.Cores.nearest(z, limit*limit, func(i int) bool { return int(m.CoreOf[i]) == at })
		if own >= 0 && (core < 0 || !(math.Sqrt(d) < (1-eps)*math.Sqrt(had))) {
			core, d = own, had
		}
	}
	if core < 0 {
		return Assignment{Cluster: Outlier}
	}
	distance := math.Sqrt(d)
	return Assignment{Cluster: m.Numbers[m.CoreOf[core]], Distance: distance, Confidence: confidence(distance, m.Radius)}
}

// settle works out what an assignment by a mixture takes.
func (m *Model) settle() {
	n := m.Dims() * m.Dims()
	m.Offsets = nil
	for c, w := range m.Weights {
		m.Offsets = append(m.Offsets, offset(w, m.Factors[c*n:(c+1)*n], m.Dims()))
	}
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
