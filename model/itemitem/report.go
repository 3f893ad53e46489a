package itemitem

import "fmt"

// Report is how a model was made, and how exactly.
type Report struct {
	Method string
	Items  int
	// Dense is how many items were solved among all others, in one inverse.
	Dense int
	// Support is among how many items each was solved where Dense is less than Items, in
	// Parts inverses; Kept is the share of what the dense weights explain of the items' use that these
	// explain, measured on a sample of items, before the lists are cut.
	Support int
	Parts   int
	Kept    float64
	// Condition is the condition of the matrix, estimated from above, and Residual the largest entry of
	// A·P − I in some columns of the dense inverse P.
	Condition float64
	Residual  float64
}

// suspect is the condition from which float32 leaves less than two digits.
const suspect = 1e5

// Notes are what a reader of an evaluation must know of the model; there are none of an exact one.
func (r Report) Notes() []string {
	var notes []string
	if r.Method == MethodEASE && r.Dense < r.Items {
		notes = append(notes, fmt.Sprintf("itemitem: ease is approximated, %d of %d items dense: beyond memory_bytes each item was solved among %d, in %d parts, "+
			"which explain %.1f %% of what the dense weights do", r.Dense, r.Items, r.Support, r.Parts, 100*r.Kept))
	}
	if r.Condition > suspect || r.Residual > .01 {
		notes = append(notes, fmt.Sprintf("itemitem: the matrix is ill-conditioned for float32 (condition up to %.1g, |A·P − I| up to %.1g): raise regularization", r.Condition, r.Residual))
	}
	return notes
}
