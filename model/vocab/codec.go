package vocab

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// codecVersion is the first byte of an encoded vocab.
const codecVersion = 1

// MarshalBinary encodes the vocab: version byte, uvarint count, then per key the
// uvarint length of the prefix it shares with the key before, the uvarint length
// of the rest, and the rest. Equal vocabs have equal bytes.
func (v *Vocab) MarshalBinary() ([]byte, error) {
	b := binary.AppendUvarint([]byte{codecVersion}, uint64(len(v.keys)))
	prev := ""
	for _, k := range v.keys {
		shared := sharedPrefix(prev, k)
		b = binary.AppendUvarint(b, uint64(shared))
		b = binary.AppendUvarint(b, uint64(len(k)-shared))
		b = append(b, k[shared:]...)
		prev = k
	}
	return b, nil
}

// UnmarshalBinary replaces v by the encoded vocab. It refuses an unknown version,
// truncated or trailing bytes, and keys that are not sorted and distinct.
func (v *Vocab) UnmarshalBinary(b []byte) error {
	if len(b) == 0 {
		return errors.New("decode vocab: no bytes")
	}
	if b[0] != codecVersion {
		return fmt.Errorf("decode vocab: version %d: this build reads %d", b[0], codecVersion)
	}
	b = b[1:]
	count, b, ok := uvarint(b)
	if !ok || count > uint64(len(b)) { // every key takes two bytes or more
		return errors.New("decode vocab: the key count is truncated or larger than the data")
	}
	keys := make([]string, 0, count)
	prev := ""
	for i := range count {
		shared, rest, ok1 := uvarint(b)
		length, rest, ok2 := uvarint(rest)
		if !ok1 || !ok2 || shared > uint64(len(prev)) || length > uint64(len(rest)) {
			return fmt.Errorf("decode vocab: key %d is truncated", i)
		}
		// Canonical form only, so that a decoded vocab encodes to the same bytes.
		prev, b = prev[:shared]+string(rest[:length]), rest[length:]
		if i > 0 && sharedPrefix(keys[i-1], prev) != int(shared) {
			return fmt.Errorf("decode vocab: key %d does not share the longest prefix", i)
		}
		keys = append(keys, prev)
	}
	if len(b) != 0 {
		return fmt.Errorf("decode vocab: %d bytes after the last key", len(b))
	}
	decoded, err := fromSorted(keys)
	if err != nil {
		return fmt.Errorf("decode vocab: %w", err)
	}
	*v = *decoded
	return nil
}

// sharedPrefix is the length of the longest common prefix.
func sharedPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// uvarint splits a minimally encoded uvarint off b.
func uvarint(b []byte) (x uint64, rest []byte, ok bool) {
	x, n := binary.Uvarint(b)
	if n <= 0 || n > 1 && b[n-1] == 0 {
		return 0, nil, false
	}
	return x, b[n:], true
}
