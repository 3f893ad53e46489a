package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// source is a kind of table: its name in functions, its element type and the bytes of one.
type source struct {
	name, element string
	size          int
}

var (
	single = source{"", "float32", 4}
	halves = source{"Half", "uint16", 2}
)

// gather writes the loops of kernel/gather.go and kernel/gather_residual.go.
func gather() {
	for _, a := range []isa{avx512, avx2} {
		a.gather(single)
		a.gather(halves)
	}
	for _, f := range []int{64, 128, 192, 256} {
		avx512.gatherNormal(f, single)
		avx512.gatherNormal(f, halves)
	}
}

// gather copies rows of a table of any number of columns.
func (a isa) gather(kind source) {
	a.text("gather"+kind.name, "func(dst *float32, table *"+kind.element+", rows *int32, n, f, ahead, more int)",
		"copies n > 0 rows of the table to dst, one after the other, and asks for the row that is",
		"ahead > 0 rows further on in rows, which has more ≥ n entries.")
	dst, f, n := Load(Param("dst"), GP64()), Load(Param("f"), GP64()), Load(Param("n"), GP64())
	t := newTable(kind)
	left, whole := a.rest(f)
	stride := GP64()
	MOVQ(f, stride)
	SHLQ(Imm(2), stride)
	if kind == halves {
		SHRQ(Imm(1), whole)
		SHRQ(Imm(1), stride)
	}

	Label("row")
	from, next, at := t.next("copy"), t.ask, GP64()
	IMULQ(stride, from)
	IMULQ(stride, next)
	ADDQ(t.first, from)
	ADDQ(t.first, next)
	XORQ(at, at)
	CMPQ(at, whole)
	JGE(LabelRef("rest"))
	Label("vector")
	v := a.vector()
	to := Mem{Base: dst, Index: at, Scale: uint8(4 / kind.size)}
	a.decode(kind, Mem{Base: from, Index: at, Scale: 1}, v)
	PREFETCHT0(Mem{Base: next, Index: at, Scale: 1})
	VMOVUPS(v, to)
	ADDQ(Imm(uint64(a.lanes()*kind.size)), at)
	CMPQ(at, whole)
	JLT(LabelRef("vector"))
	Label("rest")
	TESTQ(left.count, left.count)
	JEQ(LabelRef("done"))
	PREFETCHT0(Mem{Base: next, Index: at, Scale: 1})
	if kind == halves { // one by one: there are no masks for 16 bits at both levels
		x, bits := XMM(), GP32()
		Label("one")
		MOVWLZX(Mem{Base: from, Index: at, Scale: 1}, bits)
		VMOVD(bits, x)
		VCVTPH2PS(x, x)
		VMOVSS(x, to)
		ADDQ(Imm(2), at)
		CMPQ(at, stride)
		JLT(LabelRef("one"))
	} else {
		a.load(Mem{Base: from, Index: at, Scale: 1}, v, &left)
		a.store(v, to, &left)
	}
	Label("done")
	LEAQ(Mem{Base: dst, Index: stride, Scale: to.Scale}, dst)
	DECQ(n)
	JNE(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// decode reads a vector of a table.
func (a isa) decode(kind source, m Mem, v reg.VecVirtual) {
	if kind == halves {
		VCVTPH2PS(m, v)
	} else {
		VMOVUPS(m, v)
	}
}

// table is where rows are gathered from.
type table struct {
	first, index, ahead, more reg.Register
	ask                       reg.GPVirtual // the number of the row to ask for
}

func newTable(kind source) *table {
	t := &table{first: Load(Param("table"), GP64()), index: Load(Param("rows"), GP64())}
	t.ahead, t.more = Load(Param("ahead"), GP64()), Load(Param("more"), GP64())
	return t
}

// next returns the number of the next row, sets ask, and moves on.
func (t *table) next(label string) reg.GPVirtual {
	from := GP64()
	t.ask = GP64()
	MOVLQSX(Mem{Base: t.index}, from)
	MOVQ(from, t.ask)
	CMPQ(t.more, t.ahead)
	JLE(LabelRef(label + "last"))
	MOVLQSX(Mem{Base: t.index, Index: t.ahead, Scale: 4}, t.ask)
	Label(label + "last")
	ADDQ(Imm(4), t.index)
	DECQ(t.more)
	return from
}

// gatherNormal writes the pass that also gathers: a row is multiplied by p on its way from the
// table to the packed rows, where it is found for the second half.
func (a isa) gatherNormal(fixed int, kind source) {
	a.text(fmt.Sprintf("gatherNormal%d%s", fixed, kind.name), "func(out, packed *float32, table *"+kind.element+", rows *int32, w, b, p *float32, n, ahead, more int)",
		fmt.Sprintf("is gather%s of n > 0 rows of %d columns to packed, and normal over them.", kind.name, fixed))
	c := a.newPass(fixed)
	row, n := Load(Param("packed"), GP64()), Load(Param("n"), GP64())
	t := newTable(kind)
	c.begin()
	for _, count := range []int{passRows, 1} {
		label := fmt.Sprintf("rows%d", count)
		Label(label)
		CMPQ(n, Imm(uint64(count)))
		JLT(LabelRef(label + "done"))
		sums := a.vectors(count)
		for i, s := range sums {
			c.gatherDot(fmt.Sprintf("%srow%d", label, i), t, kind, c.at(row, i, 0), s)
		}
		c.finish(label, row, sums)
		SUBQ(Imm(uint64(count)), n)
		JMP(LabelRef(label))
		Label(label + "done")
	}
	c.end()
	VZEROUPPER()
	RET()
}

// gatherDot copies the next row and computes its inner product with p.
func (c *pass) gatherDot(label string, t *table, kind source, to Mem, sum reg.VecVirtual) {
	from, next := t.next(label), t.ask
	IMUL3Q(U32(uint32(c.fixed*kind.size)), from, from)
	IMUL3Q(U32(uint32(c.fixed*kind.size)), next, next)
	ADDQ(t.first, from)
	ADDQ(t.first, next)
	for j := range c.fixed / c.lanes() {
		at := j * c.lanes() * kind.size
		v := c.vector()
		c.decode(kind, Mem{Base: from, Disp: at}, v)
		if at%64 == 0 {
			PREFETCHT0(Mem{Base: next, Disp: at})
		}
		VMOVUPS(v, to.Offset(j*c.bytes))
		var p Op = Mem{Base: c.p, Disp: j * c.bytes}
		if c.ps != nil {
			p = c.ps[j]
		}
		if j == 0 {
			VMULPS(p, v, sum)
		} else {
			VFMADD231PS(p, v, sum)
		}
	}
}
