package features

import (
	"encoding/binary"
	"errors"
)

// State is a partition's own state: its time and the versions that are live in it.
type State struct {
	Now    int64  // Unix ms: the largest received stamp or tick folded so far
	Rules  string // live rule set's version, or ""
	Models string // live model's version, or ""
}

const stateVersion = 1

// AppendBinary appends the state's bytes to dst: a version byte, the time as a
// signed varint, then each version with its length before it. The error is nil.
func (s State) AppendBinary(dst []byte) ([]byte, error) {
	dst = append(dst, stateVersion)
	dst = binary.AppendVarint(dst, s.Now)
	for _, v := range []string{s.Rules, s.Models} {
		dst = binary.AppendUvarint(dst, uint64(len(v)))
		dst = append(dst, v...)
	}
	return dst, nil
}

// UnmarshalBinary reads what AppendBinary wrote. No bytes are the zero State.
func (s *State) UnmarshalBinary(b []byte) error {
	*s = State{}
	if len(b) == 0 {
		return nil
	}
	if b[0] != stateVersion {
		return errors.New("partition state: unknown version; it was written by a newer build")
	}
	b = b[1:]
	now, n := binary.Varint(b)
	if n <= 0 {
		return errTruncatedState
	}
	b = b[n:]
	for _, into := range []*string{&s.Rules, &s.Models} {
		size, n := binary.Uvarint(b)
		if n <= 0 || uint64(len(b)-n) < size {
			*s = State{}
			return errTruncatedState
		}
		*into, b = string(b[n:n+int(size)]), b[n+int(size):]
	}
	if len(b) != 0 {
		*s = State{}
		return errors.New("partition state: bytes left over")
	}
	s.Now = now
	return nil
}

var errTruncatedState = errors.New("partition state: truncated")
