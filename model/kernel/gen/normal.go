package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// passRows is the number of rows that a pass works on together: as many sums are in
// flight, and their reduction costs half of what it costs one by one.
const passRows = 4

// pass is the state of one pass over packed rows: the sums of rows with p, and after it the rows
// scaled by them added to out.
type pass struct {
	isa
	f           reg.Register // columns; unused if fixed
	fixed       int          // columns if they are a constant of the function, or 0
	whole       reg.Register // bytes of a row's whole vectors
	rest        lanes
	stride      reg.Register // bytes of a row
	stride3     reg.Register
	p, out      reg.Register
	w, b        reg.Register // of the next row; b is 0 for a product
	coefficient Mem          // room for passRows numbers
	ps, outs    []reg.VecVirtual
	// What the whole vectors of a row leave over stays in registers: a masked store could not feed
	// the load of the next rows.
	restP, restOut reg.VecVirtual
}

// normal writes the loops of kernel/rows.go.
func normal() {
	for _, f := range []int{64, 128, 192, 256} {
		avx512.normal(f)
	}
	for _, a := range []isa{avx512, avx2} {
		a.normal(0)
		a.gemv()
	}
}

// normal writes a pass over rows that lie one after the other, of fixed columns or any number if that is 0.
func (a isa) normal(fixed int) {
	name, doc := "normal", "adds the rows times w·(row·p), or b − w·(row·p) where b is not nil, to out, for n > 0."
	if fixed > 0 {
		name, doc = fmt.Sprintf("normal%d", fixed), fmt.Sprintf("is normal%s for f = %d.", a.suffix, fixed)
	}
	a.text(name, "func(out, rows, w, b, p *float32, n, f int)", doc)
	c := a.newPass(fixed)
	row, n := Load(Param("rows"), GP64()), Load(Param("n"), GP64())
	c.begin()
	Label("rows4")
	CMPQ(n, Imm(passRows))
	JLT(LabelRef("rows1"))
	c.rows("four", row, passRows)
	SUBQ(Imm(passRows), n)
	JMP(LabelRef("rows4"))
	Label("rows1")
	TESTQ(n, n)
	JLE(LabelRef("done"))
	c.rows("one", row, 1)
	DECQ(n)
	JMP(LabelRef("rows1"))
	Label("done")
	c.end()
	VZEROUPPER()
	RET()
}

// newPass loads the arguments that all passes have.
func (a isa) newPass(fixed int) *pass {
	c := &pass{isa: a, fixed: fixed}
	c.out, c.p = Load(Param("out"), GP64()), Load(Param("p"), GP64())
	c.w, c.b = Load(Param("w"), GP64()), Load(Param("b"), GP64())
	c.coefficient = AllocLocal(4 * passRows)
	if fixed == 0 {
		c.f = Load(Param("f"), GP64())
		c.rest, c.whole = a.rest(c.f)
		s, s3 := GP64(), GP64()
		MOVQ(c.f, s)
		SHLQ(Imm(2), s)
		LEAQ(Mem{Base: s, Index: s, Scale: 2}, s3)
		c.stride, c.stride3 = s, s3
	}
	return c
}

// begin takes into registers what is to stay there.
func (c *pass) begin() {
	if c.fixed == 0 {
		c.restP = c.vector()
		c.load(Mem{Base: c.p, Index: c.whole, Scale: 1}, c.restP, &c.rest)
		if c.out != nil {
			c.restOut = c.vector()
			c.load(Mem{Base: c.out, Index: c.whole, Scale: 1}, c.restOut, &c.rest)
		}
		return
	}
	for i := range c.fixed / c.lanes() {
		v := c.vector()
		VMOVUPS(Mem{Base: c.out, Disp: i * c.bytes}, v)
		c.outs = append(c.outs, v)
		if c.fixed <= 128 {
			v := c.vector()
			VMOVUPS(Mem{Base: c.p, Disp: i * c.bytes}, v)
			c.ps = append(c.ps, v)
		}
	}
}

// end writes it back.
func (c *pass) end() {
	if c.fixed == 0 {
		c.store(c.restOut, Mem{Base: c.out, Index: c.whole, Scale: 1}, &c.rest)
	}
	for i, v := range c.outs {
		VMOVUPS(v, Mem{Base: c.out, Disp: i * c.bytes})
	}
}

// at is the i-th row's vector at disp bytes behind base.
func (c *pass) at(base reg.Register, i, disp int) Mem {
	if c.fixed > 0 {
		return Mem{Base: base, Disp: i*c.fixed*4 + disp}
	}
	m := Mem{Base: base, Disp: disp}
	switch i {
	case 1:
		m.Index, m.Scale = c.stride, 1
	case 2:
		m.Index, m.Scale = c.stride, 2
	case 3:
		m.Index, m.Scale = c.stride3, 1
	}
	return m
}

// rows works on n rows from row on, passRows or 1, and moves row, w and b behind them.
func (c *pass) rows(label string, row reg.Register, n int) {
	sums := c.vectors(n)
	c.dots(label, row, sums)
	c.finish(label, row, sums)
}

// finish adds the rows, whose inner products with p are sums, and moves on.
func (c *pass) finish(label string, row reg.Register, sums []reg.VecVirtual) {
	n := len(sums)
	c.scale(label, sums)
	factors := sums
	if n > 1 {
		factors = c.vectors(n)
		for i := range factors {
			VBROADCASTSS(c.coefficient.Offset(4*i), factors[i])
		}
	}
	c.add(label, row, factors)
	c.forward(row, n)
	step := uint64(4 * n)
	ADDQ(Imm(step), c.w)
	TESTQ(c.b, c.b)
	JEQ(LabelRef(label + "moved"))
	ADDQ(Imm(step), c.b)
	Label(label + "moved")
}

// forward moves row by n rows.
func (c *pass) forward(row reg.Register, n int) {
	switch {
	case c.fixed > 0:
		ADDQ(U32(uint32(n*c.fixed*4)), row)
	case n == passRows:
		LEAQ(Mem{Base: row, Index: c.stride, Scale: passRows}, row)
	default:
		ADDQ(c.stride, row)
	}
}

// dots computes the inner products with p, not yet added over the lanes.
func (c *pass) dots(label string, row reg.Register, sums []reg.VecVirtual) {
	if c.fixed > 0 {
		for j := range c.fixed / c.lanes() {
			v := c.vector()
			if c.ps != nil {
				v = c.ps[j]
			} else {
				VMOVUPS(Mem{Base: c.p, Disp: j * c.bytes}, v)
			}
			for i, s := range sums {
				if j == 0 {
					VMULPS(c.at(row, i, 0), v, s)
				} else {
					VFMADD231PS(c.at(row, i, j*c.bytes), v, s)
				}
			}
		}
		return
	}
	c.clear(sums...)
	c.columns(label+"dot", func(at reg.Register, only *lanes) {
		p, from := c.restP, GP64()
		if only == nil {
			p = c.vector()
			VMOVUPS(Mem{Base: c.p, Index: at, Scale: 1}, p)
		}
		LEAQ(Mem{Base: row, Index: at, Scale: 1}, from)
		for i, s := range sums {
			if only == nil {
				VFMADD231PS(c.at(from, i, 0), p, s)
				continue
			}
			v := c.vector()
			c.load(c.at(from, i, 0), v, only)
			VFMADD231PS(v, p, s)
		}
	})
}

// columns writes a loop over the vectors of a row: do is given the offset in bytes.
func (c *pass) columns(label string, do func(at reg.Register, only *lanes)) {
	at := GP64()
	XORQ(at, at)
	CMPQ(at, c.whole)
	JGE(LabelRef(label + "rest"))
	Label(label)
	do(at, nil)
	ADDQ(Imm(uint64(c.bytes)), at)
	CMPQ(at, c.whole)
	JLT(LabelRef(label))
	Label(label + "rest")
	TESTQ(c.rest.count, c.rest.count)
	JEQ(LabelRef(label + "done"))
	do(at, &c.rest)
	Label(label + "done")
}

// scale makes the factors of the rows: of several in memory, at coefficient; of one in all lanes of
// the register itself.
func (c *pass) scale(label string, sums []reg.VecVirtual) {
	var s reg.Register
	w := XMM()
	if len(sums) == 1 {
		s = c.sum(sums[0])
		VMOVSS(Mem{Base: c.w}, w)
	} else {
		s = c.sum4(sums)
		VMOVUPS(Mem{Base: c.w}, w)
	}
	TESTQ(c.b, c.b)
	JNE(LabelRef(label + "residual"))
	VMULPS(w, s, s)
	JMP(LabelRef(label + "scaled"))
	Label(label + "residual")
	if len(sums) == 1 {
		b := XMM()
		VMOVSS(Mem{Base: c.b}, b)
		VFNMADD213PS(b, w, s)
	} else {
		VFNMADD213PS(Mem{Base: c.b}, w, s)
	}
	Label(label + "scaled")
	if len(sums) == 1 {
		VBROADCASTSS(s, sums[0])
	} else {
		VMOVUPS(s, c.coefficient)
	}
}

// add adds the rows times their factors to out.
func (c *pass) add(label string, row reg.Register, factors []reg.VecVirtual) {
	if c.fixed > 0 {
		for j, v := range c.outs {
			for i, s := range factors {
				VFMADD231PS(c.at(row, i, j*c.bytes), s, v)
			}
		}
		return
	}
	c.columns(label+"add", func(at reg.Register, only *lanes) {
		v, from := c.restOut, GP64()
		if only == nil {
			v = c.vector()
			VMOVUPS(Mem{Base: c.out, Index: at, Scale: 1}, v)
		}
		LEAQ(Mem{Base: row, Index: at, Scale: 1}, from)
		for i, s := range factors {
			if only == nil {
				VFMADD231PS(c.at(from, i, 0), s, v)
				continue
			}
			x := c.vector()
			c.load(c.at(from, i, 0), x, only)
			VFMADD231PS(x, s, v)
		}
		if only == nil {
			VMOVUPS(v, Mem{Base: c.out, Index: at, Scale: 1})
		}
	})
}

// sum4 leaves the sums over the lanes of four vectors in the four lanes of the result. They are overwritten.
func (a isa) sum4(v []reg.VecVirtual) reg.Register {
	t := a.vectors(2)
	for _, pair := range [][]reg.VecVirtual{v[:2], v[2:4]} { // each half of four lanes to even and odd
		VUNPCKLPS(pair[1], pair[0], t[0])
		VUNPCKHPS(pair[1], pair[0], t[1])
		VADDPS(t[0], t[1], pair[0])
	}
	VUNPCKLPD(v[2], v[0], t[0])
	VUNPCKHPD(v[2], v[0], t[1])
	VADDPS(t[0], t[1], v[0])
	if a.bytes == 64 {
		upper := YMM()
		VEXTRACTF64X4(Imm(1), v[0], upper)
		VADDPS(upper, v[0].AsY(), v[0].AsY())
	}
	upper := XMM()
	a.upper(v[0], upper)
	VADDPS(upper, v[0].AsX(), v[0].AsX())
	return v[0].AsX()
}

// gemv writes the inner products of rows with p.
func (a isa) gemv() {
	a.text("gemv", "func(dst, rows, p *float32, n, f int)", "writes the inner products of n > 0 rows with p to dst.")
	c := &pass{isa: a}
	dst, row := Load(Param("dst"), GP64()), Load(Param("rows"), GP64())
	c.p, c.f = Load(Param("p"), GP64()), Load(Param("f"), GP64())
	n := Load(Param("n"), GP64())
	c.rest, c.whole = a.rest(c.f)
	s, s3 := GP64(), GP64()
	MOVQ(c.f, s)
	SHLQ(Imm(2), s)
	LEAQ(Mem{Base: s, Index: s, Scale: 2}, s3)
	c.stride, c.stride3 = s, s3
	c.begin()
	for _, count := range []int{passRows, 1} {
		label := fmt.Sprintf("rows%d", count)
		Label(label)
		CMPQ(n, Imm(uint64(count)))
		JLT(LabelRef(label + "done"))
		sums := a.vectors(count)
		c.dots(label, row, sums)
		if count == 1 {
			VMOVSS(a.sum(sums[0]), Mem{Base: dst})
		} else {
			VMOVUPS(a.sum4(sums), Mem{Base: dst})
		}
		c.forward(row, count)
		ADDQ(Imm(uint64(4*count)), dst)
		SUBQ(Imm(uint64(count)), n)
		JMP(LabelRef(label))
		Label(label + "done")
	}
	VZEROUPPER()
	RET()
}
