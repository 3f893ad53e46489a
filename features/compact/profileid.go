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
	id = id[:idBytes]
	var bad uint8
	digits := func(from, to int) (v uint64) {
		for i := from; i < to; i++ {
			d := idDigit[id[i]]
			bad |= d
			v = v<<5 | uint64(d&31)
		}
		return v
	}
	first, middle, second, last := digits(0, 12), digits(12, 13), digits(13, 25), digits(25, 26)
	key[0] = first<<4 | middle>>1
	key[1] = middle<<63 | second<<3 | last>>2
	return key, bad&0xe0 == 0 && last&3 == 0
}

// idDigit is the value of a digit; 0xff for any other byte.
var idDigit = func() (t [256]uint8) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range len(idDigits) {
		t[idDigits[i]] = uint8(i)
	}
	return t
}()

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
