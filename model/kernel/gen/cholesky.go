package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// cholesky writes the loops of kernel/cholesky32.go.
func cholesky() {
	mirror("mirrorDown", false)
	mirror("mirrorUp", true)
	for _, a := range []isa{avx512, avx2} {
		for _, rows := range a.tileRows() {
			a.choleskyTile(rows, true)
			a.choleskyTile(rows, false)
		}
		a.forward()
		a.backward()
	}
}

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

// choleskyTile brings two vectors of columns of a few rows to their place in U: it subtracts the
// products of the rows above, and eliminates within the rows. In the first tile of the
// rows, diagonal, it also finds the pivots.
func (a isa) choleskyTile(rows int, diagonal bool) {
	name := fmt.Sprintf("choleskyTile%d", rows)
	signature := "func(tile, x, y *float32, above, n, count0, count1 int, pivots *float32, diagonal *float32)"
	doc := []string{
		fmt.Sprintf("computes, of %d rows of U, two vectors of columns, which begin at tile; count0 and count1 are how", rows),
		"many columns they have. x and y are the first of n numbers apart rows above them: x in the columns of",
		"the diagonal, y in those of the tile. pivots are the inverse pivots, diagonal is the diagonal block.",
	}
	if diagonal {
		name = fmt.Sprintf("choleskyDiagonal%d", rows)
		signature = "func(tile, x *float32, above, n, count0, count1 int, pivots *float32) bool"
		doc = []string{
			fmt.Sprintf("is choleskyTile%d%s of the tile that begins on the diagonal: it also writes the", rows, a.suffix),
			"inverse pivots, and reports false when one is not positive and finite.",
		}
	}
	a.text(name, signature, doc[0], doc[1:]...)
	tile, x := Load(Param("tile"), GP64()), Load(Param("x"), GP64())
	y := x
	if !diagonal {
		y = Load(Param("y"), GP64())
	}
	above, stride := Load(Param("above"), GP64()), Load(Param("n"), GP64())
	SHLQ(Imm(2), stride)
	only := []lanes{{count: Load(Param("count0"), GP64()).(reg.GPVirtual)}, {count: Load(Param("count1"), GP64()).(reg.GPVirtual)}}
	a.fill(&only[0])
	a.fill(&only[1])

	// t[i][j] is row i's vector j.
	t := make([][]reg.VecVirtual, rows)
	row := GP64()
	MOVQ(tile, row)
	for i := range t {
		t[i] = a.vectors(2)
		for j := range t[i] {
			a.load(Mem{Base: row, Disp: j * a.bytes}, t[i][j], &only[j])
		}
		ADDQ(stride, row)
	}
	TESTQ(above, above)
	JEQ(LabelRef("eliminate"))
	Label("above")
	b := a.vectors(2)
	for j := range b {
		a.load(Mem{Base: y, Disp: j * a.bytes}, b[j], &only[j])
	}
	for i := range t {
		v := a.vector()
		VBROADCASTSS(Mem{Base: x, Disp: 4 * i}, v)
		for j := range b {
			VFNMADD231PS(b[j], v, t[i][j])
		}
	}
	ADDQ(stride, x)
	if !diagonal {
		ADDQ(stride, y)
	}
	DECQ(above)
	JNE(LabelRef("above"))

	Label("eliminate")
	pivots := Load(Param("pivots"), GP64())
	var block reg.Register
	if !diagonal {
		block = Load(Param("diagonal"), GP64())
	}
	for i := range t {
		inverse := a.vector()
		if diagonal {
			a.pivot(t[i][0], i, inverse)
			VMOVSS(inverse.AsX(), Mem{Base: pivots, Disp: 4 * i})
		} else {
			VBROADCASTSS(Mem{Base: pivots, Disp: 4 * i}, inverse)
		}
		for j := range t[i] {
			VMULPS(inverse, t[i][j], t[i][j])
			a.store(t[i][j], Mem{Base: tile, Disp: j * a.bytes}, &only[j])
		}
		if i == rows-1 {
			break
		}
		for s := i + 1; s < rows; s++ {
			v := a.vector()
			if diagonal {
				a.lane(t[i][0], s, v)
			} else {
				VBROADCASTSS(Mem{Base: block, Disp: 4 * s}, v)
			}
			for j := range t[s] {
				VFNMADD231PS(t[i][j], v, t[s][j])
			}
		}
		ADDQ(stride, tile)
		if !diagonal {
			ADDQ(stride, block)
		}
	}
	VZEROUPPER()
	if diagonal {
		for _, end := range []struct {
			label string
			value uint64
		}{{"", 1}, {"refuse", 0}} {
			if end.label != "" {
				Label(end.label)
				VZEROUPPER()
			}
			ok := GP8()
			MOVB(Imm(end.value), ok)
			Store(ok, ReturnIndex(0))
			RET()
		}
		return
	}
	RET()
}

// lane copies lane i of v into all lanes of to.
func (a isa) lane(v reg.VecVirtual, i int, to reg.VecVirtual) {
	if i == 0 {
		VBROADCASTSS(v.AsX(), to)
		return
	}
	index := a.vector()
	VPBROADCASTD(laneNumbers(4).Offset(4*i), index)
	VPERMPS(v, index, to)
}

// pivot leaves 1/√(lane i of v) in all lanes of inverse, or goes to refuse.
func (a isa) pivot(v reg.VecVirtual, i int, inverse reg.VecVirtual) {
	a.lane(v, i, inverse)
	x, bound := inverse.AsX(), XMM()
	VXORPS(bound, bound, bound)
	VUCOMISS(bound, x)
	JLS(LabelRef("refuse")) // at most 0, or not a number
	VMOVSS(a.memory("largest", 0x1.fffffep127), bound)
	VUCOMISS(bound, x)
	JHI(LabelRef("refuse"))
	VSQRTSS(x, x, x)
	VMOVSS(a.memory("one", 1), bound)
	VDIVSS(x, bound, x)
	VBROADCASTSS(x, inverse)
}

// forward solves Uᵀy = b by the rows of U.
func (a isa) forward() {
	a.text("choleskyForward", "func(a, b *float32, n int)", "solves Uᵀy = b for the upper triangle U of a, in place, for n > 0.")
	u, b, n := Load(Param("a"), GP64()), Load(Param("b"), GP64()), Load(Param("n"), GP64())
	stride := GP64() // from one diagonal element to the next
	MOVQ(n, stride)
	INCQ(stride)
	SHLQ(Imm(2), stride)
	Label("row")
	factor := a.quotient(b, u)
	DECQ(n)
	JEQ(LabelRef("end"))
	p, left := []reg.Register{GP64(), GP64()}, GP64()
	LEAQ(Mem{Base: u, Disp: 4}, p[0])
	LEAQ(Mem{Base: b, Disp: 4}, p[1])
	MOVQ(n, left)
	a.subtract(factor, p, left)
	ADDQ(stride, u)
	ADDQ(Imm(4), b)
	JMP(LabelRef("row"))
	Label("end")
	VZEROUPPER()
	RET()
}

// backward solves Ux = y by the rows of L = Uᵀ.
func (a isa) backward() {
	a.text("choleskyBackward", "func(a, b *float32, n int)", "solves Lᵀx = b for the lower triangle L of a, in place, for n > 0.")
	l, b, n := Load(Param("a"), GP64()), Load(Param("b"), GP64()), Load(Param("n"), GP64())
	stride, row := GP64(), GP64()
	MOVQ(n, stride)
	SHLQ(Imm(2), stride)
	MOVQ(n, row)
	DECQ(row)
	IMULQ(stride, row)
	ADDQ(l, row)
	Label("row")
	at, to := GP64(), GP64()
	LEAQ(Mem{Base: row, Index: n, Scale: 4, Disp: -4}, at)
	LEAQ(Mem{Base: b, Index: n, Scale: 4, Disp: -4}, to)
	factor := a.quotient(to, at)
	DECQ(n)
	JEQ(LabelRef("end"))
	p, left := []reg.Register{GP64(), GP64()}, GP64()
	MOVQ(row, p[0])
	MOVQ(b, p[1])
	MOVQ(n, left)
	a.subtract(factor, p, left)
	SUBQ(stride, row)
	JMP(LabelRef("row"))
	Label("end")
	VZEROUPPER()
	RET()
}

// quotient divides the number at b by the pivot at p, and returns it in all lanes. The
// inverse does not wait for what the last step does to b.
func (a isa) quotient(b, p reg.Register) reg.VecVirtual {
	factor, inverse := a.vector(), XMM()
	VMOVSS(a.memory("one", 1), inverse)
	VDIVSS(Mem{Base: p}, inverse, inverse)
	VMULSS(Mem{Base: b}, inverse, inverse)
	VMOVSS(inverse, Mem{Base: b})
	VBROADCASTSS(inverse, factor)
	return factor
}

// subtract takes factor times the n numbers at p[0] from those at p[1].
func (a isa) subtract(factor reg.VecVirtual, p []reg.Register, n reg.Register) {
	a.each(n, p, func(at int, only *lanes) {
		v := a.loads(at, only, p...)
		VFNMADD231PS(v[0], factor, v[1])
		a.store(v[1], Mem{Base: p[1], Disp: at}, only)
	})
}
