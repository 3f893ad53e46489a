package kernel_test

import (
	"math"
	"testing"

	"kindred/model/kernel"
)

// TestEveryHalfIsDecodedAndEncodedAtEveryLevel goes through all 65536, and through the float32
// numbers on, just below and just above each and the middle to the next.
func TestEveryHalfIsDecodedAndEncodedAtEveryLevel(t *testing.T) {
	halves := make([]uint16, 1<<16)
	for i := range halves {
		halves[i] = uint16(i)
	}
	value := func(h uint16) float64 { // by the standard
		sign, exponent, mantissa := 1-2*float64(h>>15), int(h>>10)&31, float64(h&1023)
		switch {
		case exponent == 31 && mantissa > 0:
			return math.NaN()
		case exponent == 31:
			return sign * math.Inf(1)
		case exponent == 0:
			return sign * mantissa * 0x1p-24
		}
		return sign * (1 + mantissa/1024) * math.Ldexp(1, exponent-15)
	}
	kernel.AtEveryLevel(t, func(t *testing.T) {
		decoded, back := make([]float32, len(halves)), make([]uint16, len(halves))
		kernel.HalfDecode(decoded, halves)
		kernel.HalfEncode(back, decoded)
		for h, got := range decoded {
			want := value(uint16(h))
			if float64(got) != want && !(math.IsNaN(want) && got != got) {
				t.Fatalf("half %#04x = %v, want %v", h, got, want)
			}
			if quiet := uint16(h) | 0x200; back[h] != uint16(h) && !(math.IsNaN(want) && back[h] == quiet) {
				t.Fatalf("half %#04x became %#04x", h, back[h])
			}
		}
		for h := range uint16(0x7c00) {
			low, high := value(h), value(h+1)
			if h == 0x7bff {
				high = 65536 // where the next would be
			}
			middle := (low + high) / 2
			even := h + h&1
			for _, tt := range []struct {
				v    float32
				want uint16
			}{
				{float32(low), h},
				{float32(middle), even},
				{math.Nextafter32(float32(middle), 0), h},
				{math.Nextafter32(float32(middle), 1e9), h + 1},
			} {
				for _, sign := range []uint16{0, 0x8000} {
					src, dst := make([]float32, 17), make([]uint16, 17)
					for i := range src {
						src[i] = tt.v * float32(1-2*int(sign>>15))
					}
					kernel.HalfEncode(dst, src)
					for _, got := range dst {
						if got != tt.want|sign {
							t.Fatalf("%v = %#04x, want %#04x", src[0], got, tt.want|sign)
						}
					}
				}
			}
		}
	})
}

func FuzzHalf(f *testing.F) {
	for _, bits := range []uint32{0, 1, 0x33000000, 0x33000001, 0x387fffff, 0x477fefff, 0x477ff000, 0x7f800000, 0x7f800001, 0xffffffff} {
		f.Add(bits)
	}
	f.Fuzz(func(t *testing.T, bits uint32) {
		src := make([]float32, 19)
		for i := range src {
			src[i] = math.Float32frombits(bits)
		}
		var first []uint16
		for l := kernel.Generic; l <= kernel.BestLevel(); l++ {
			kernel.SetLevel(t, l)
			dst := make([]uint16, len(src))
			kernel.HalfEncode(dst, src)
			if first == nil {
				first = dst
			}
			for i := range dst {
				if dst[i] != first[0] {
					t.Fatalf("%#08x becomes %#04x at level %v and %#04x in plain Go", bits, dst[i], l, first[0])
				}
			}
		}
	})
}
