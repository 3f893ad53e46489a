package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// mirror writes a transposition of blocks of 8 × 8, which for 8 lanes is the same at both levels:
// pairs of rows are interleaved three times, by one, two and four numbers.
func mirror(name string, up bool) {
	doc := "lower triangle from the upper one"
	if up {
		doc = "upper triangle from the lower one"
	}
	TEXT(name, NOSPLIT, "func(a *float32, n, blocks int)")
	Pragma("noescape")
	Doc(name+" writes, in the leading 8·blocks rows and columns of a, an n × n matrix, the", doc+". It needs AVX2.")
	a, stride, blocks := Load(Param("a"), GP64()), Load(Param("n"), GP64()), Load(Param("blocks"), GP64())
	SHLQ(Imm(2), stride)
	stride3, stride8 := GP64(), GP64()
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	MOVQ(stride, stride8)
	SHLQ(Imm(3), stride8)
	rows := func(base reg.Register) (at [8]Mem) { // the base of rows 4 to 7 is a new register
		base4 := GP64()
		LEAQ(Mem{Base: base, Index: stride, Scale: 4}, base4)
		for i := range at {
			at[i] = Mem{Base: base}
			if i >= 4 {
				at[i].Base = base4
			}
			switch i % 4 {
			case 1:
				at[i].Index, at[i].Scale = stride, 1
			case 2:
				at[i].Index, at[i].Scale = stride, 2
			case 3:
				at[i].Index, at[i].Scale = stride3, 1
			}
		}
		return at
	}
	// The diagonal block, and then those below it, which mirror those to its right.
	Label("diagonal")
	at := rows(a)
	from := avx2.vectors(8)
	for i, m := range at {
		VMOVUPS(m, from[i])
	}
	for i, turned := range transpose8(from) {
		lower := uint64(1<<i - 1) // lanes left of the diagonal
		own := avx2.vector()
		VMOVUPS(at[i], own)
		if up {
			VBLENDPS(Imm(255&^lower), turned, own, own)
		} else {
			VBLENDPS(Imm(lower), turned, own, own)
		}
		VMOVUPS(own, at[i])
	}
	below, right, left := GP64(), GP64(), GP64()
	LEAQ(Mem{Base: a, Index: stride8, Scale: 1}, below)
	LEAQ(Mem{Base: a, Disp: 32}, right)
	MOVQ(blocks, left)
	Label("block")
	DECQ(left)
	JEQ(LabelRef("next"))
	src, dst := below, right
	if !up {
		src, dst = right, below
	}
	block := avx2.vectors(8)
	for i, m := range rows(src) {
		VMOVUPS(m, block[i])
	}
	out := transpose8(block)
	for i, m := range rows(dst) {
		VMOVUPS(out[i], m)
	}
	ADDQ(stride8, below)
	ADDQ(Imm(32), right)
	JMP(LabelRef("block"))
	Label("next")
	ADDQ(stride8, a)
	ADDQ(Imm(32), a)
	DECQ(blocks)
	JNE(LabelRef("diagonal"))
	VZEROUPPER()
	RET()
}

// transpose8 returns the columns of eight rows of eight.
func transpose8(r []reg.VecVirtual) []reg.VecVirtual {
	t := avx2.vectors(8)
	for i := 0; i < 8; i += 2 {
		VUNPCKLPS(r[i+1], r[i], t[i])
		VUNPCKHPS(r[i+1], r[i], t[i+1])
	}
	u := avx2.vectors(8)
	for i := 0; i < 8; i += 4 {
		VUNPCKLPD(t[i+2], t[i], u[i])
		VUNPCKHPD(t[i+2], t[i], u[i+1])
		VUNPCKLPD(t[i+3], t[i+1], u[i+2])
		VUNPCKHPD(t[i+3], t[i+1], u[i+3])
	}
	v := avx2.vectors(8)
	for i := range 4 {
		VPERM2F128(Imm(0x20), u[i+4], u[i], v[i])
		VPERM2F128(Imm(0x31), u[i+4], u[i], v[i+4])
	}
	return v
}
