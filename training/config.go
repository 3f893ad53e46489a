package training

import (
	"fmt"
	"slices"
	"strings"

	"kindred/features"
	"kindred/model/als"
	"kindred/model/cluster"
	"kindred/model/content"
	"kindred/model/hybrid"
	"kindred/model/itemitem"
	"kindred/model/popular"
)

// The names of the components, in blending order, and of their blend.
const (
	ALS      = "als"
	ItemItem = "itemitem"
	Content  = "content"
	Popular  = "popular"
	Hybrid   = "hybrid"
)

// ComponentNames are all components that a blend can be made of.
func ComponentNames() []string { return []string{ALS, ItemItem, Content, Popular} }

// ModelNames are all rows that an evaluation can have, in the order of the table.
func ModelNames() []string { return append(ComponentNames(), Hybrid) }

// Config is what a training run can be told.
type Config struct {
	// Weights of the kinds of interaction; Weights.RatingMin is the rating from
	// which something counts as liked. A server's are those of its features: a
	// preference means the same folded, learned and served.
	Weights features.Weights `yaml:"weights"`
	// Binary makes every preference count 1, however strong it is.
	Binary bool `yaml:"binary"`
	// Components are the parts of the blend.
	Components []string `yaml:"components"`
	// ALS's seed is the run's.
	ALS      als.Config      `yaml:"als"`
	ItemItem itemitem.Config `yaml:"itemitem"`
	Content  content.Config  `yaml:"content"`
	Popular  popular.Config  `yaml:"popular"`
	// Blend says how the weights of the hybrid are learned. Its seed and workers are the run's.
	Blend   hybrid.Config `yaml:"hybrid"`
	Cluster ClusterConfig `yaml:"cluster"`
	Split   SplitConfig   `yaml:"split"`
	Gate    GateConfig    `yaml:"gate"`
	// KeepModels is how many refused models keep their artifacts, the newest. Those
	// that ever served keep theirs for good.
	KeepModels int `yaml:"keep_models"`
	// MinInteractions is the least number of liked interactions worth a model.
	MinInteractions int    `yaml:"min_interactions"`
	Seed            uint64 `yaml:"seed"`
	// Workers is the number of goroutines that fit and judge; 0 is one a processor.
	// It changes no byte of the result.
	Workers int `yaml:"workers"`
}

// ClusterConfig says how people are grouped by behaviour.
type ClusterConfig struct {
	cluster.Config `yaml:",inline"`
	// Off makes no clusters.
	Off bool `yaml:"off"`
	// MinPeople is how many people there must be for clusters to mean something.
	MinPeople int `yaml:"min_people"`
	// MaxPeople bounds the people that the clusters are learned from; a sample by
	// their ids is taken.
	MaxPeople int `yaml:"max_people"`
}

// SplitConfig says what is held out to judge by.
type SplitConfig struct {
	// Share of the interactions that are held out, the newest.
	Share float64 `yaml:"share"`
	// MinPeople is how many people with a history the holdout must have. With fewer
	// after one cut in time, each person's own newest interactions are held out. As
	// many must have acted since the current model was trained for the gate to
	// compare with it.
	MinPeople int `yaml:"min_people"`
}

// GateConfig says what a candidate must do to be published.
type GateConfig struct {
	// Metric that is compared, with its cutoff.
	Metric string `yaml:"metric"`
	// MinRatio is the least candidate / incumbent, on what people did since the
	// incumbent was trained.
	MinRatio float64 `yaml:"min_ratio"`
	// BeatPopular refuses a candidate that does worse than popularity alone.
	BeatPopular bool `yaml:"beat_popular"`
}

// Default suits a shop or a catalogue of media about which nothing is known yet.
func Default() Config {
	c := Config{
		Weights:    features.DefaultWeights(),
		Components: ComponentNames(),
		ALS:        als.Default(), ItemItem: itemitem.Default(), Content: content.Default(), Popular: popular.Default(),
		Blend:           hybrid.Default(),
		Cluster:         ClusterConfig{Config: cluster.Default(), MinPeople: 20, MaxPeople: 50_000},
		Split:           SplitConfig{Share: .2, MinPeople: 50},
		Gate:            GateConfig{Metric: "ndcg@10", MinRatio: .9, BeatPopular: true},
		KeepModels:      5,
		MinInteractions: 20,
		Seed:            1,
	}
	return c
}

// Validate reports the first field that makes no sense, and what would.
func (c Config) Validate() error {
	if len(c.Components) == 0 {
		return fmt.Errorf("training: components is empty; name some of %s", strings.Join(ComponentNames(), ", "))
	}
	for i, name := range c.Components {
		if !slices.Contains(ComponentNames(), name) {
			return fmt.Errorf("training: components has %q; use %s", name, strings.Join(ComponentNames(), ", "))
		}
		if slices.Contains(c.Components[:i], name) {
			return fmt.Errorf("training: components has %q twice", name)
		}
	}
	for _, part := range []interface{ Validate() error }{c.Weights, c.ALS, c.ItemItem, c.Content, c.Popular, c.Blend, c.Cluster.Config} {
		if err := part.Validate(); err != nil {
			return fmt.Errorf("training: %w", err)
		}
	}
	switch metric, _, ok := cutMetric(c.Gate.Metric); {
	case c.Cluster.MinPeople < 2 || c.Cluster.MaxPeople < c.Cluster.MinPeople:
		return fmt.Errorf("training: cluster.min_people is %d and cluster.max_people %d; use 2 or more, in this order", c.Cluster.MinPeople, c.Cluster.MaxPeople)
	case !(c.Split.Share > 0 && c.Split.Share < 1):
		return fmt.Errorf("training: split.share is %v; use more than 0 and less than 1, such as 0.2", c.Split.Share)
	case c.Split.MinPeople < 1:
		return fmt.Errorf("training: split.min_people is %d; use at least 1", c.Split.MinPeople)
	case !ok:
		return fmt.Errorf("training: gate.metric is %q; use a metric with its cutoff, such as ndcg@10", c.Gate.Metric)
	case metric == "coverage" || metric == "novelty" || metric == "diversity":
		return fmt.Errorf("training: gate.metric is %q, which says nothing about hits; use one such as ndcg@10", c.Gate.Metric)
	case !(c.Gate.MinRatio >= 0 && c.Gate.MinRatio <= 2):
		return fmt.Errorf("training: gate.min_ratio is %v; use 0 (any) to 2, such as 0.9", c.Gate.MinRatio)
	case c.KeepModels < 1:
		return fmt.Errorf("training: keep_models is %d; use at least 1", c.KeepModels)
	case c.MinInteractions < 1:
		return fmt.Errorf("training: min_interactions is %d; use at least 1", c.MinInteractions)
	case c.Workers < 0:
		return fmt.Errorf("training: workers is %d; use 0 for one a processor, or more", c.Workers)
	}
	return nil
}
