package training

import "errors"

// The outcomes of a run that are not a published model. Errors that wrap them say
// the numbers.
var (
	// ErrRefused: the candidate was fitted and judged, and the gate said no. The
	// incumbent goes on serving. The command exits with 3.
	ErrRefused = errors.New("the gate refused the candidate")
	// ErrNothingNew: nothing came in since the incumbent was trained, and nothing
	// else changed that would make another model.
	ErrNothingNew = errors.New("nothing is new since the current model was trained")
	// ErrTooLittle: there are too few people, items or interactions to fit a model
	// and to judge it.
	ErrTooLittle = errors.New("too little to train on")
)
