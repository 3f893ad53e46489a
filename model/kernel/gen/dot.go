package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// dot writes the loops of kernel/vector.go.
func dot() {
	for _, a := range []isa{avx512, avx2} {
		a.dot()
		a.axpy()
	}
}

func (a isa) dot() {
	a.text("dot", "func(x, y *float32, n int) float32", "is Dot over n numbers.")
	x, y, n := Load(Param("x"), GP64()), Load(Param("y"), GP64()), Load(Param("n"), GP64())
	sums := a.vectors(4)
	a.clear(sums...)
	loop := func(label string, vectors int) {
		Label(label)
		CMPQ(n, U32(uint32(vectors*a.lanes())))
		JLT(LabelRef(label + "done"))
		for i := range vectors {
			v := a.vector()
			VMOVUPS(Mem{Base: x, Disp: i * a.bytes}, v)
			VFMADD231PS(Mem{Base: y, Disp: i * a.bytes}, v, sums[i])
		}
		ADDQ(U32(uint32(vectors*a.bytes)), x)
		ADDQ(U32(uint32(vectors*a.bytes)), y)
		SUBQ(U32(uint32(vectors*a.lanes())), n)
		JMP(LabelRef(label))
		Label(label + "done")
	}
	loop("four", 4)
	loop("one", 1)
	VADDPS(sums[1], sums[0], sums[0])
	VADDPS(sums[3], sums[2], sums[2])
	VADDPS(sums[2], sums[0], sums[0])
	s := a.sum(sums[0])
	v := XMM()
	Label("tail")
	TESTQ(n, n)
	JLE(LabelRef("done"))
	VMOVSS(Mem{Base: x}, v)
	VFMADD231SS(Mem{Base: y}, v, s)
	ADDQ(Imm(4), x)
	ADDQ(Imm(4), y)
	DECQ(n)
	JMP(LabelRef("tail"))
	Label("done")
	VZEROUPPER()
	Store(s, ReturnIndex(0))
	RET()
}

func (a isa) axpy() {
	a.text("axpy", "func(alpha float32, x, y *float32, n int)", "is Axpy over n numbers.")
	x, y, n := Load(Param("x"), GP64()), Load(Param("y"), GP64()), Load(Param("n"), GP64())
	alpha := a.vector()
	factor, err := Param("alpha").Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(factor.Addr, alpha)
	a.each(n, []reg.Register{x, y}, func(at int, only *lanes) {
		v, sum := a.vector(), a.vector()
		a.load(Mem{Base: x, Disp: at}, v, only)
		a.load(Mem{Base: y, Disp: at}, sum, only)
		VFMADD231PS(v, alpha, sum)
		a.store(sum, Mem{Base: y, Disp: at}, only)
	})
	VZEROUPPER()
	RET()
}
