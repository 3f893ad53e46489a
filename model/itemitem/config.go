package itemitem

import (
	"fmt"
	"math"
)

// The methods, see the package comment.
const (
	MethodCosine = "cosine"
	MethodEASE   = "ease"
)

// defaultMemory and defaultPart are what 0 means in Config.
const (
	defaultMemory = 2 << 30
	defaultPart   = 2048
	leastMemory   = 32 << 20
	leastPart     = 8
)

// The sides that the list of neighbours is cut on, see Config.Cut.
const (
	CutTarget = "target"
	CutPast   = "past"
)

// Config says what counts as similar, see the package comment.
type Config struct {
	// Method is "cosine", which "" means, too, or "ease".
	Method string `yaml:"method" json:"method"`
	// Neighbours is how many similar items each item keeps; of EASE, those with the largest weights, of either sign.
	Neighbours int `yaml:"neighbours" json:"neighbours"`
	// Cut says whose list that is: with "target" an item hears its Neighbours most similar
	// past items, with "past" a past item speaks for its Neighbours most similar targets.
	Cut string `yaml:"cut" json:"cut"`
	// Shrink is added to the denominator: similarities seen on few people count less. EASE has no use for it.
	Shrink float64 `yaml:"shrink" json:"shrink"`
	// Binary takes every strength as 1, in the matrix and in histories.
	Binary bool `yaml:"binary" json:"binary"`
	// Asymmetry is α: ½ is the cosine, 1 the probability of the past item given the target. EASE has no use for it.
	Asymmetry float64 `yaml:"asymmetry" json:"asymmetry"`
	// PersonExponent is β: 0 hears all people alike, ½ gives a person with many items no more say than one with few.
	PersonExponent float64 `yaml:"person_exponent" json:"person_exponent"`
	// Regularization is λ of EASE, in people who use an item (of strength 1): some hundreds are
	// usual. The cosine has no use for it, nor for what follows but Workers.
	Regularization float64 `yaml:"regularization" json:"regularization"`
	// Dropout is p of EASE: the weights are those that are best, in expectation, when each of a
	// person's past items is hidden with that probability. It keeps much used items from
	// speaking for all others; values up to ½ are usual, 0 is plain EASE.
	Dropout float64 `yaml:"dropout" json:"dropout,omitzero"`
	// MemoryBytes is the most that EASE takes for matrices; 0 is 2 GiB. The dense inverse of n
	// items needs 2n² bytes and 3 KB an item; beyond, the weights are approximated. Each worker after
	// the first takes 1.2 MB and 128 bytes an item more, which counts nothing here.
	MemoryBytes int64 `yaml:"memory_bytes" json:"memory_bytes"`
	// PartItems is among how many items each is then solved; 0 is 2048. Time grows with
	// n·PartItems², memory with its square.
	PartItems int `yaml:"part_items" json:"part_items"`
	// Workers is how many goroutines build; 0 means one for each processor. It changes no byte of the result.
	Workers int `yaml:"workers" json:"workers"`
}

// Default is the configuration for a catalogue about which nothing is known yet.
func Default() Config {
	return Config{Method: MethodCosine, Neighbours: 100, Cut: CutTarget, Asymmetry: 0.5, Regularization: 300}
}

// Cosine is the plain cosine neighbourhood of 200 items, cut on the past item's side:
// the baseline that papers and other systems mean by item-kNN.
func Cosine() Config {
	return Config{Method: MethodCosine, Neighbours: 200, Cut: CutPast, Asymmetry: 0.5}
}

// EASE is the linear model of every item by all others, of strengths 1, with the 200
// largest weights of each target.
func EASE(regularization float64) Config {
	return Config{Method: MethodEASE, Neighbours: 200, Cut: CutTarget, Binary: true, Regularization: regularization}
}

// Validate names the first field that cannot be used and says what would be right.
func (c Config) Validate() error {
	switch {
	case c.Method != "" && c.Method != MethodCosine && c.Method != MethodEASE:
		return fmt.Errorf("itemitem.method is %q: use %q or %q", c.Method, MethodCosine, MethodEASE)
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
	case !(c.Regularization >= 0) || math.IsInf(c.Regularization, 1):
		return fmt.Errorf("itemitem.regularization is %v: use a finite number above 0, such as 300", c.Regularization)
	case c.Regularization == 0 && c.Method == MethodEASE:
		return fmt.Errorf("itemitem.regularization is 0: method %q needs a number above 0, such as 300", c.Method)
	case !(c.Dropout >= 0 && c.Dropout < 1):
		return fmt.Errorf("itemitem.dropout is %v: use 0 to less than 1", c.Dropout)
	case c.MemoryBytes != 0 && c.MemoryBytes < leastMemory:
		return fmt.Errorf("itemitem.memory_bytes is %d: use 0 (2 GiB) or %d and more", c.MemoryBytes, leastMemory)
	case c.PartItems != 0 && c.PartItems < leastPart:
		return fmt.Errorf("itemitem.part_items is %d: use 0 (%d) or %d and more", c.PartItems, defaultPart, leastPart)
	case c.Workers < 0:
		return fmt.Errorf("itemitem.workers is %d: use 0 (one for each processor) or more", c.Workers)
	}
	return nil
}

// method is Method with its default.
func (c Config) method() string {
	if c.Method == "" {
		return MethodCosine
	}
	return c.Method
}

// memory is MemoryBytes with its default.
func (c Config) memory() int64 {
	if c.MemoryBytes == 0 {
		return defaultMemory
	}
	return c.MemoryBytes
}

// partItems is PartItems with its default.
func (c Config) partItems() int {
	if c.PartItems == 0 {
		return defaultPart
	}
	return c.PartItems
}
