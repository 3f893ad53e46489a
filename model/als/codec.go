package als

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// codecVersion is the first byte of an encoded model.
const codecVersion = 1

// codecHeader is the length of everything before the factors: version, objective,
// f, n, and λ, a0, ν, s.
const codecHeader = 1 + 1 + 4 + 4 + 4*8

// maxFactor is larger than any factor that a fit makes and small enough for
// products of factors to stay finite in float32.
const maxFactor = 1e12

// MarshalBinary encodes the items' factors and the objective, little-endian: version
// byte, objective byte (0 ials, 1 hkv), uint32 f and n, float64 λ, a0, ν and s, then n × f float32.
// People's factors are left out: they are folded in.
func (m *Model) MarshalBinary() ([]byte, error) {
	b := make([]byte, 0, codecHeader+4*len(m.items))
	kind := byte(0)
	if m.loss.hkv {
		kind = 1
	}
	b = append(b, codecVersion, kind)
	b = binary.LittleEndian.AppendUint32(b, uint32(m.f))
	b = binary.LittleEndian.AppendUint32(b, uint32(m.n))
	for _, v := range []float64{m.loss.regularization, m.loss.unobserved, m.loss.exponent, m.loss.scale} {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	for _, v := range m.items {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b, nil
}

// UnmarshalBinary replaces m by the encoded model. It refuses an unknown version,
// bytes that are too few or too many for the shape, and numbers that no fit makes.
func (m *Model) UnmarshalBinary(b []byte) error {
	if len(b) == 0 {
		return errors.New("decode als: no bytes")
	}
	if b[0] != codecVersion {
		return fmt.Errorf("decode als: version %d: this build reads %d", b[0], codecVersion)
	}
	if len(b) < codecHeader {
		return fmt.Errorf("decode als: %d bytes: the header alone has %d", len(b), codecHeader)
	}
	if b[1] > 1 {
		return fmt.Errorf("decode als: objective %d: this build reads 0 and 1", b[1])
	}
	f, n := binary.LittleEndian.Uint32(b[2:]), binary.LittleEndian.Uint32(b[6:])
	var numbers [4]float64
	for i := range numbers {
		numbers[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[10+8*i:]))
		if math.IsNaN(numbers[i]) || math.IsInf(numbers[i], 0) || numbers[i] < 0 {
			return fmt.Errorf("decode als: header number %d is %v: must be finite and not negative", i, numbers[i])
		}
	}
	body := b[codecHeader:]
	if f < 1 || f > maxFactors || n > math.MaxInt32 || uint64(len(body)) != 4*uint64(f)*uint64(n) {
		return fmt.Errorf("decode als: %d bytes of factors do not hold %d items × %d factors", len(body), n, f)
	}
	items := make([]float32, int(f)*int(n))
	for i := range items {
		items[i] = math.Float32frombits(binary.LittleEndian.Uint32(body[4*i:]))
		if v := float64(items[i]); !(math.Abs(v) <= maxFactor) {
			return fmt.Errorf("decode als: factor %d of item %d is %v: must be at most %v", i%int(f), i/int(f), v, maxFactor)
		}
	}
	loss := objective{
		hkv: b[1] == 1, regularization: numbers[0], unobserved: numbers[1], exponent: numbers[2], scale: numbers[3],
	}
	*m = *newModel(loss, int(f), items, nil)
	return nil
}
