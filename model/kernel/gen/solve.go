package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Both solvers read b from work and write the solution to dst, so that a step may change
// numbers of work that are no longer needed: it works on whole vectors, from the one that holds the next
// number on, and its stores can feed the loads of the next step, which masked ones cannot.

// forward solves Uᵀy = b by the rows of U.
func (a isa) forward() {
	a.text("choleskyForward", "func(dst, work, a *float32, n int)", "solves Uᵀy = b for the upper triangle U of a and b in work,",
		"which has room for whole vectors and is lost. n is at least 16.")
	dst, work, row, n := Load(Param("dst"), GP64()), Load(Param("work"), GP64()), Load(Param("a"), GP64()), Load(Param("n"), GP64())
	i := GP64()
	XORQ(i, i)
	Label("row")
	factor := a.quotient(dst, work, row, i)
	INCQ(i)
	CMPQ(i, n)
	JEQ(LabelRef("end"))
	at := GP64()
	MOVQ(i, at)
	ANDQ(I32(-int32(a.lanes())), at)
	Label("column")
	a.subtract(factor, work, row, at)
	CMPQ(at, n)
	JLT(LabelRef("column"))
	LEAQ(Mem{Base: row, Index: n, Scale: 4}, row)
	JMP(LabelRef("row"))
	Label("end")
	VZEROUPPER()
	RET()
}

// backward solves Lᵀx = b by the rows of L.
func (a isa) backward() {
	a.text("choleskyBackward", "func(dst, work, a *float32, n, count int)", "solves Lᵀx = b for the lower triangle L of a, an n × n matrix, and b in",
		"work, which has room for whole vectors and is lost, in the first count > 0 rows; there count < n, and n is at least 16.")
	dst, work, row, n := Load(Param("dst"), GP64()), Load(Param("work"), GP64()), Load(Param("a"), GP64()), Load(Param("n"), GP64())
	i := Load(Param("count"), GP64())
	SHLQ(Imm(2), n)
	last := GP64()
	DECQ(i)
	MOVQ(i, last)
	IMULQ(n, last)
	ADDQ(last, row)
	Label("row")
	factor := a.quotient(dst, work, row, i)
	TESTQ(i, i)
	JEQ(LabelRef("end"))
	at := GP64()
	XORQ(at, at)
	Label("column")
	a.subtract(factor, work, row, at)
	CMPQ(at, i)
	JLT(LabelRef("column"))
	DECQ(i)
	SUBQ(n, row)
	JMP(LabelRef("row"))
	Label("end")
	VZEROUPPER()
	RET()
}

// quotient divides number i of work by the pivot in the row, writes it to dst and returns it in
// all lanes. The inverse of the pivot does not wait for the last step.
func (a isa) quotient(dst, work, row, i reg.Register) reg.VecVirtual {
	factor, x := a.vector(), XMM()
	VMOVSS(a.memory("one", 1), x)
	VDIVSS(Mem{Base: row, Index: i, Scale: 4}, x, x)
	VMULSS(Mem{Base: work, Index: i, Scale: 4}, x, x)
	VMOVSS(x, Mem{Base: dst, Index: i, Scale: 4})
	VBROADCASTSS(x, factor)
	return factor
}

// subtract takes factor times a vector of row from that of work, and moves at behind it.
func (a isa) subtract(factor reg.VecVirtual, work, row, at reg.Register) {
	v, m := a.vector(), Mem{Base: work, Index: at, Scale: 4}
	VMOVUPS(m, v)
	VFNMADD231PS(Mem{Base: row, Index: at, Scale: 4}, factor, v)
	VMOVUPS(v, m)
	ADDQ(Imm(uint64(a.lanes())), at)
}
