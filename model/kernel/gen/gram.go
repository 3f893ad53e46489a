package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A tile is a few rows of a matrix by one or two vectors of columns, kept in registers
// while products are added: so many rows that the multiplications do not wait for each other, and
// that a loaded vector is used that many times.

// tileRows is the sizes of tiles; the first is for the bulk, the others for what it leaves over.
func (a isa) tileRows() []int {
	if a.bytes == 64 {
		return []int{8, 4, 2, 1}
	}
	return []int{4, 2, 1}
}

// gram writes the loops of kernel/gram32.go.
func gram() {
	for _, a := range []isa{avx512, avx2} {
		for _, rows := range a.tileRows() {
			a.gramTile(rows, 2)
			a.gramTile(rows, 1)
		}
	}
}

// syrk writes the loops of kernel/gram.go.
func syrk() {
	for _, a := range []isa{avx512.double(), avx2.double()} {
		for _, rows := range a.tileRows() {
			a.gramTile(rows, 2)
			a.gramTile(rows, 1)
		}
		a.widen()
	}
}

// arithmetic is the instructions of one size of numbers.
type arithmetic struct {
	broadcast           func(from, to Op)
	add, multiply, fuse func(a, b, to Op)
}

func (a isa) arithmetic() arithmetic {
	three := func(f func(...Op)) func(a, b, to Op) { return func(a, b, to Op) { f(a, b, to) } }
	if a.size == 8 {
		return arithmetic{func(from, to Op) { VBROADCASTSD(from, to) }, three(VADDPD), three(VMULPD), three(VFMADD231PD)}
	}
	return arithmetic{func(from, to Op) { VBROADCASTSS(from, to) }, three(VADDPS), three(VMULPS), three(VFMADD231PS)}
}

// widen copies float32 numbers to float64.
func (a isa) widen() {
	a.text("widen", "func(dst *float64, src *float32, n int)", "copies n > 0 numbers, a multiple of the vector's length.")
	dst, src, n := Load(Param("dst"), GP64()), Load(Param("src"), GP64()), Load(Param("n"), GP64())
	Label("loop")
	v := a.vector()
	VCVTPS2PD(Mem{Base: src}, v)
	VMOVUPD(v, Mem{Base: dst})
	ADDQ(Imm(uint64(a.bytes/2)), src)
	ADDQ(Imm(uint64(a.bytes)), dst)
	SUBQ(Imm(uint64(a.lanes())), n)
	JNE(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

// gramTile adds Σ w·aᵢ·bⱼ to a tile, where aᵢ are numbers and bⱼ vectors of the same row.
func (a isa) gramTile(rows, vectors int) {
	do, name, element := a.arithmetic(), "gram", "float32"
	if a.size == 8 {
		name, element = "syrk", "float64"
	}
	doc := fmt.Sprintf("adds Σ w·x·y to %d × %d numbers at dst, whose rows are stride bytes apart, over n > 0 rows", rows, vectors*a.lanes())
	more := []string{"that are stride bytes apart: x is the numbers at a, y those at b. w may be nil."}
	if vectors == 1 {
		more = append(more, "Of the columns only the first count > 0 are read and written.")
	}
	signature := "func(dst, a, b, w *" + element + ", n, stride int)"
	if vectors == 1 {
		signature = "func(dst, a, b, w *" + element + ", n, stride, count int)"
	}
	a.text(fmt.Sprintf("%s%dx%d", name, rows, vectors), signature, doc, more...)
	g, x, y, w := Load(Param("dst"), GP64()), Load(Param("a"), GP64()), Load(Param("b"), GP64()), Load(Param("w"), GP64())
	n, stride := Load(Param("n"), GP64()), Load(Param("stride"), GP64())
	var only *lanes
	if vectors == 1 {
		only = &lanes{count: Load(Param("count"), GP64()).(reg.GPVirtual)}
		a.fill(only)
	}
	sums := a.vectors(rows * vectors)
	a.clear(sums...)
	loop := func(label string, weighted bool) {
		Label(label)
		bs := a.vectors(vectors)
		for j, b := range bs {
			a.load(Mem{Base: y, Disp: j * a.bytes}, b, only)
		}
		if weighted {
			v := a.vector()
			do.broadcast(Mem{Base: w}, v)
			for _, b := range bs {
				do.multiply(v, b, b)
			}
			ADDQ(Imm(uint64(a.size)), w)
		}
		for i := range rows {
			v := a.vector()
			do.broadcast(Mem{Base: x, Disp: a.size * i}, v)
			for j, b := range bs {
				do.fuse(b, v, sums[i*vectors+j])
			}
		}
		ADDQ(stride, x)
		ADDQ(stride, y)
		DECQ(n)
		JNE(LabelRef(label))
	}
	TESTQ(w, w)
	JEQ(LabelRef("plain"))
	loop("weighted", true)
	JMP(LabelRef("add"))
	loop("plain", false)
	Label("add")
	for i := range rows {
		for j := range vectors {
			m, v := Mem{Base: g, Disp: j * a.bytes}, a.vector()
			a.load(m, v, only)
			do.add(v, sums[i*vectors+j], v)
			a.store(v, m, only)
		}
		if i < rows-1 {
			ADDQ(stride, g)
		}
	}
	VZEROUPPER()
	RET()
}

// rotate writes the loops of kernel/rotate.go.
func rotate() {
	for _, a := range []isa{avx512, avx2} {
		for _, rows := range a.tileRows() {
			a.rotateTile(rows, 2)
			a.rotateTile(rows, 1)
		}
	}
}

// rotateTile writes the product of some rows and some columns.
func (a isa) rotateTile(rows, vectors int) {
	signature, more := "func(dst, rows, v *float32, f int)", []string{"of columns at v, both of f > 0 columns."}
	if vectors == 1 {
		signature = "func(dst, rows, v *float32, f, count int)"
		more = append(more, "Of the columns of v only the first count > 0 are read, and written to dst.")
	}
	a.text(fmt.Sprintf("rotate%dx%d", rows, vectors), signature,
		fmt.Sprintf("writes to dst, of f columns, the products of %d rows and %d vectors", rows, vectors), more...)
	dst, x, y, n := Load(Param("dst"), GP64()), Load(Param("rows"), GP64()), Load(Param("v"), GP64()), Load(Param("f"), GP64())
	var only *lanes
	if vectors == 1 {
		only = &lanes{count: Load(Param("count"), GP64()).(reg.GPVirtual)}
		a.fill(only)
	}
	stride, stride3, x4 := GP64(), GP64(), GP64()
	MOVQ(n, stride)
	SHLQ(Imm(2), stride)
	LEAQ(Mem{Base: stride, Index: stride, Scale: 2}, stride3)
	LEAQ(Mem{Base: x, Index: stride, Scale: 4}, x4)
	at := func(i int) Mem {
		m := Mem{Base: x}
		if i >= 4 {
			m.Base = x4
		}
		switch i % 4 {
		case 1:
			m.Index, m.Scale = stride, 1
		case 2:
			m.Index, m.Scale = stride, 2
		case 3:
			m.Index, m.Scale = stride3, 1
		}
		return m
	}
	sums := a.vectors(rows * vectors)
	a.clear(sums...)
	Label("loop")
	bs := a.vectors(vectors)
	for j, b := range bs {
		a.load(Mem{Base: y, Disp: j * a.bytes}, b, only)
	}
	for i := range rows {
		v := a.vector()
		VBROADCASTSS(at(i), v)
		for j, b := range bs {
			VFMADD231PS(b, v, sums[i*vectors+j])
		}
	}
	ADDQ(stride, y)
	ADDQ(Imm(4), x)
	if rows > 4 {
		ADDQ(Imm(4), x4)
	}
	DECQ(n)
	JNE(LabelRef("loop"))
	for i := range rows {
		for j := range vectors {
			a.store(sums[i*vectors+j], Mem{Base: dst, Disp: j * a.bytes}, only)
		}
		if i < rows-1 {
			ADDQ(stride, dst)
		}
	}
	VZEROUPPER()
	RET()
}
