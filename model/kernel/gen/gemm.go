package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
)

// The packing and the blocks of kernel/gemm.go, in numbers.
const (
	gemmRows  = 12
	gemmCols  = 32
	gemmBlock = 384
)

// gemm writes the micro-kernels of kernel/gemm.go.
func gemm() {
	avx512.gemmTile(gemmRows, gemmCols)
	avx2.gemmTile(gemmRows/2, gemmCols/2)
}

// gemmTile writes the one of rows × cols numbers. A and B are packed for tiles of
// gemmRows × gemmCols, whatever the size of this one.
func (v isa) gemmTile(rows, cols int) {
	v.text("gemmTile", "func(c, a, b *float32, k int)",
		fmt.Sprintf("is %d × %d numbers of gemmTile: c is the first of them, a and b are the first", rows, cols),
		"numbers of the packed panels that they need.")
	c, a, b, k := Load(Param("c"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64()), Load(Param("k"), GP64())
	width := cols / v.lanes()
	for i := range rows { // C is needed at the end only: ask for it now
		for off := 0; off < cols*4; off += 64 {
			PREFETCHT0(Mem{Base: c, Disp: i*gemmBlock*4 + off})
		}
	}
	sums, bs := v.vectors(rows*width), v.vectors(width)
	v.clear(sums...)
	as := v.vectors(2) // so that a broadcast does not wait for the products before
	step := func(n int) {
		for j := range bs {
			VMOVUPS(Mem{Base: b, Disp: n*gemmCols*4 + j*v.bytes}, bs[j])
		}
		for i := range rows {
			x := as[i%len(as)]
			VBROADCASTSS(Mem{Base: a, Disp: (n*gemmRows + i) * 4}, x)
			for j := range bs {
				VFMADD231PS(bs[j], x, sums[i*width+j])
			}
		}
	}
	advance := func(n int) {
		ADDQ(U32(uint32(n*gemmRows*4)), a)
		ADDQ(U32(uint32(n*gemmCols*4)), b)
	}
	const unroll = 4
	CMPQ(k, U8(unroll))
	JLT(LabelRef("tail"))
	Label("loop")
	for n := range unroll {
		step(n)
	}
	advance(unroll)
	SUBQ(U8(unroll), k)
	CMPQ(k, U8(unroll))
	JGE(LabelRef("loop"))
	Label("tail")
	TESTQ(k, k)
	JEQ(LabelRef("done"))
	step(0)
	advance(1)
	DECQ(k)
	JMP(LabelRef("tail"))
	Label("done")
	for i := range rows {
		for j := range width {
			at := Mem{Base: c, Disp: i*gemmBlock*4 + j*v.bytes}
			VMOVUPS(at, bs[j])
			VSUBPS(sums[i*width+j], bs[j], bs[j])
			VMOVUPS(bs[j], at)
		}
	}
	VZEROUPPER()
	RET()
}
