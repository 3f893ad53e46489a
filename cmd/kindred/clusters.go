package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"kindred/data"
	"kindred/data/lake"
	"kindred/model/artifact"
	"kindred/model/cluster"
)

// clusterShelf finds the clusters of model versions in the lake's artifacts and
// keeps the newest few: decoding an artifact takes far longer than a fold may wait,
// and every partition asks for the same ones.
type clusterShelf struct {
	lake *lake.Lake

	mu   sync.Mutex
	kept []shelved // most recently used last
}

// shelved is one version's clusters; nil for a model that has none.
type shelved struct {
	version  string
	clusters *cluster.Model
}

// shelfSize is how many versions are kept: the live one, the former one, and those
// that a replay meets on its way.
const shelfSize = 4

func newClusterShelf(l *lake.Lake) *clusterShelf { return &clusterShelf{lake: l} }

// find returns the version's clusters: nil for a model without any, and for one
// that is gone. It is safe for concurrent use; whoever asks first decodes.
func (s *clusterShelf) find(ctx context.Context, version string) (*cluster.Model, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if i := slices.IndexFunc(s.kept, func(k shelved) bool { return k.version == version }); i >= 0 {
		found := s.kept[i]
		s.kept = append(slices.Delete(s.kept, i, i+1), found)
		return found.clusters, nil
	}
	b, err := s.lake.Artifact(ctx, version)
	if errors.Is(err, data.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	bundle, err := artifact.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("artifact %s: %w", version, err)
	}
	if len(s.kept) == shelfSize {
		s.kept = slices.Delete(s.kept, 0, 1)
	}
	s.kept = append(s.kept, shelved{version, bundle.Cluster})
	return bundle.Cluster, nil
}
