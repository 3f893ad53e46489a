package retrieve

import "math"

// quantizer is the scratch of quantising.
type quantizer struct {
	f, d  int
	y     []float32 // a block's rows, rotated and padded to d
	norms [16]float64
}

func newQuantizer(f, d int) *quantizer { return &quantizer{f: f, d: d, y: make([]float32, 16*d)} }

// group writes the codes and the meta of group g of s.
func (z *quantizer) group(s *segment, r *rotation, g int, codes []uint8, meta []float32) {
	for block := range 4 {
		clear(z.y)
		for i := range 16 {
			z.norms[i] = 0
			if position := g*group + block*16 + i; position < s.rows {
				row := int(s.row(position))
				v := s.vectors[row*z.f : (row+1)*z.f]
				copy(z.y[i*z.d:], v)
				z.norms[i] = norm(v)
			}
		}
		meta[block], meta[4+block], meta[8+block] = z.block(r, codes[block*64:])
	}
}

// block quantises the 16 rows in z into their part of the group's codes and returns 1/scale, the greatest error and the
// greatest norm among them, the last two rounded up.
func (z *quantizer) block(r *rotation, codes []uint8) (invScale, e, n float32) {
	d, highest := z.d, float32(0)
	for i := range 16 {
		y := z.y[i*d : (i+1)*d]
		if !(z.norms[i] >= lightest && z.norms[i] <= heaviest) {
			clear(y)
			continue
		}
		r.apply(y)
		for _, v := range y {
			highest = max(highest, v, -v)
		}
	}
	scale := highest / 127
	if highest == 0 {
		scale = 1
	}
	greatestError, greatestNorm := 0.0, 0.0
	for i := range 16 {
		y, size := z.y[i*d:(i+1)*d], z.norms[i]
		sum := 0.0
		for j, v := range y {
			code := int(math.RoundToEven(float64(v) / float64(scale)))
			code = max(-127, min(127, code))
			codes[j>>2<<8+i<<2+j&3] = uint8(code + 128)
			left := float64(v) - float64(scale)*float64(code)
			sum += left * left
		}
		off := math.Sqrt(sum) + r.error()*size
		switch {
		case size > heaviest:
			off = math.Inf(1)
		case size < lightest:
			off = size
		}
		greatestError, greatestNorm = max(greatestError, off), max(greatestNorm, size)
	}
	return 1 / scale, float32(greatestError * up), float32(greatestNorm * up)
}
