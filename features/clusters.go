package features

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"kindred/data"
	"kindred/model/cluster"
)

// BehaviourCluster is the name of the clusterer over Vector.
const BehaviourCluster = "behaviour"

// assign puts the person into a cluster of the live model, if it has one. They
// change only for a centroid that is nearer by the configured margin; the
// assignment is stamped with the version that made it.
func (f *fold) assign(p *data.Profile) error {
	m, err := f.m.liveClusterer(f.ctx)
	if err != nil || m == nil {
		return err
	}
	i, found := slices.BinarySearchFunc(p.Clusters, BehaviourCluster, func(a data.Assignment, name string) int { return cmp.Compare(a.Model, name) })
	if !found {
		p.Clusters = slices.Insert(p.Clusters, i, data.Assignment{Model: BehaviourCluster, Cluster: cluster.None})
	}
	now := &p.Clusters[i]
	old := now.Cluster
	a := m.Assign(vector(*p, f.now, f.b.slots), old, f.b.cfg.ClusterMargin)
	now.Version, now.Cluster, now.Distance, now.Confidence = f.m.State.Models, a.Cluster, a.Distance, a.Confidence
	if a.Cluster == old {
		return nil
	}
	now.Since = f.now
	c := data.Change{Profile: p.ID, Type: "cluster_changed", To: strconv.Itoa(int(a.Cluster)), Model: f.m.State.Models}
	if old != cluster.None {
		c.From = strconv.Itoa(int(old))
	}
	f.change(c, f.now)
	return nil
}

// liveClusterer is the clusterer of the live model version, loaded once a version.
// A clusterer over other dimensions than this build's is none.
func (m *Memory) liveClusterer(ctx context.Context) (*cluster.Model, error) {
	if m.State.Models == "" || m.clusterers == nil {
		return nil, nil
	}
	if m.clusterOf == m.State.Models {
		return m.clusterer, nil
	}
	found, err := m.clusterers(ctx, m.State.Models)
	if err != nil && !errors.Is(err, data.ErrNotFound) { // a version that is gone has none
		return nil, fmt.Errorf("load clusters of model %s: %w", m.State.Models, err)
	}
	if found != nil && !slices.Equal(found.Names, VectorNames()) {
		found = nil
	}
	m.clusterer, m.clusterOf = found, m.State.Models
	return found, nil
}
