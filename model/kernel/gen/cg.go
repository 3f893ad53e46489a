package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// cg writes the loops of kernel/cg.go.
func cg() {
	for _, a := range []isa{avx512, avx2} {
		a.affine()
		a.cgStart()
		a.cgNorm()
		a.cgFirst()
		a.cgDirection()
		a.cgStep()
	}
}

// pointers loads arguments.
func pointers(names ...string) []reg.Register {
	var p []reg.Register
	for _, name := range names {
		p = append(p, Load(Param(name), GP64()))
	}
	return p
}

// broadcast loads a float32 argument into all lanes.
func (a isa) broadcast(name string) reg.VecVirtual {
	arg, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	v := a.vector()
	VBROADCASTSS(arg.Addr, v)
	return v
}

// loads reads a vector at an offset of each pointer.
func (a isa) loads(at int, only *lanes, pointers ...reg.Register) []reg.VecVirtual {
	vs := a.vectors(len(pointers))
	for i, p := range pointers {
		a.load(Mem{Base: p, Disp: at}, vs[i], only)
	}
	return vs
}

func (a isa) affine() {
	a.text("affine", "func(dst, src *float32, scale, shift float32, n int)", "is Affine over n numbers.")
	p, n := pointers("dst", "src"), Load(Param("n"), GP64())
	scale, shift := a.broadcast("scale"), a.broadcast("shift")
	a.each(n, p, func(at int, only *lanes) {
		v := a.vector()
		a.load(Mem{Base: p[1], Disp: at}, v, only)
		VFMADD213PS(shift, scale, v)
		a.store(v, Mem{Base: p[0], Disp: at}, only)
	})
	VZEROUPPER()
	RET()
}

func (a isa) cgStart() {
	a.text("cgStart", "func(r, dl, inv, x, d *float32, ridge float32, n int)", "is CGStart over n numbers.")
	p, n := pointers("r", "dl", "inv", "x", "d"), Load(Param("n"), GP64())
	ridge, one, least := a.broadcast("ridge"), a.constant("one", 1), a.constant("least", 0x1p-126)
	zero := a.vector()
	a.clear(zero)
	a.each(n, p, func(at int, only *lanes) {
		v := a.loads(at, only, p[3], p[4])
		x, s, inv := v[0], v[1], a.vector()
		VADDPS(ridge, s, s)
		if a.bytes == 64 {
			k := K()
			VCMPPS(Imm(13), least, s, k) // s ≥ least, false for what is not a number
			VDIVPS_Z(s, one, k, inv)
		} else {
			mask := a.vector()
			VCMPPS(Imm(13), least, s, mask)
			VDIVPS(s, one, inv)
			VANDPS(mask, inv, inv)
		}
		a.store(s, Mem{Base: p[1], Disp: at}, only)
		a.store(inv, Mem{Base: p[2], Disp: at}, only)
		VFNMADD213PS(zero, s, x) // −s·x
		a.store(x, Mem{Base: p[0], Disp: at}, only)
	})
	VZEROUPPER()
	RET()
}

// norm adds r²·inv to one of the sums.
func (a isa) norm(r, inv, sum reg.VecVirtual) {
	VMULPS(r, r, r)
	VFMADD231PS(inv, r, sum)
}

func (a isa) cgNorm() {
	a.text("cgNorm", "func(r, inv *float32, n int) float32", "is CGNorm over n numbers.")
	p, n := pointers("r", "inv"), Load(Param("n"), GP64())
	sums := a.vectors(4)
	a.clear(sums...)
	a.each(n, p, func(at int, only *lanes) {
		v := a.loads(at, only, p...)
		a.norm(v[0], v[1], sums[at/a.bytes%4])
	})
	a.result(sums)
}

// result returns the sum over the lanes of four vectors.
func (a isa) result(sums []reg.VecVirtual) {
	VADDPS(sums[1], sums[0], sums[0])
	VADDPS(sums[3], sums[2], sums[2])
	VADDPS(sums[2], sums[0], sums[0])
	s := a.sum(sums[0])
	VZEROUPPER()
	Store(s, ReturnIndex(0))
	RET()
}

func (a isa) cgFirst() {
	a.text("cgFirst", "func(p, ap, r, inv, dl *float32, n int)", "is CGDirection over n numbers for beta = 0.")
	p, n := pointers("p", "ap", "r", "inv", "dl"), Load(Param("n"), GP64())
	a.each(n, p, func(at int, only *lanes) {
		v := a.loads(at, only, p[2], p[3], p[4])
		VMULPS(v[0], v[1], v[1])
		VMULPS(v[1], v[2], v[2])
		a.store(v[1], Mem{Base: p[0], Disp: at}, only)
		a.store(v[2], Mem{Base: p[1], Disp: at}, only)
	})
	VZEROUPPER()
	RET()
}

func (a isa) cgDirection() {
	a.text("cgDirection", "func(p, ap, r, inv, dl *float32, beta float32, n int)", "is CGDirection over n numbers.")
	p, n, beta := pointers("p", "ap", "r", "inv", "dl"), Load(Param("n"), GP64()), a.broadcast("beta")
	a.each(n, p, func(at int, only *lanes) {
		v := a.loads(at, only, p[0], p[2], p[3], p[4])
		VMULPS(beta, v[0], v[0])
		VFMADD231PS(v[1], v[2], v[0])
		VMULPS(v[0], v[3], v[3])
		a.store(v[0], Mem{Base: p[0], Disp: at}, only)
		a.store(v[3], Mem{Base: p[1], Disp: at}, only)
	})
	VZEROUPPER()
	RET()
}

func (a isa) cgStep() {
	a.text("cgStep", "func(x, r, p, ap, inv *float32, alpha float32, n int) float32", "is CGStep over n numbers.")
	p, n, alpha := pointers("x", "r", "p", "ap", "inv"), Load(Param("n"), GP64()), a.broadcast("alpha")
	sums := a.vectors(4)
	a.clear(sums...)
	a.each(n, p, func(at int, only *lanes) {
		v := a.loads(at, only, p...)
		VFMADD231PS(alpha, v[2], v[0])
		VFNMADD231PS(alpha, v[3], v[1])
		a.store(v[0], Mem{Base: p[0], Disp: at}, only)
		a.store(v[1], Mem{Base: p[1], Disp: at}, only)
		a.norm(v[1], v[4], sums[at/a.bytes%4])
	})
	a.result(sums)
}
