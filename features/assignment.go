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
	old := data.Assignment{Model: BehaviourCluster, Cluster: cluster.None}
	if i, found := findAssignment(p); found {
		old = p.Clusters[i]
	}
	return reassigned(old, m.Assign(Vector(p, now), old.Cluster, margin), version, now), true
}

// reassigned is the assignment that follows old where the model, of the given
// version, says a.
func reassigned(old data.Assignment, a cluster.Assignment, version string, now int64) data.Assignment {
	if a.Cluster != old.Cluster {
		old.Since = now
	}
	old.Version, old.Cluster, old.Distance, old.Confidence = version, a.Cluster, a.Distance, a.Confidence
	return old
}

// findAssignment is where p holds its assignment, or would.
func findAssignment(p data.Profile) (int, bool) {
	return slices.BinarySearchFunc(p.Clusters, BehaviourCluster, func(a data.Assignment, name string) int { return cmp.Compare(a.Model, name) })
}
