package artifact

import "fmt"

// VersionError says that the bytes are an artifact of another build's format.
type VersionError struct {
	Version int    // the format version found; 0 when a section is the trouble
	Section string // the section this build does not know, or ""
}

// Error says what was found and what this build reads.
func (e *VersionError) Error() string {
	if e.Section != "" {
		return fmt.Sprintf("artifact section %q is not known to this build: load it with the build that wrote it, or train again", e.Section)
	}
	return fmt.Sprintf("artifact format %d: this build reads %d: load it with the build that wrote it, or train again", e.Version, formatVersion)
}

// CorruptError says that the bytes are not a whole, undamaged artifact.
type CorruptError struct {
	Section string // the section at fault, or "" for the container
	Err     error
}

// Error names the section and what is wrong with it.
func (e *CorruptError) Error() string {
	if e.Section == "" {
		return fmt.Sprintf("artifact is damaged: %v", e.Err)
	}
	return fmt.Sprintf("artifact section %q is damaged: %v", e.Section, e.Err)
}

// Unwrap gives access to the cause.
func (e *CorruptError) Unwrap() error { return e.Err }
