package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// dotRows writes the loops of kernel/scan_dots.go.
func dotRows() {
	avx512.dotRows()
	avx2.dotRows()
}

// dotRowsAhead is how many rows ahead of the one in work are fetched.
const dotRowsAhead = 8

// dotRows adds in the order of dot: the same row and query give the same bits.
func (a isa) dotRows() {
	a.text("dotRows", "func(dst, table *float32, rows *int32, n int, q *float32, f int)", "is DotRows for n > 0 rows of f > 0 numbers.")
	dst, table := Load(Param("dst"), GP64()), Load(Param("table"), GP64())
	rows, n := Load(Param("rows"), GP64()), Load(Param("n"), GP64())
	q, f := Load(Param("q"), GP64()), Load(Param("f"), GP64())
	stride := GP64()
	MOVQ(f, stride)
	SHLQ(Imm(2), stride)

	at := func(i int) reg.GPVirtual { // the address of the i-th row from here
		p := GP64()
		MOVLQSX(Mem{Base: rows, Disp: 4 * i}, p)
		IMULQ(stride, p)
		ADDQ(table, p)
		return p
	}

	Label("row")
	x, y, left := at(0), GP64(), GP64()
	MOVQ(q, y)
	MOVQ(f, left)
	ahead := GP64()
	MOVQ(x, ahead)
	CMPQ(n, Imm(dotRowsAhead))
	JLE(LabelRef("begin"))
	MOVQ(at(dotRowsAhead), ahead)
	Label("begin")
	sums := a.vectors(4)
	a.clear(sums...)
	loop := func(label string, count int) {
		Label(label)
		CMPQ(left, Imm(uint64(count*a.lanes())))
		JLT(LabelRef(label + "done"))
		for i := range count {
			v := a.vector()
			VMOVUPS(Mem{Base: x, Disp: i * a.bytes}, v)
			VFMADD231PS(Mem{Base: y, Disp: i * a.bytes}, v, sums[i])
			if i*a.bytes%64 == 0 {
				PREFETCHT0(Mem{Base: ahead, Disp: i * a.bytes})
			}
		}
		for _, p := range []reg.GPVirtual{x, y, ahead} {
			ADDQ(U32(uint32(count*a.bytes)), p)
		}
		SUBQ(Imm(uint64(count*a.lanes())), left)
		JMP(LabelRef(label))
		Label(label + "done")
	}
	loop("four", 4)
	loop("one", 1)

	VADDPS(sums[1], sums[0], sums[0])
	VADDPS(sums[3], sums[2], sums[2])
	VADDPS(sums[2], sums[0], sums[0])
	sum := a.sum(sums[0])

	Label("single")
	TESTQ(left, left)
	JZ(LabelRef("done"))
	v := XMM()
	VMOVSS(Mem{Base: x}, v)
	VFMADD231SS(Mem{Base: y}, v, sum)
	ADDQ(Imm(4), x)
	ADDQ(Imm(4), y)
	DECQ(left)
	JMP(LabelRef("single"))

	Label("done")
	VMOVSS(sum, Mem{Base: dst})
	ADDQ(Imm(4), dst)
	ADDQ(Imm(4), rows)
	DECQ(n)
	JNZ(LabelRef("row"))
	VZEROUPPER()
	RET()
}
