package event

import "fmt"

// DecodeError says which field of a message cannot be accepted, and why.
type DecodeError struct {
	Field  string // path such as "t.received" or "items[2].id"; "" for the message as a whole
	Reason string // what is wrong and what would be right
}

// Error is "decode event: field: reason".
func (e *DecodeError) Error() string {
	if e.Field == "" {
		return "decode event: " + e.Reason
	}
	return "decode event: " + e.Field + ": " + e.Reason
}

// refuse makes a DecodeError.
func refuse(field, format string, args ...any) error {
	return &DecodeError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

// inside puts the name of the enclosing field in front of err's.
func inside(parent string, err error) error {
	if d, ok := err.(*DecodeError); ok {
		return &DecodeError{Field: joinPath(parent, d.Field), Reason: d.Reason}
	}
	return err
}

// joinPath is parent.child, where a child that is an index needs no dot.
func joinPath(parent, child string) string {
	switch {
	case child == "":
		return parent
	case parent == "" || child[0] == '[':
		return parent + child
	}
	return parent + "." + child
}
