package event

import (
	"encoding/binary"
	"fmt"

	"kindred/data"
)

// EnvelopeVersion is the version byte of the envelopes that Seal writes.
const EnvelopeVersion = 1

// keyNone is the key id of a payload that is not encrypted.
const keyNone = 0

// VersionError is the refusal of an envelope written in a format that this build
// does not know, for example by a newer one.
type VersionError struct{ Version byte }

// Error names both versions.
func (e *VersionError) Error() string {
	return fmt.Sprintf("open envelope: version %d is not one this build reads; it reads %d", e.Version, EnvelopeVersion)
}

// KeyError is the refusal of a payload encrypted with a key that is not at hand.
type KeyError struct{ ID uint64 }

// Error names the key.
func (e *KeyError) Error() string { return fmt.Sprintf("open envelope: no key with id %d", e.ID) }

// Seal makes the value of a log record: byte 0 is EnvelopeVersion, then the key
// id as a uvarint (0: plain text), then the payload, Append(nil, e).
func Seal(e data.Event) []byte { return AppendSealed(make([]byte, 0, 512), e) }

// SealBytes is how many bytes Seal puts before the payload.
const SealBytes = 2

// AppendSealed appends Seal to dst.
func AppendSealed(dst []byte, e data.Event) []byte {
	return Append(append(dst, EnvelopeVersion, keyNone), e)
}

// Open is the inverse of Seal. The error is a *VersionError, a *KeyError, or the
// *DecodeError of what is inside.
func Open(b []byte) (data.Event, error) {
	payload, err := unseal(b)
	if err != nil {
		return data.Event{}, err
	}
	return Decode(payload)
}

// unseal is the payload of an envelope.
func unseal(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, refuse("", "the envelope is empty")
	}
	if b[0] != EnvelopeVersion {
		return nil, &VersionError{Version: b[0]}
	}
	key, n := binary.Uvarint(b[1:])
	if n <= 0 || n > 1 && b[n] == 0 { // cut, beyond 64 bits, or longer than it need be
		return nil, refuse("", "the envelope's key id is not a minimal uvarint")
	}
	if key != keyNone {
		return nil, &KeyError{ID: key}
	}
	return b[1+n:], nil
}
