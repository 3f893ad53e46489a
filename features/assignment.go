package features

import (
	"cmp"
	"slices"

	"kindred/data"
	"kindred/model/cluster"
)

// Assign is the person's cluster by m, which belongs to the given model version, at
// now (Unix ms): what the fold would store at their next event. They leave the
// cluster that p holds only for a centroid that is nearer by the margin ε
// (Config.ClusterMargin); Since is when they came into theirs. It is false where m is
// nil or clusters by other dimensions than this build's. p is not changed.
func Assign(p data.Profile, m *cluster.Model, version string, now int64, margin float64) (data.Assignment, bool) {
	if m == nil || !slices.Equal(m.Names, VectorNames()) {
		return data.Assignment{}, false
	}
	return assignment(p, m, version, now, margin, builtinSlots()), true
}

// assignment is Assign by a model that is known to fit.
func assignment(p data.Profile, m *cluster.Model, version string, now int64, margin float64, slots []slot) data.Assignment {
	out := data.Assignment{Model: BehaviourCluster, Cluster: cluster.None}
	if i, found := findAssignment(p); found {
		out = p.Clusters[i]
	}
	a := m.Assign(vector(p, now, slots), out.Cluster, margin)
	if a.Cluster != out.Cluster {
		out.Since = now
	}
	out.Version, out.Cluster, out.Distance, out.Confidence = version, a.Cluster, a.Distance, a.Confidence
	return out
}

// findAssignment is where p holds its assignment, or would.
func findAssignment(p data.Profile) (int, bool) {
	return slices.BinarySearchFunc(p.Clusters, BehaviourCluster, func(a data.Assignment, name string) int { return cmp.Compare(a.Model, name) })
}
