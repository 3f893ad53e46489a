package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// double writes the loops over float64.
func double() {
	for _, a := range []isa{avx512.double(), avx2.double()} {
		a.dot64()
		a.axpy64()
		a.givens64()
		a.rank2()
		a.residual64()
	}
}

// broadcast64 loads a float64 argument into all lanes.
func (a isa) broadcast64(name string) reg.VecVirtual {
	arg, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	v := a.vector()
	VBROADCASTSD(arg.Addr, v)
	return v
}

// sum64 leaves the sum over the lanes of four vectors in the lowest lane of the result.
func (a isa) sum64(v []reg.VecVirtual) reg.Register {
	VADDPD(v[1], v[0], v[0])
	VADDPD(v[3], v[2], v[2])
	VADDPD(v[2], v[0], v[0])
	s := v[0]
	if a.bytes == 64 {
		upper := YMM()
		VEXTRACTF64X4(Imm(1), s, upper)
		VADDPD(upper, s.AsY(), s.AsY())
	}
	x := XMM()
	a.upper(s, x)
	VADDPD(x, s.AsX(), s.AsX())
	VPERMILPD(Imm(1), s.AsX(), x)
	VADDPD(x, s.AsX(), s.AsX())
	return s.AsX()
}

func (a isa) dot64() {
	a.text("dot64", "func(x, y *float64, n int) float64", "is Dot64 over n numbers.")
	p, n := pointers("x", "y"), Load(Param("n"), GP64())
	sums := a.vectors(4)
	a.clear(sums...)
	a.each(n, p, func(at int, only *lanes) {
		v := a.loads(at, only, p...)
		VFMADD231PD(v[0], v[1], sums[at/a.bytes%4])
	})
	s := a.sum64(sums)
	VZEROUPPER()
	Store(s, ReturnIndex(0))
	RET()
}

func (a isa) axpy64() {
	a.text("axpy64", "func(alpha float64, x, y *float64, n int)", "is Axpy64 over n numbers.")
	p, n := pointers("x", "y"), Load(Param("n"), GP64())
	alpha := a.broadcast64("alpha")
	a.each(n, p, func(at int, only *lanes) {
		v := a.loads(at, only, p...)
		VFMADD231PD(v[0], alpha, v[1])
		a.store(v[1], Mem{Base: p[1], Disp: at}, only)
	})
	VZEROUPPER()
	RET()
}

func (a isa) givens64() {
	a.text("givens64", "func(x, y *float64, c, s float64, n int)", "is Givens64 over n numbers.")
	p, n := pointers("x", "y"), Load(Param("n"), GP64())
	c, s := a.broadcast64("c"), a.broadcast64("s")
	a.each(n, p, func(at int, only *lanes) {
		v, turned := a.loads(at, only, p...), a.vectors(2)
		VMULPD(v[1], s, turned[0])
		VFMSUB231PD(v[0], c, turned[0]) // c·x − s·y
		VMULPD(v[0], s, turned[1])
		VFMADD231PD(v[1], c, turned[1]) // s·x + c·y
		for i, v := range turned {
			a.store(v, Mem{Base: p[i], Disp: at}, only)
		}
	})
	VZEROUPPER()
	RET()
}

func (a isa) rank2() {
	a.text("rank2Symv64", "func(row, w, u, next, p *float64, a, b, c float64, n int) float64", "is Rank2Symv64 over n numbers.")
	p, n := pointers("row", "w", "u", "next", "p"), Load(Param("n"), GP64())
	x, y, z := a.broadcast64("a"), a.broadcast64("b"), a.broadcast64("c")
	sums := a.vectors(4)
	a.clear(sums...)
	a.each(n, p, func(at int, only *lanes) {
		v := a.loads(at, only, p...)
		VFNMADD231PD(v[1], x, v[0])
		VFNMADD231PD(v[2], y, v[0])
		a.store(v[0], Mem{Base: p[0], Disp: at}, only)
		VFMADD231PD(v[0], z, v[4])
		a.store(v[4], Mem{Base: p[4], Disp: at}, only)
		VFMADD231PD(v[0], v[3], sums[at/a.bytes%4])
	})
	s := a.sum64(sums)
	VZEROUPPER()
	Store(s, ReturnIndex(0))
	RET()
}

// residual64 works on one row of float32 numbers at a time.
func (a isa) residual64() {
	a.text("normalResidual64", "func(out *float64, rows, w, b *float32, p *float64, n, f int)",
		"is NormalResidual64 over n > 0 rows of f columns, f > 0 and a multiple of the vector's length.")
	args := pointers("out", "rows", "w", "b", "p")
	out, row, w, b, p := args[0], args[1], args[2], args[3], args[4]
	n, f := Load(Param("n"), GP64()), Load(Param("f"), GP64())
	at := GP64()
	decode := func() reg.VecVirtual {
		v := a.vector()
		VCVTPS2PD(Mem{Base: row, Index: at, Scale: 4}, v)
		return v
	}
	Label("row")
	sums := a.vectors(4)
	a.clear(sums...)
	XORQ(at, at)
	Label("dot")
	VFMADD231PD(Mem{Base: p, Index: at, Scale: 8}, decode(), sums[0])
	ADDQ(Imm(uint64(a.lanes())), at)
	CMPQ(at, f)
	JGE(LabelRef("sum"))
	VFMADD231PD(Mem{Base: p, Index: at, Scale: 8}, decode(), sums[1])
	ADDQ(Imm(uint64(a.lanes())), at)
	CMPQ(at, f)
	JLT(LabelRef("dot"))
	Label("sum")
	s := a.sum64(sums)
	x, factor := XMM(), a.vector()
	VCVTSS2SD(Mem{Base: w}, s, x) // the upper lane is of no use
	VMULSD(s, x, s)
	VCVTSS2SD(Mem{Base: b}, s, x)
	VSUBSD(s, x, s)
	VBROADCASTSD(s, factor)
	XORQ(at, at)
	Label("add")
	v, sum := decode(), a.vector()
	m := Mem{Base: out, Index: at, Scale: 8}
	VMOVUPD(m, sum)
	VFMADD231PD(v, factor, sum)
	VMOVUPD(sum, m)
	ADDQ(Imm(uint64(a.lanes())), at)
	CMPQ(at, f)
	JLT(LabelRef("add"))
	LEAQ(Mem{Base: row, Index: f, Scale: 4}, row)
	ADDQ(Imm(4), w)
	ADDQ(Imm(4), b)
	DECQ(n)
	JNE(LabelRef("row"))
	VZEROUPPER()
	RET()
}
