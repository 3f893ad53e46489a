package itemitem

import (
	"fmt"
	"math"
)

// The sides that the list of neighbours is cut on, see Config.Cut.
const (
	CutTarget = "target"
	CutPast   = "past"
)

// Config says what counts as similar, see the package comment.
type Config struct {
	// Neighbours is how many similar items each item keeps.
	Neighbours int `yaml:"neighbours" json:"neighbours"`
	// Cut says whose list that is: with "target" an item hears its Neighbours most similar
	// past items, with "past" a past item speaks for its Neighbours most similar targets.
	Cut string `yaml:"cut" json:"cut"`
	// Shrink is added to the denominator: similarities seen on few people count less.
	Shrink float64 `yaml:"shrink" json:"shrink"`
	// Binary takes every strength as 1, in the matrix and in histories.
	Binary bool `yaml:"binary" json:"binary"`
	// Asymmetry is α: ½ is the cosine, 1 the probability of the past item given the target.
	Asymmetry float64 `yaml:"asymmetry" json:"asymmetry"`
	// PersonExponent is β: 0 hears all people alike, ½ gives a person with many items no more say than one with few.
	PersonExponent float64 `yaml:"person_exponent" json:"person_exponent"`
	// Workers is how many goroutines build; 0 means one for each processor. It changes no byte of the result.
	Workers int `yaml:"workers" json:"workers"`
}

// Default is the configuration for a catalogue about which nothing is known yet.
func Default() Config {
	return Config{Neighbours: 100, Cut: CutTarget, Asymmetry: 0.5}
}

// Cosine is the plain cosine neighbourhood of 200 items, cut on the past item's side:
// the baseline that papers and other systems mean by item-kNN.
func Cosine() Config {
	return Config{Neighbours: 200, Cut: CutPast, Asymmetry: 0.5}
}

// Validate names the first field that cannot be used and says what would be right.
func (c Config) Validate() error {
	switch {
	case c.Neighbours < 1 || c.Neighbours > 1_000_000:
		return fmt.Errorf("itemitem.neighbours is %d: use 1 to 1000000", c.Neighbours)
	case c.Cut != CutTarget && c.Cut != CutPast:
		return fmt.Errorf("itemitem.cut is %q: use %q or %q", c.Cut, CutTarget, CutPast)
	case !(c.Shrink >= 0) || math.IsInf(c.Shrink, 1):
		return fmt.Errorf("itemitem.shrink is %v: use a finite number from 0", c.Shrink)
	case !(c.Asymmetry >= 0 && c.Asymmetry <= 1):
		return fmt.Errorf("itemitem.asymmetry is %v: use 0 to 1", c.Asymmetry)
	case !(c.PersonExponent >= 0 && c.PersonExponent <= 2):
		return fmt.Errorf("itemitem.person_exponent is %v: use 0 to 2", c.PersonExponent)
	case c.Workers < 0:
		return fmt.Errorf("itemitem.workers is %d: use 0 (one for each processor) or more", c.Workers)
	}
	return nil
}
