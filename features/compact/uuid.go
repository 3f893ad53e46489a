package compact

// uuidBytes is the length of a UUID's text, 8-4-4-4-12 hexadecimal digits.
const uuidBytes = 36

// hexDigit is the value of a digit in lower case; 0xff for any other byte.
var hexDigit = func() (t [256]uint8) {
	for i := range t {
		t[i] = 0xff
	}
	for i, c := range []byte("0123456789abcdef") {
		t[c] = uint8(i)
	}
	return t
}()

// parseUUID reads a UUID in lower case; anything else is not one.
func parseUUID(s string) (id [2]uint64, ok bool) {
	if len(s) != uuidBytes || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, false
	}
	s = s[:uuidBytes]
	var bad uint8
	group := func(from, to int) (v uint64) {
		for i := from; i < to; i++ {
			d := hexDigit[s[i]]
			bad |= d
			v = v<<4 | uint64(d&15)
		}
		return v
	}
	id[0] = group(0, 8)<<32 | group(9, 13)<<16 | group(14, 18)
	id[1] = group(19, 23)<<48 | group(24, 36)
	return id, bad&0xf0 == 0
}

// appendUUID is the inverse of parseUUID.
func appendUUID(dst []byte, id [2]uint64) []byte {
	const digits = "0123456789abcdef"
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			dst = append(dst, '-')
		}
		dst = append(dst, digits[id[i/16]>>(60-4*(i%16))&15])
	}
	return dst
}
