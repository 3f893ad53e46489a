package compact

import (
	"crypto/sha256"
	"encoding/binary"

	"kindred/data"
)

// idBytes is the length of a profile id as data.NewProfileID makes it: sixteen bytes
// in base32 with the digits 0 to 9 and a to v, and no padding.
const idBytes = 26

// parseID reads a profile id of that form.
func parseID(id string) (key [2]uint64, ok bool) {
	if len(id) != idBytes {
		return key, false
	}
	var hi, lo uint64 // of 130 bits; the last two are zero
	for i := range idBytes {
		c := id[i]
		var digit uint64
		switch {
		case c >= '0' && c <= '9':
			digit = uint64(c - '0')
		case c >= 'a' && c <= 'v':
			digit = uint64(c-'a') + 10
		default:
			return key, false
		}
		if i == idBytes-1 {
			if digit&3 != 0 {
				return key, false
			}
			hi, lo = hi<<3|lo>>61, lo<<3|digit>>2
			break
		}
		hi, lo = hi<<5|lo>>59, lo<<5|digit
	}
	return [2]uint64{hi, lo}, true
}

const idDigits = "0123456789abcdefghijklmnopqrstuv"

// appendID is the inverse of parseID.
func appendID(dst []byte, key [2]uint64) []byte {
	hi, lo := key[0], key[1]
	for range idBytes - 1 {
		dst = append(dst, idDigits[hi>>59])
		hi, lo = hi<<5|lo>>59, lo<<5
	}
	return append(dst, idDigits[hi>>61<<2])
}

// keyOf is what a profile is filed under: the sixteen bytes of its id, or of the
// SHA-256 of an id of another form, which foreign says.
func keyOf(id data.ProfileID) (key [2]uint64, isForeign bool) {
	if key, ok := parseID(string(id)); ok {
		return key, false
	}
	sum := sha256.Sum256([]byte(id))
	return [2]uint64{binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16])}, true
}
