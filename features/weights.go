package features

import (
	"fmt"
	"math"

	"kindred/data"
)

// Weights says how strongly each kind of interaction speaks for an item. A
// rating weighs its value, but nothing below RatingMin (seen, but not liked) and as
// much as RatingMax above it: anybody may send a rating, and one of a million must
// not outweigh everything else that people did. Profiles keep ratings as given.
type Weights struct {
	View      float64 `yaml:"view" json:"view"`
	Click     float64 `yaml:"click" json:"click"`
	Scroll    float64 `yaml:"scroll" json:"scroll"`
	Dwell     float64 `yaml:"dwell" json:"dwell"`
	Wishlist  float64 `yaml:"wishlist" json:"wishlist"`
	AddToCart float64 `yaml:"add_to_cart" json:"add_to_cart"`
	Purchase  float64 `yaml:"purchase" json:"purchase"`
	Hide      float64 `yaml:"hide" json:"hide"`
	RatingMin float64 `yaml:"rating_min" json:"rating_min"`
	RatingMax float64 `yaml:"rating_max" json:"rating_max"`
}

// MaxWeight is the largest weight, either way, and the largest RatingMax.
const MaxWeight = 1e6

// DefaultWeights are those of the specification; every positive rating up to 10
// counts by its value.
func DefaultWeights() Weights {
	return Weights{View: 1, Click: 2, Scroll: 1, Dwell: 2, Wishlist: 4, AddToCart: 5, Purchase: 10, Hide: -8, RatingMax: 10}
}

// Validate names the first weight that makes no sense, and what would, or nil.
func (w Weights) Validate() error {
	for _, f := range []struct {
		name  string
		value float64
	}{
		{"view", w.View}, {"click", w.Click}, {"scroll", w.Scroll}, {"dwell", w.Dwell}, {"wishlist", w.Wishlist},
		{"add_to_cart", w.AddToCart}, {"purchase", w.Purchase}, {"hide", w.Hide}, {"rating_min", w.RatingMin},
		{"rating_max", w.RatingMax},
	} {
		if math.IsNaN(f.value) || math.IsInf(f.value, 0) {
			return fmt.Errorf("weights: %s is %v; use a finite number", f.name, f.value)
		}
		if math.Abs(f.value) > MaxWeight {
			return fmt.Errorf("weights: %s is %v; use one between %v and %v", f.name, f.value, -MaxWeight, MaxWeight)
		}
	}
	if w.RatingMax <= 0 || w.RatingMax < w.RatingMin {
		return fmt.Errorf("weights: rating_max is %v; use more than 0, and at least rating_min, which is %v", w.RatingMax, w.RatingMin)
	}
	return nil
}

// Of is the weight of one interaction. It is negative for a hide, and 0 for a
// kind that carries no preference.
func (w Weights) Of(i data.Interaction) float64 { return w.of(i.Kind, i.Value) }

func (w Weights) of(k data.Kind, value float64) float64 {
	switch k {
	case data.View:
		return w.View
	case data.Click:
		return w.Click
	case data.Scroll:
		return w.Scroll
	case data.Dwell:
		return w.Dwell
	case data.Wishlist:
		return w.Wishlist
	case data.AddToCart:
		return w.AddToCart
	case data.Purchase:
		return w.Purchase
	case data.Hide:
		return w.Hide
	case data.Rating:
		if !(value >= w.RatingMin && value >= 0) {
			return 0
		}
		return math.Min(value, w.RatingMax)
	}
	return 0
}
