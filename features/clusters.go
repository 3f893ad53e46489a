package features

import (
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
	now := assignment(*p, m, f.m.State.Models, f.now, f.b.cfg.ClusterMargin, f.b.slots)
	old := cluster.None
	if i, found := findAssignment(*p); found {
		old, p.Clusters[i] = p.Clusters[i].Cluster, now
	} else {
		p.Clusters = slices.Insert(p.Clusters, i, now)
	}
	if now.Cluster == old {
		return nil
	}
	c := data.Change{Profile: p.ID, Type: "cluster_changed", To: strconv.Itoa(int(now.Cluster)), Model: f.m.State.Models}
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
