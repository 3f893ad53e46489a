package features

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"kindred/data"
	"kindred/features/compact"
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
	version := f.m.State.Models
	now, _ := Assign(*p, m, version, f.now, f.b.cfg.ClusterMargin)
	old := cluster.None
	if i, found := findAssignment(*p); found {
		old, p.Clusters[i] = p.Clusters[i].Cluster, now
	} else {
		p.Clusters = slices.Insert(p.Clusters, i, now)
	}
	f.moved(p.ID, old, now.Cluster)
	return nil
}

// assignInPlace is assign for a compact profile.
func (f *fold) assignInPlace(p *compact.Person) error {
	m, err := f.m.liveClusterer(f.ctx)
	if err != nil || m == nil {
		return err
	}
	people, version := f.m.people, f.m.State.Models
	old, ok := people.Cluster(p, BehaviourCluster)
	if !ok {
		old = data.Assignment{Model: BehaviourCluster, Cluster: cluster.None}
	}
	x := f.m.vectorInPlace(f.b, p, f.now)
	f.m.scratch.assign = slices.Grow(f.m.scratch.assign[:0], m.Scratch())
	now := reassigned(old, m.AssignIn(f.m.scratch.assign, x, old.Cluster, f.b.cfg.ClusterMargin), version, f.now)
	people.SetCluster(p, now)
	if now.Cluster != old.Cluster {
		f.moved(people.ID(f.who), old.Cluster, now.Cluster)
	}
	return nil
}

// moved publishes that the person came from one cluster into another.
func (f *fold) moved(p data.ProfileID, from, to int32) {
	if from == to {
		return
	}
	c := data.Change{Profile: p, Type: "cluster_changed", To: strconv.Itoa(int(to)), Model: f.m.State.Models}
	if from != cluster.None {
		c.From = strconv.Itoa(int(from))
	}
	f.change(c, f.now)
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
