package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// centroid writes the loops of kernel/centroid.go.
func centroid() {
	avx512.distances()
	avx2.distances()
}

// distances keeps four sums for every vector of centroids, so that none waits for the one before.
func (a isa) distances() {
	a.text("distances", "func(dst, centroids, x *float32, d int)", "writes the squared distances of x to one block of 16 centroids, for d > 0.")
	dst, centroids := Load(Param("dst"), GP64()), Load(Param("centroids"), GP64())
	x, d := Load(Param("x"), GP64()), Load(Param("d"), GP64())
	sums := make([][]reg.VecVirtual, 64/a.bytes)
	for v := range sums {
		sums[v] = a.vectors(4)
		a.clear(sums[v]...)
	}
	loop := func(label string, dims int) {
		Label(label)
		CMPQ(d, Imm(uint64(dims)))
		JLT(LabelRef(label + "done"))
		for j := range dims {
			value := a.vector()
			VBROADCASTSS(Mem{Base: x, Disp: 4 * j}, value)
			for v := range sums {
				off := a.vector()
				VSUBPS(Mem{Base: centroids, Disp: 64*j + v*a.bytes}, value, off)
				VFMADD231PS(off, off, sums[v][j])
			}
		}
		ADDQ(Imm(uint64(4*dims)), x)
		ADDQ(U32(uint32(64*dims)), centroids)
		SUBQ(Imm(uint64(dims)), d)
		JMP(LabelRef(label))
		Label(label + "done")
	}
	loop("four", 4)
	loop("one", 1)
	for v, sum := range sums {
		VADDPS(sum[1], sum[0], sum[0])
		VADDPS(sum[3], sum[2], sum[2])
		VADDPS(sum[2], sum[0], sum[0])
		VMOVUPS(sum[0], Mem{Base: dst, Disp: v * a.bytes})
	}
	VZEROUPPER()
	RET()
}
