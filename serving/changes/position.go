package changes

import (
	"cmp"
	"errors"
	"math"
	"strconv"
	"strings"

	"kindred/data"
)

// At is a point in a partition's changes: behind change K of the record at Offset.
type At struct {
	Offset int64
	K      int32
}

// before is in front of a partition's first change.
var before = At{-1, 0}

// behind is behind every change of the records below the offset.
func behind(offset int64) At {
	if offset <= 0 {
		return before
	}
	return At{offset - 1, math.MaxInt32}
}

// Of is the point just behind a change.
func Of(c data.Change) At { return At{c.Offset, c.K} }

// Compare orders points of one partition.
func (a At) Compare(b At) int {
	return cmp.Or(cmp.Compare(a.Offset, b.Offset), cmp.Compare(a.K, b.K))
}

// Position is a point in each partition.
type Position []At

// Start is in front of everything.
func Start(partitions int32) Position {
	p := make(Position, partitions)
	for i := range p {
		p[i] = before
	}
	return p
}

// String writes the position for Parse, in letters that fit into an address and into a
// Last-Event-ID: the partitions' points between _, each OFFSET, OFFSET.K, or - in front of everything.
func (p Position) String() string {
	b := make([]byte, 0, 8*len(p))
	for i, at := range p {
		if i > 0 {
			b = append(b, '_')
		}
		if at == before {
			b = append(b, '-')
			continue
		}
		b = strconv.AppendInt(b, at.Offset, 10)
		if at.K != math.MaxInt32 {
			b = strconv.AppendInt(append(b, '.'), int64(at.K), 10)
		}
	}
	return string(b)
}

// ErrPosition says that a text is no position of these partitions.
var ErrPosition = errors.New("is no position of this server's changes")

// Parse reads a position.
func Parse(text string, partitions int32) (Position, error) {
	parts := strings.Split(text, "_")
	if len(parts) != int(partitions) {
		return nil, ErrPosition
	}
	p := Start(partitions)
	for i, part := range parts {
		if part == "-" {
			continue
		}
		offset, k, partial := strings.Cut(part, ".")
		n, err := strconv.ParseInt(offset, 10, 64)
		if err != nil || n < 0 {
			return nil, ErrPosition
		}
		p[i] = At{n, math.MaxInt32}
		if partial {
			n, err := strconv.ParseInt(k, 10, 32)
			if err != nil || n < 0 {
				return nil, ErrPosition
			}
			p[i].K = int32(n)
		}
	}
	return p, nil
}
