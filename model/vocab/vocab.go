package vocab

import (
	"fmt"
	"math"
	"slices"
)

// Vocab maps keys to dense rows [0, Len) and back. The zero value is empty.
type Vocab struct {
	keys []string // sorted bytewise, distinct
	rows map[string]int32
}

// New builds a vocab of the given keys, in any order; keys is not changed or kept.
// The error names a key that is empty or that occurs twice. Cost is O(n log n).
func New(keys []string) (*Vocab, error) {
	sorted := slices.Clone(keys)
	slices.Sort(sorted)
	return fromSorted(sorted)
}

// fromSorted takes ownership of keys and checks that they are sorted and distinct.
func fromSorted(keys []string) (*Vocab, error) {
	if len(keys) > math.MaxInt32 {
		return nil, fmt.Errorf("vocab: %d keys: at most %d fit", len(keys), math.MaxInt32)
	}
	rows := make(map[string]int32, len(keys))
	for i, k := range keys {
		switch {
		case k == "":
			return nil, fmt.Errorf("vocab: key %d is empty", i)
		case i > 0 && keys[i-1] == k:
			return nil, fmt.Errorf("vocab: key %q occurs twice", k)
		case i > 0 && keys[i-1] > k:
			return nil, fmt.Errorf("vocab: key %q comes after %q: keys must be sorted", k, keys[i-1])
		}
		rows[k] = int32(i)
	}
	return &Vocab{keys: keys, rows: rows}, nil
}

// Len is the number of keys.
func (v *Vocab) Len() int { return len(v.keys) }

// Row returns the key's row, or false for a key the vocab does not hold.
func (v *Vocab) Row(key string) (int32, bool) {
	row, ok := v.rows[key]
	return row, ok
}

// Key returns the key of a row in [0, Len); any other row panics.
func (v *Vocab) Key(row int32) string { return v.keys[row] }

// Keys returns all keys in row order. The caller must not change them.
func (v *Vocab) Keys() []string { return v.keys }
