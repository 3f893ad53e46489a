package training

import (
	"kindred/model/artifact"
	"kindred/model/cluster"
	"kindred/model/hybrid"
	"kindred/training/assemble"
)

// The names of Meta.Weights beside those of the kinds of interaction.
const (
	// WeightRatingMin is the rating from which something counts as liked.
	WeightRatingMin = "rating_min"
	// WeightRatingMax is the rating above which all count alike.
	WeightRatingMax = "rating_max"
	// WeightBinary is 1 when every preference counts 1, and absent otherwise.
	WeightBinary = "binary"
)

// bundle puts fitted components together; those outside the blend are left out.
// The caller completes Meta.
func bundle(t *assemble.Table, c *components, cfg Config, blend *hybrid.Model, clusters *cluster.Model) *artifact.Bundle {
	b := &artifact.Bundle{Items: t.Items, Hybrid: blend, Cluster: clusters}
	for _, name := range cfg.Components {
		switch name {
		case ALS:
			b.ALS = c.als
		case ItemItem:
			b.ItemItem = c.itemitem
		case Content:
			b.Content = c.content
		case Popular:
			b.Popular = c.popular
		}
	}
	b.Meta.Seed = cfg.Seed
	b.Meta.Items = int64(t.Items.Len())
	b.Meta.People = int64(t.People.Len())
	b.Meta.Interactions = int64(len(t.Acts))
	b.Meta.Weights = weightsMap(cfg)
	return b
}

// weightsMap is the configuration's weights as the artifact keeps them, so that
// serving sums a live history as training did.
func weightsMap(cfg Config) map[string]float64 {
	w := cfg.Weights
	m := map[string]float64{
		"view": w.View, "click": w.Click, "scroll": w.Scroll, "dwell": w.Dwell, "wishlist": w.Wishlist,
		"add_to_cart": w.AddToCart, "purchase": w.Purchase, "hide": w.Hide, WeightRatingMin: w.RatingMin,
		WeightRatingMax: w.RatingMax,
	}
	if cfg.Binary {
		m[WeightBinary] = 1
	}
	return m
}
