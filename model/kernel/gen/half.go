package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// half writes the loops of kernel/half.go.
func half() {
	for _, a := range []isa{avx512, avx2} {
		a.halfEncode()
		a.halfDecode()
	}
}

func (a isa) halfEncode() {
	a.text("halfEncode", "func(dst *uint16, src *float32, n int)", "is HalfEncode over n > 0 numbers, a multiple of the vector's length.")
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	Label("loop")
	v := a.vector()
	VMOVUPS(Mem{Base: src}, v)
	VCVTPS2PH(Imm(0), v, Mem{Base: dst}) // to the nearest, ties to even
	ADDQ(Imm(uint64(a.bytes)), src)
	ADDQ(Imm(uint64(a.bytes/2)), dst)
	SUBQ(Imm(uint64(a.lanes())), n)
	JNE(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

func (a isa) halfDecode() {
	a.text("halfDecode", "func(dst *float32, src *uint16, n int)", "is HalfDecode over n > 0 numbers, a multiple of the vector's length.")
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	Label("loop")
	v := a.vector()
	VCVTPH2PS(Mem{Base: src}, v)
	VMOVUPS(v, Mem{Base: dst})
	ADDQ(Imm(uint64(a.bytes/2)), src)
	ADDQ(Imm(uint64(a.bytes)), dst)
	SUBQ(Imm(uint64(a.lanes())), n)
	JNE(LabelRef("loop"))
	VZEROUPPER()
	RET()
}
