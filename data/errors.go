package data

import "errors"

// The errors that callers branch on. Stores wrap them; test with errors.Is.
var (
	// ErrNotFound: there is no such record. For a profile it means "never met".
	ErrNotFound = errors.New("not found")
	// ErrStale: a conditional write found another state than it was told to
	// expect; the caller no longer owns what it was writing.
	ErrStale = errors.New("stale: the stored cursor is not the one that was loaded")
	// ErrOverloaded: a bounded queue is full. Answered as 429 with Retry-After.
	ErrOverloaded = errors.New("overloaded")
	// ErrClosed: the store was closed.
	ErrClosed = errors.New("closed")
	// ErrLocked: another process has the data directory open.
	ErrLocked = errors.New("the data directory is in use by another process")
	// ErrConflict: the write contradicts what is stored, for example an
	// idempotency key reused with another body.
	ErrConflict = errors.New("conflict")
)
