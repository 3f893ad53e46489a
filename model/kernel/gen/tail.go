package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// lanes is some of the lanes of a vector: the columns that are left when a row is no
// multiple of the vector's length.
type lanes struct {
	count reg.GPVirtual     // how many, the lowest ones
	k     reg.OpmaskVirtual // AVX-512: their bits
	bits  reg.VecVirtual    // AVX2: ones in their lanes
}

// rest computes the lanes that f columns leave over, and the bytes of the whole vectors of a row.
func (a isa) rest(f reg.Register) (l lanes, whole reg.GPVirtual) {
	l.count, whole = GP64(), GP64()
	MOVQ(f, l.count)
	ANDQ(Imm(uint64(a.lanes()-1)), l.count)
	MOVQ(f, whole)
	SUBQ(l.count, whole)
	SHLQ(Imm(2), whole)
	a.fill(&l)
	return l, whole
}

// fill makes the mask of l.count.
func (a isa) fill(l *lanes) {
	if a.bytes == 64 {
		bits, n := GP64(), GP64()
		MOVQ(I32(-1), bits)
		MOVQ(l.count, n)
		BZHIQ(n, bits, bits)
		l.k = K()
		KMOVW(bits.As32(), l.k)
		return
	}
	l.bits = YMM()
	VMOVQ(l.count, l.bits.AsX()) // not MOVQ: old instructions beside vector ones cost a hundred cycles
	if a.size == 8 {
		VPBROADCASTQ(l.bits.AsX(), l.bits)
		VPCMPGTQ(laneNumbers(a.size), l.bits, l.bits)
	} else {
		VPBROADCASTD(l.bits.AsX(), l.bits)
		VPCMPGTD(laneNumbers(a.size), l.bits, l.bits)
	}
}

// data is read-only memory that functions of a file share.
var data = map[string]Mem{}

// laneNumbers is 0, 1, … in integers of size bytes.
func laneNumbers(size int) Mem {
	name := fmt.Sprintf("laneNumbers%d", 8*size)
	m, ok := data[name]
	if !ok {
		m = GLOBL(name, RODATA|NOPTR)
		for i := range 32 / size {
			if size == 8 {
				DATA(8*i, U64(uint64(i)))
			} else {
				DATA(4*i, U32(uint32(i)))
			}
		}
		data[name] = m
	}
	return m
}

// memory is a float32 in read-only memory.
func (a isa) memory(name string, value float32) Mem {
	m, ok := data[name]
	if !ok {
		m = ConstData(name, U32(math.Float32bits(value))) // avo writes F32(1) as the integer 1
		data[name] = m
	}
	return m
}

// constant is a float32 in all lanes.
func (a isa) constant(name string, value float32) reg.VecVirtual {
	v := a.vector()
	VBROADCASTSS(a.memory(name, value), v)
	return v
}

// load reads a vector; with lanes, those alone and zero for the others.
func (a isa) load(m Mem, v reg.VecVirtual, only *lanes) {
	switch {
	case only == nil:
		VMOVUPS(m, v)
	case a.bytes == 64 && a.size == 8:
		VMOVUPD_Z(m, only.k, v)
	case a.bytes == 64:
		VMOVUPS_Z(m, only.k, v)
	case a.size == 8:
		VMASKMOVPD(m, only.bits, v)
	default:
		VMASKMOVPS(m, only.bits, v)
	}
}

// store writes a vector or some of its lanes.
func (a isa) store(v reg.VecVirtual, m Mem, only *lanes) {
	switch {
	case only == nil:
		VMOVUPS(v, m)
	case a.bytes == 64 && a.size == 8:
		VMOVUPD(v, only.k, m)
	case a.bytes == 64:
		VMOVUPS(v, only.k, m)
	case a.size == 8:
		VMASKMOVPD(v, only.bits, m)
	default:
		VMASKMOVPS(v, only.bits, m)
	}
}

// each writes a loop over n numbers that lie at all the pointers: do is given an offset in
// bytes, and at the end the lanes that are left. The pointers move, n is lost.
func (a isa) each(n reg.Register, pointers []reg.Register, do func(at int, only *lanes)) {
	loop := func(label string, vectors int) {
		Label(label)
		CMPQ(n, U32(uint32(vectors*a.lanes())))
		JLT(LabelRef(label + "done"))
		for i := range vectors {
			do(i*a.bytes, nil)
		}
		for _, p := range pointers {
			ADDQ(U32(uint32(vectors*a.bytes)), p)
		}
		SUBQ(U32(uint32(vectors*a.lanes())), n)
		JMP(LabelRef(label))
		Label(label + "done")
	}
	loop("eachfour", 4)
	loop("eachone", 1)
	TESTQ(n, n)
	JLE(LabelRef("eachdone"))
	l := lanes{count: n.(reg.GPVirtual)}
	a.fill(&l)
	do(0, &l)
	Label("eachdone")
}
