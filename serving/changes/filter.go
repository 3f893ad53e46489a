package changes

import (
	"slices"

	"kindred/data"
	"kindred/features"
)

// Filter says which changes somebody wants; what is empty wants all.
type Filter struct {
	Types    []string
	Segments []string
	Profile  data.ProfileID
}

// Segments are the types of changes that say who entered or left a segment.
func Segments() []string { return []string{features.SegmentEntered, features.SegmentExited} }

// Has reports whether c is wanted.
func (f Filter) Has(c *data.Change) bool {
	return (len(f.Types) == 0 || slices.Contains(f.Types, c.Type)) &&
		(len(f.Segments) == 0 || slices.Contains(f.Segments, SegmentOf(c))) &&
		(f.Profile == "" || f.Profile == c.Profile)
}

// SegmentOf is the segment that somebody entered or left, or "" for another change.
func SegmentOf(c *data.Change) string {
	switch c.Type {
	case features.SegmentEntered:
		return c.To
	case features.SegmentExited:
		return c.From
	}
	return ""
}
