package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The layout of kernel/scan.go, in numbers.
const (
	scanGroup = 64            // items
	scanStep  = 4 * scanGroup // bytes: four dimensions of a group
	scanBlock = 16            // items that share a bound
	scanMeta  = 4 * 12        // bytes about a group
)

// scan writes the loops of kernel/scan.go. The levels differ in more than the vector's size, so
// that each has its own.
func scan() {
	scanAVX512()
	scanAVX2()
}

// vpdpbusd adds to each dword of sum the products of four unsigned bytes with four
// signed ones. It is written by hand because avo does not know the instruction.
func vpdpbusd(signed, unsigned, sum reg.VecVirtual) {
	Instruction(&ir.Instruction{
		Opcode:   "VPDPBUSD",
		Operands: []Op{signed, unsigned, sum},
		Inputs:   []Op{signed, unsigned, sum},
		Outputs:  []Op{sum},
		ISA:      []string{"AVX512VNNI"},
	})
}

// scanArgs is the arguments of a scan and the registers that both levels need.
type scanArgs struct {
	items, dots, codes, meta, allowed, groups, query reg.Register
	first, found                                     reg.GPVirtual // number of the group's first item; survivors
	one, limit                                       Mem
	least                                            Mem // the bounds of the group's four blocks
}

const scanSignature = "func(items, dots *int32, codes *uint8, meta *float32, allowed *uint64, groups int, query *int8, steps int, bias int32, bound *float32) int"

// scanBegin loads the arguments.
func scanBegin(name, doc string) (a scanArgs) {
	TEXT(name, NOSPLIT, scanSignature)
	Pragma("noescape")
	Doc(name+" is Scan for groups > 0 and steps = d/4 > 0, "+doc+".",
		"bias is −128·Σq and bound points to the four factors of a ScanBound.")
	a.items, a.dots = Load(Param("items"), GP64()), Load(Param("dots"), GP64())
	a.codes, a.meta = Load(Param("codes"), GP64()), Load(Param("meta"), GP64())
	a.allowed, a.groups = Load(Param("allowed"), GP64()), Load(Param("groups"), GP64())
	a.query = Load(Param("query"), GP64())
	a.first, a.found = GP64(), GP64()
	XORQ(a.first, a.first)
	XORQ(a.found, a.found)
	a.one = ConstData(name+"One", U32(math.Float32bits(1)))
	a.limit = ConstData(name+"Limit", U32(math.Float32bits(1<<30)))
	a.least = AllocLocal(16)
	return a
}

// scanLeast computes the integer bounds of the group's blocks, see ScanBound.
func (a *scanArgs) scanLeast() {
	bound := Load(Param("bound"), GP64())
	factor := func(m Mem) reg.VecVirtual {
		v := XMM()
		VBROADCASTSS(m, v)
		return v
	}
	slack, n, t := factor(Mem{Base: bound, Disp: 4}), factor(Mem{Base: bound, Disp: 8}), factor(Mem{Base: bound})
	VMULPS(Mem{Base: a.meta, Disp: 16}, slack, slack)
	VMULPS(Mem{Base: a.meta, Disp: 32}, n, n)
	VADDPS(n, slack, slack)
	VSUBPS(slack, t, t)
	VMULPS(Mem{Base: a.meta}, t, t)
	VMULPS(factor(Mem{Base: bound, Disp: 12}), t, t)
	VSUBPS(factor(a.one), t, t)
	VMINPS(t, factor(a.limit), t) // the limit first: what is not a number stays so
	VCVTTPS2DQ(t, t)
	VMOVUPS(t, a.least)
}

// scanNext moves on to the next group, whose codes are at a.codes, and ends the function after the last.
func (a *scanArgs) scanNext() {
	ADDQ(Imm(scanMeta), a.meta)
	ADDQ(Imm(8), a.allowed)
	ADDQ(Imm(scanGroup), a.first)
	DECQ(a.groups)
	JNZ(LabelRef("group"))
	VZEROUPPER()
	Store(a.found, ReturnIndex(0))
	RET()
}

// scanSkip moves a.codes over a group.
func (a *scanArgs) scanSkip() {
	bytes := Load(Param("steps"), GP64())
	SHLQ(Imm(8), bytes) // × scanStep
	ADDQ(bytes, a.codes)
}

func scanAVX512() {
	a := scanBegin("scanAVX512", "with 64 items in flight")
	bias := ZMM()
	VPBROADCASTD(Load(Param("bias"), GP32()), bias)
	numbers := ZMM()
	iota := GLOBL("scanNumbers", RODATA|NOPTR)
	for i := range scanBlock {
		DATA(4*i, U32(uint32(i)))
	}
	VMOVDQU32(iota, numbers)

	Label("group")
	word := GP64()
	MOVQ(Mem{Base: a.allowed}, word)
	TESTQ(word, word)
	JNZ(LabelRef("read"))
	a.scanSkip()
	JMP(LabelRef("next"))

	Label("read")
	var hi, lo [4]reg.VecVirtual
	for b := range hi {
		hi[b], lo[b] = ZMM(), ZMM()
		VPXORD(hi[b], hi[b], hi[b])
		VMOVDQA32(bias, lo[b])
	}
	query, steps := GP64(), GP64()
	MOVQ(a.query, query)
	Load(Param("steps"), steps)
	Label("step")
	qhi, qlo := ZMM(), ZMM()
	VPBROADCASTD(Mem{Base: query}, qhi)
	VPBROADCASTD(Mem{Base: query, Disp: 4}, qlo)
	for b := range hi {
		x := ZMM()
		VMOVDQU32(Mem{Base: a.codes, Disp: 64 * b}, x)
		vpdpbusd(qhi, x, hi[b])
		vpdpbusd(qlo, x, lo[b])
		PREFETCHT0(Mem{Base: a.codes, Disp: 64*b + scanAhead})
	}
	ADDQ(Imm(8), query)
	ADDQ(U32(scanStep), a.codes)
	DECQ(steps)
	JNZ(LabelRef("step"))

	a.scanLeast()
	var found [4]reg.Register
	for b := range hi {
		VPSLLD(Imm(7), hi[b], hi[b])
		VPADDD(lo[b], hi[b], hi[b])
		allowed, k := K(), K()
		KMOVW(word.As32(), allowed)
		if b < 3 {
			SHRQ(Imm(scanBlock), word)
		}
		VPCMPD_BCST(Imm(5), a.least.Offset(4*b), hi[b], allowed, k) // not less than
		found[b] = k
	}
	either, other := K(), K()
	KORW(found[0], found[1], either)
	KORW(found[2], found[3], other)
	KORTESTW(either, other)
	JZ(LabelRef("next"))

	for b, k := range found {
		// Compressed in a register and stored whole: a compressing store is slow on some processors.
		number, packed := ZMM(), ZMM()
		VPBROADCASTD(a.first.As32(), number)
		VPADDD(number, numbers, number)
		VPCOMPRESSD_Z(number, k, packed)
		VMOVDQU32(packed, Mem{Base: a.items, Index: a.found, Scale: 4})
		VPCOMPRESSD_Z(hi[b], k, packed)
		VMOVDQU32(packed, Mem{Base: a.dots, Index: a.found, Scale: 4})
		count := GP32()
		KMOVW(k, count)
		POPCNTL(count, count)
		ADDQ(count.As64(), a.found)
		if b < 3 {
			ADDQ(Imm(scanBlock), a.first)
		}
	}
	SUBQ(Imm(3*scanBlock), a.first)

	Label("next")
	a.scanNext()
}

// scanAhead is how many bytes ahead of the loads to fetch.
const scanAhead = 2048

func scanAVX2() {
	a := scanBegin("scanAVX2", "with 64 items in flight")
	const vectors = scanGroup / 8
	dots := AllocLocal(4 * scanGroup)
	Label("group")
	word := GP64()
	MOVQ(Mem{Base: a.allowed}, word)
	TESTQ(word, word)
	JNZ(LabelRef("read"))
	a.scanSkip()
	JMP(LabelRef("next"))

	Label("read")
	var sums [vectors]reg.VecVirtual
	bias := XMM()
	VMOVD(Load(Param("bias"), GP32()), bias)
	for v := range sums {
		sums[v] = YMM()
		VPBROADCASTD(bias, sums[v])
	}
	ones, high := YMM(), YMM()
	VPCMPEQW(ones, ones, ones) // −1
	VPSLLW(Imm(7), ones, high)
	VPABSW(high, high) // 128
	VPABSW(ones, ones)
	query, steps := GP64(), GP64()
	MOVQ(a.query, query)
	Load(Param("steps"), steps)
	Label("step")
	qhi, qlo := YMM(), YMM()
	VPBROADCASTD(Mem{Base: query}, qhi)
	VPBROADCASTD(Mem{Base: query, Disp: 4}, qlo)
	for v := range sums {
		x, y := YMM(), YMM()
		VMOVDQU(Mem{Base: a.codes, Disp: 32 * v}, x)
		VPMADDUBSW(qhi, x, y) // sums of two fit 16 bits: 2·255·64 < 2¹⁵
		VPMADDUBSW(qlo, x, x)
		VPMADDWD(high, y, y)
		VPMADDWD(ones, x, x)
		VPADDD(y, sums[v], sums[v])
		VPADDD(x, sums[v], sums[v])
		if v%2 == 0 {
			PREFETCHT0(Mem{Base: a.codes, Disp: 32*v + scanAhead})
		}
	}
	ADDQ(Imm(8), query)
	ADDQ(U32(scanStep), a.codes)
	DECQ(steps)
	JNZ(LabelRef("step"))

	a.scanLeast()
	below := GP64() // one bit for each item whose dot is too small
	for v := vectors - 1; v >= 0; v-- {
		least := YMM()
		VPBROADCASTD(a.least.Offset(4*(v/2)), least)
		VMOVDQU(sums[v], dots.Offset(32*v))
		VPCMPGTD(sums[v], least, least)
		bits := GP32()
		VMOVMSKPS(least, bits)
		if v == vectors-1 {
			MOVL(bits, below.As32())
		} else {
			SHLQ(Imm(8), below)
			ORQ(bits.As64(), below)
		}
	}
	NOTQ(below)
	ANDQ(below, word)
	JZ(LabelRef("next"))

	from := GP64()
	LEAQ(dots, from)
	Label("survivor")
	i, dot := GP64(), GP32()
	BSFQ(word, i)
	MOVL(Mem{Base: from, Index: i, Scale: 4}, dot)
	MOVL(dot, Mem{Base: a.dots, Index: a.found, Scale: 4})
	ADDQ(a.first, i)
	MOVL(i.As32(), Mem{Base: a.items, Index: a.found, Scale: 4})
	INCQ(a.found)
	LEAQ(Mem{Base: word, Disp: -1}, i)
	ANDQ(i, word)
	JNZ(LabelRef("survivor"))

	Label("next")
	a.scanNext()
}
