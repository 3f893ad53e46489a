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
