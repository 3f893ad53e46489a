package content

import "fmt"

// Config says which terms are kept and how long a profile may be.
type Config struct {
	// MinDocs is the number of documents a term must occur in: one that occurs in a
	// single document links it to no other.
	MinDocs int `yaml:"min_docs"`
	// MaxDocShare is the share of documents above which a term is dropped as saying
	// nothing; 1 keeps all.
	MaxDocShare float64 `yaml:"max_doc_share"`
	// ProfileTerms is how many of the strongest terms of a person's profile are
	// scored with. 128 keep nearly all of the profile's length in practice and bound
	// the work of a request whatever the length of the history.
	ProfileTerms int `yaml:"profile_terms"`
}

// Default keeps terms of at least 2 documents and at most half of them, and
// profiles of 128 terms.
func Default() Config { return Config{MinDocs: 2, MaxDocShare: 0.5, ProfileTerms: 128} }

// Validate names the field that is out of range.
func (c Config) Validate() error {
	switch {
	case c.MinDocs < 1:
		return fmt.Errorf("content: min_docs is %d: must be 1 or more", c.MinDocs)
	case !(c.MaxDocShare > 0 && c.MaxDocShare <= 1):
		return fmt.Errorf("content: max_doc_share is %v: must be above 0 and at most 1", c.MaxDocShare)
	case c.ProfileTerms < 1:
		return fmt.Errorf("content: profile_terms is %d: must be 1 or more", c.ProfileTerms)
	}
	return nil
}
