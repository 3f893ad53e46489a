package data

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
)

// Space names a tenant: lower-case letters, digits, '-' and '_', 1 to 63 bytes,
// beginning with a letter or digit. Every stored key starts with its space.
type Space string

// DefaultSpace is the space of a server that was not told otherwise.
const DefaultSpace Space = "default"

// Validate reports what is wrong with the name, or nil.
func (s Space) Validate() error {
	if len(s) == 0 || len(s) > 63 {
		return fmt.Errorf("space %q: must be 1 to 63 bytes long", string(s))
	}
	for i, c := range []byte(s) {
		letter := c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
		if !letter && (i == 0 || c != '-' && c != '_') {
			return fmt.Errorf("space %q: byte %d is %q; use a-z, 0-9, and after the first byte '-' or '_'", string(s), i, c)
		}
	}
	return nil
}

// UserID is a person's id as the customer knows it, set by an identify call.
type UserID string

// AnonymousID is the id a tracker gave a browser or device before anyone said who it is.
type AnonymousID string

// ItemID is an item's id as the customer knows it.
type ItemID string

// ProfileID is the canonical id of one person inside a space: what the log is
// keyed by and what the lake knows. It is derived from the first id seen, so it
// holds no name and no address.
type ProfileID string

// IDKind says what kind of identifier a person was recognised by.
type IDKind string

// The kinds of identifier that lead to a profile.
const (
	IDUser      IDKind = "user"
	IDAnonymous IDKind = "anon"
)

// NewProfileID derives the canonical id of the profile that the identifier
// (kind, id) opens when it is the first one seen of that person: 26 characters
// of base32 over SHA-256, so the same log gives the same ids on every machine.
func NewProfileID(kind IDKind, id string) ProfileID {
	var buf [128]byte // on the stack: this runs for most events, at the door and in the fold
	sum := sha256.Sum256(append(append(append(buf[:0], kind...), 0), id...))
	var text [26 + 6]byte
	base32.HexEncoding.Encode(text[:], sum[:16]) // the last six are padding
	for i, c := range text[:26] {
		if c >= 'A' {
			text[i] = c + 'a' - 'A'
		}
	}
	return ProfileID(text[:26])
}

// PartitionOf is the partition of n that key belongs to, chosen as Kafka's Java
// clients choose it (murmur2, sign bit cleared, modulo n), so that the embedded
// log, a Kafka topic and a customer's own producer agree.
func PartitionOf(key string, n int32) int32 {
	return int32(murmur2([]byte(key))&0x7fffffff) % n
}

// murmur2 is the 32-bit hash of Kafka's default partitioner
// (org.apache.kafka.common.utils.Utils.murmur2, seed 0x9747b28c).
func murmur2(b []byte) uint32 {
	const m, r = uint32(0x5bd1e995), 24
	h := uint32(0x9747b28c) ^ uint32(len(b))
	for ; len(b) >= 4; b = b[4:] {
		k := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
		k *= m
		k ^= k >> r
		k *= m
		h *= m
		h ^= k
	}
	switch len(b) {
	case 3:
		h ^= uint32(b[2]) << 16
		fallthrough
	case 2:
		h ^= uint32(b[1]) << 8
		fallthrough
	case 1:
		h ^= uint32(b[0])
		h *= m
	}
	h ^= h >> 13
	h *= m
	h ^= h >> 15
	return h
}
