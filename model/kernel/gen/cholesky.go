package main

import (
	"fmt"
	"math"

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
			for _, kind := range []int{tileUpdate, tileSolve, tileDiagonal} {
				a.choleskyTile(rows, kind)
			}
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

// The three kinds of choleskyTile.
const (
	tileUpdate   = iota // subtracts products
	tileSolve           // and eliminates
	tileDiagonal        // and finds the pivots
)

// choleskyTile subtracts, from two vectors of columns of a few rows of U, the products of rows
// above; then it eliminates within the rows, which in the tile that begins on the diagonal
// also finds the pivots.
func (a isa) choleskyTile(rows, kind int) {
	name := fmt.Sprintf("choleskyUpdate%d", rows)
	arguments, result := "tile, x, y *float32, above, n, count0, count1 int", ""
	doc := []string{
		fmt.Sprintf("subtracts from %d rows and two vectors of columns at tile, in which they have count0 and count1", rows),
		"columns, the products of rows above: x is the first of them in the columns whose numbers are the",
		"tile's rows, n numbers apart, y in those of the tile, two vectors apart.",
	}
	switch kind {
	case tileSolve:
		name = fmt.Sprintf("choleskySolve%d", rows)
		arguments += ", pivots, diagonal *float32"
		doc = []string{
			fmt.Sprintf("is choleskyUpdate%d%s with y n numbers apart, and then eliminates by the diagonal", rows, a.suffix),
			"block and the inverse pivots, as choleskyDiagonal has left them.",
		}
	case tileDiagonal:
		name = fmt.Sprintf("choleskyDiagonal%d", rows)
		arguments, result = "tile, x *float32, above, n, count0, count1 int, pivots *float32", " bool"
		doc = []string{
			fmt.Sprintf("is choleskyUpdate%d%s of the tile that begins on the diagonal, and then eliminates: it", rows, a.suffix),
			"writes the inverse pivots, and reports false when one is not positive and finite.",
		}
	}
	a.text(name, "func("+arguments+")"+result, doc[0], doc[1:]...)
	tile, x := Load(Param("tile"), GP64()), Load(Param("x"), GP64())
	y := x
	if kind != tileDiagonal {
		y = Load(Param("y"), GP64())
	}
	above, stride := Load(Param("above"), GP64()), Load(Param("n"), GP64())
	SHLQ(Imm(2), stride)
	only := []lanes{{count: Load(Param("count0"), GP64()).(reg.GPVirtual)}, {count: Load(Param("count1"), GP64()).(reg.GPVirtual)}}
	a.fill(&only[0])
	a.fill(&only[1])

	t := make([][]reg.VecVirtual, rows) // t[i][j] is row i's vector j
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
	JEQ(LabelRef("updated"))
	loop := func(label string, masked bool) {
		Label(label)
		b := a.vectors(2)
		for j := range b {
			only := &only[j]
			if !masked {
				only = nil
			}
			a.load(Mem{Base: y, Disp: j * a.bytes}, b[j], only)
		}
		for i := range t {
			v := a.vector()
			VBROADCASTSS(Mem{Base: x, Disp: 4 * i}, v)
			for j := range b {
				VFNMADD231PS(b[j], v, t[i][j])
			}
		}
		ADDQ(stride, x)
		if kind == tileUpdate {
			ADDQ(U32(uint32(2*a.bytes)), y)
		}
		if kind == tileSolve {
			ADDQ(stride, y)
		}
		DECQ(above)
		JNE(LabelRef(label))
	}
	if kind != tileUpdate { // its y is packed, whole vectors throughout
		CMPQ(only[1].count, Imm(uint64(a.lanes())))
		JEQ(LabelRef("whole"))
		loop("masked", true)
		JMP(LabelRef("updated"))
	}
	loop("whole", false)
	Label("updated")
	put := func(i int) {
		for j, v := range t[i] {
			a.store(v, Mem{Base: tile, Disp: j * a.bytes}, &only[j])
		}
		ADDQ(stride, tile)
	}
	switch kind {
	case tileUpdate:
		for i := range t {
			put(i)
		}
	case tileSolve:
		a.eliminate(t, Load(Param("pivots"), GP64()), Load(Param("diagonal"), GP64()), stride, put)
	case tileDiagonal:
		a.eliminateDiagonal(t, Load(Param("pivots"), GP64()), put)
	}
	VZEROUPPER()
	if kind == tileDiagonal {
		a.answer(1)
		Label("refuse")
		VZEROUPPER()
		a.answer(0)
		return
	}
	RET()
}

// answer returns a bool.
func (a isa) answer(value uint64) {
	ok := GP8()
	MOVB(Imm(value), ok)
	Store(ok, ReturnIndex(0))
	RET()
}

// eliminate solves by the diagonal block, whose rows are stride apart: row i, scaled, is taken
// from those below.
func (a isa) eliminate(t [][]reg.VecVirtual, pivots, block, stride reg.Register, put func(i int)) {
	for i := range t {
		inverse := a.vector()
		VBROADCASTSS(Mem{Base: pivots, Disp: 4 * i}, inverse)
		for j := range t[i] {
			VMULPS(inverse, t[i][j], t[i][j])
		}
		put(i)
		for s := i + 1; s < len(t); s++ {
			v := a.vector()
			VBROADCASTSS(Mem{Base: block, Disp: 4 * s}, v)
			for j := range t[s] {
				VFNMADD231PS(t[i][j], v, t[s][j])
			}
		}
		ADDQ(stride, block)
	}
}

// eliminateDiagonal is eliminate in the diagonal block itself. Row s loses row i times
// its lane s over the pivot d, and only then row i is scaled by 1/√d: the next pivot does not
// wait for the square root.
func (a isa) eliminateDiagonal(t [][]reg.VecVirtual, pivots reg.Register, put func(i int)) {
	largest := XMM()
	VMOVSS(a.memory("largest", math.MaxFloat32), largest)
	one, zero := XMM(), XMM()
	VMOVSS(a.memory("one", 1), one)
	VXORPS(zero, zero, zero)
	for i := range t {
		inverse := a.vector()
		a.lane(t[i][0], i, inverse)
		x := inverse.AsX()
		VUCOMISS(zero, x)
		JLS(LabelRef("refuse")) // at most 0, or not a number
		VUCOMISS(largest, x)
		JHI(LabelRef("refuse"))
		VDIVSS(x, one, x)
		VBROADCASTSS(x, inverse)
		for s := i + 1; s < len(t); s++ {
			v := a.vector()
			a.lane(t[i][0], s, v)
			VMULPS(inverse, v, v)
			for j := range t[s] {
				VFNMADD231PS(t[i][j], v, t[s][j])
			}
		}
		VSQRTSS(x, x, x)
		VMOVSS(x, Mem{Base: pivots, Disp: 4 * i})
		VBROADCASTSS(x, inverse)
		for j := range t[i] {
			VMULPS(inverse, t[i][j], t[i][j])
		}
		put(i)
	}
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
