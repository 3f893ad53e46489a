package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// isa is a level of model/kernel and the numbers in its vectors, as far as loops differ by them.
type isa struct {
	suffix string // of function names
	bytes  int    // of a vector register
	size   int    // of a number: 4 for float32, 8 for float64
}

var (
	avx512 = isa{"AVX512", 64, 4}
	avx2   = isa{"AVX2", 32, 4}
)

// double is the same level with vectors of float64.
func (a isa) double() isa { return isa{a.suffix, a.bytes, 8} }

// lanes is the number of numbers in a vector.
func (a isa) lanes() int { return a.bytes / a.size }

// vector is a fresh vector register.
func (a isa) vector() reg.VecVirtual {
	if a.bytes == 64 {
		return ZMM()
	}
	return YMM()
}

// vectors is n of them.
func (a isa) vectors(n int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, n)
	for i := range v {
		v[i] = a.vector()
	}
	return v
}

// clear sets registers to zero.
func (a isa) clear(vs ...reg.VecVirtual) {
	for _, v := range vs {
		if a.bytes == 64 {
			VPXORD(v, v, v)
		} else {
			VXORPS(v, v, v)
		}
	}
}

// sum leaves the sum of v's lanes in the lowest lane of the result: halves, quarters and so
// on are added pairwise. v is overwritten.
func (a isa) sum(v reg.VecVirtual) reg.Register {
	half := XMM()
	if a.bytes == 64 {
		upper := YMM()
		VEXTRACTF64X4(Imm(1), v, upper)
		VADDPS(upper, v.AsY(), v.AsY())
	}
	a.upper(v, half)
	VADDPS(half, v.AsX(), v.AsX())
	VPERMILPS(Imm(0b01_00_11_10), v.AsX(), half)
	VADDPS(half, v.AsX(), v.AsX())
	VPERMILPS(Imm(0b10_11_00_01), v.AsX(), half)
	VADDPS(half, v.AsX(), v.AsX())
	return v.AsX()
}

// text begins a function of this level.
func (a isa) text(name, signature, doc string, more ...string) {
	TEXT(name+a.suffix, NOSPLIT, signature)
	Pragma("noescape")
	Doc(append([]string{fmt.Sprintf("%s%s %s", name, a.suffix, doc)}, more...)...)
}

// upper copies the second four lanes of v; registers above 15 need the AVX-512 form.
func (a isa) upper(v, x reg.VecVirtual) {
	if a.bytes == 64 {
		VEXTRACTF32X4(Imm(1), v.AsY(), x)
	} else {
		VEXTRACTF128(Imm(1), v.AsY(), x)
	}
}
