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
	scanStep  = 4 * scanGroup // bytes: four dimensions of a group; a shift by 8 below
	scanBlock = 16            // items that share a bound
)

// scan writes the loops of kernel/scan.go. The levels differ in more than the vector's size, so
// that each has its own.
func scan() {
	for _, head := range []bool{false, true} {
		scanAVX512(head)
		scanAVX2(head)
	}
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
	head                        bool // of the first dimensions only: ScanHead
	heads, meta, allowed, group reg.GPVirtual
	items, dots, found          reg.GPVirtual // of Scan
	next                        reg.GPVirtual // of Scan: the next group that is read
	word, query, codes, ahead   reg.GPVirtual // of the group: its items, the walk along query and codes, what to fetch
	one, limit                  Mem
	least                       Mem // the bounds of the group's four blocks
}

// load loads an argument anew; few registers are left to keep them all.
func (a *scanArgs) load(name string) reg.GPVirtual {
	r := GP64()
	Load(Param(name), r)
	return r
}

// scanBegin loads the arguments.
func scanBegin(level string, head bool) *scanArgs {
	a := &scanArgs{head: head, word: GP64(), query: GP64(), codes: GP64(), ahead: GP64(), group: GP64()}
	name := "scan" + level
	const more = "bias undoes the 128 of the codes and bound points to the factors of a ScanBound."
	if head {
		name = "scanHead" + level
		TEXT(name, NOSPLIT, "func(heads *uint8, meta *float32, allowed *uint64, groups int, query *int8, steps int, bias int32, bound *float32)")
		Doc(name+" is ScanHead for groups > 0 and steps = split/4 > 0.", more)
	} else {
		TEXT(name, NOSPLIT, "func(items, dots *int32, heads, tails *uint8, meta *float32, allowed *uint64, groups int, query *int8, steps, tailSteps int, bias int32, bound *float32) int")
		Doc(name+" is Scan for groups > 0, steps = split/4 > 0 and tailSteps = (d − split)/4.", more)
	}
	Pragma("noescape")
	a.heads, a.meta, a.allowed = a.load("heads"), a.load("meta"), a.load("allowed")
	XORQ(a.group, a.group)
	if !head {
		a.items, a.dots = a.load("items"), a.load("dots")
		a.found, a.next = GP64(), GP64()
		XORQ(a.found, a.found)
	}
	a.one = ConstData(name+"One", U32(math.Float32bits(1)))
	a.limit = ConstData(name+"Limit", U32(math.Float32bits(1<<30)))
	a.least = AllocLocal(16)
	return a
}

// scanGroup leads to the first group with an item and begins it.
func (a *scanArgs) scanGroup() {
	Label("find")
	MOVQ(Mem{Base: a.allowed, Index: a.group, Scale: 8}, a.word)
	TESTQ(a.word, a.word)
	JNZ(LabelRef("group"))
	INCQ(a.group)
	CMPQ(a.group, a.load("groups"))
	JLT(LabelRef("find"))
	JMP(LabelRef("done"))

	Label("group")
	MOVQ(Mem{Base: a.allowed, Index: a.group, Scale: 8}, a.word)
	a.walk(a.heads, "steps")
	LEAQ(Mem{Base: a.codes, Disp: scanAhead}, a.ahead)
	Load(Param("query"), a.query)
	if a.head {
		return
	}
	// The rests of the groups that are read do not follow each other: while the
	// beginning of this one is read, the rest of the next one is fetched.
	MOVQ(a.group, a.next)
	Label("look")
	INCQ(a.next)
	CMPQ(a.next, a.load("groups"))
	JGE(LabelRef("begin"))
	empty := GP64()
	MOVQ(Mem{Base: a.allowed, Index: a.next, Scale: 8}, empty)
	TESTQ(empty, empty)
	JZ(LabelRef("look"))
	steps := a.load("tailSteps")
	TESTQ(steps, steps)
	JZ(LabelRef("begin"))
	SHLQ(Imm(8), steps) // × scanStep
	IMULQ(a.next, steps)
	Load(Param("tails"), a.ahead)
	ADDQ(steps, a.ahead)
	Label("begin")
}

// walk sets a.codes to this group's part of what is at base, steps of it for a group.
func (a *scanArgs) walk(base reg.GPVirtual, steps string) {
	Load(Param(steps), a.codes)
	SHLQ(Imm(8), a.codes) // × scanStep
	IMULQ(a.group, a.codes)
	ADDQ(base, a.codes)
}

// scanSteps writes the loops over the dimensions: one does a step, and fetches.
func (a *scanArgs) scanSteps(one func(fetch func(disp int))) {
	loop := func(label, count string, fetch func(int)) {
		steps := a.load(count)
		TESTQ(steps, steps)
		JZ(LabelRef(label + "done"))
		Label(label)
		one(fetch)
		ADDQ(Imm(8), a.query)
		ADDQ(U32(scanStep), a.codes)
		ADDQ(U32(scanStep), a.ahead)
		DECQ(steps)
		JNZ(LabelRef(label))
		Label(label + "done")
	}
	loop("step", "steps", func(disp int) { PREFETCHT0(Mem{Base: a.ahead, Disp: disp}) })
	if !a.head {
		a.walk(a.load("tails"), "tailSteps")
		loop("tail", "tailSteps", func(int) {})
	}
}

// scanAhead is how many bytes ahead of the loads to fetch where groups follow each other.
const scanAhead = 2048

// scanLeast computes the integer bounds of the group's blocks, see ScanBound.
func (a *scanArgs) scanLeast() {
	bound := Load(Param("bound"), GP64())
	factor := func(m Mem) reg.VecVirtual {
		v := XMM()
		VBROADCASTSS(m, v)
		return v
	}
	meta := GP64()
	MOVQ(a.group, meta)
	SHLQ(Imm(6), meta) // 64 bytes about a group
	ADDQ(a.meta, meta)
	t, slack := factor(Mem{Base: bound}), factor(Mem{Base: bound, Disp: 4})
	VMULPS(Mem{Base: meta, Disp: 16}, slack, slack)
	for i := 2; i < 4; i++ {
		more := factor(Mem{Base: bound, Disp: 4 * i})
		VMULPS(Mem{Base: meta, Disp: 16 * i}, more, more)
		VADDPS(more, slack, slack)
	}
	VSUBPS(slack, t, t)
	VMULPS(Mem{Base: meta}, t, t)
	VMULPS(factor(Mem{Base: bound, Disp: 16}), t, t)
	VSUBPS(factor(a.one), t, t)
	VMINPS(t, factor(a.limit), t) // the limit first: what is not a number stays so
	VCVTTPS2DQ(t, t)
	VMOVUPS(t, a.least)
}

// scanNext moves on to the next group and ends the function after the last.
func (a *scanArgs) scanNext() {
	Label("next")
	if a.head {
		INCQ(a.group)
		CMPQ(a.group, a.load("groups"))
		JLT(LabelRef("find"))
	} else {
		MOVQ(a.next, a.group)
		CMPQ(a.group, a.load("groups"))
		JLT(LabelRef("group"))
	}
	Label("done")
	VZEROUPPER()
	if !a.head {
		Store(a.found, ReturnIndex(0))
	}
	RET()
}

// first is the number of the group's first item.
func (a *scanArgs) first() reg.GPVirtual {
	r := GP64()
	MOVQ(a.group, r)
	SHLQ(Imm(6), r) // × scanGroup
	return r
}

func scanAVX512(head bool) {
	a := scanBegin("AVX512", head)
	bias := ZMM()
	VPBROADCASTD(Load(Param("bias"), GP32()), bias)
	numbers := ZMM()
	if !head {
		iota := GLOBL("scanNumbers", RODATA|NOPTR)
		for i := range scanBlock {
			DATA(4*i, U32(uint32(i)))
		}
		VMOVDQU32(iota, numbers)
	}

	a.scanGroup()
	var hi, lo [4]reg.VecVirtual
	for b := range hi {
		hi[b], lo[b] = ZMM(), ZMM()
		VPXORD(hi[b], hi[b], hi[b])
		VMOVDQA32(bias, lo[b])
	}
	a.scanSteps(func(fetch func(int)) {
		qhi, qlo := ZMM(), ZMM()
		VPBROADCASTD(Mem{Base: a.query}, qhi)
		VPBROADCASTD(Mem{Base: a.query, Disp: 4}, qlo)
		for b := range hi {
			x := ZMM()
			VMOVDQU32(Mem{Base: a.codes, Disp: 64 * b}, x)
			vpdpbusd(qhi, x, hi[b])
			vpdpbusd(qlo, x, lo[b])
			fetch(64 * b)
		}
	})

	a.scanLeast()
	var found [4]reg.Register
	for b := range hi {
		VPSLLD(Imm(7), hi[b], hi[b])
		VPADDD(lo[b], hi[b], hi[b])
		allowed, k := K(), K()
		KMOVW(a.word.As32(), allowed)
		if b < 3 {
			SHRQ(Imm(scanBlock), a.word)
		}
		VPCMPD_BCST(Imm(5), a.least.Offset(4*b), hi[b], allowed, k) // not less than
		found[b] = k
	}
	if head {
		low, high := K(), K()
		KUNPCKWD(found[0], found[1], low)
		KUNPCKWD(found[2], found[3], high)
		KUNPCKDQ(low, high, low)
		KMOVQ(low, Mem{Base: a.allowed, Index: a.group, Scale: 8})
		a.scanNext()
		return
	}
	either, other := K(), K()
	KORW(found[0], found[1], either)
	KORW(found[2], found[3], other)
	KORTESTW(either, other)
	JZ(LabelRef("next"))

	first := a.first()
	for b, k := range found {
		// Compressed in a register and stored whole: a compressing store is slow on some processors.
		number, packed := ZMM(), ZMM()
		VPBROADCASTD(first.As32(), number)
		VPADDD(number, numbers, number)
		VPCOMPRESSD_Z(number, k, packed)
		VMOVDQU32(packed, Mem{Base: a.items, Index: a.found, Scale: 4})
		VPCOMPRESSD_Z(hi[b], k, packed)
		VMOVDQU32(packed, Mem{Base: a.dots, Index: a.found, Scale: 4})
		count := GP32()
		KMOVW(k, count)
		POPCNTL(count, count)
		ADDQ(count.As64(), a.found)
		ADDQ(Imm(scanBlock), first)
	}
	a.scanNext()
}

func scanAVX2(head bool) {
	a := scanBegin("AVX2", head)
	const vectors = scanGroup / 8
	var dots Mem
	if !head {
		dots = AllocLocal(4 * scanGroup)
	}
	a.scanGroup()
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
	a.scanSteps(func(fetch func(int)) {
		qhi, qlo := YMM(), YMM()
		VPBROADCASTD(Mem{Base: a.query}, qhi)
		VPBROADCASTD(Mem{Base: a.query, Disp: 4}, qlo)
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
				fetch(32 * v)
			}
		}
	})

	a.scanLeast()
	below := GP64() // one bit for each item whose dot is too small
	for v := vectors - 1; v >= 0; v-- {
		least := YMM()
		VPBROADCASTD(a.least.Offset(4*(v/2)), least)
		if !head {
			VMOVDQU(sums[v], dots.Offset(32*v))
		}
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
	ANDQ(below, a.word)
	if head {
		MOVQ(a.word, Mem{Base: a.allowed, Index: a.group, Scale: 8})
		a.scanNext()
		return
	}
	JZ(LabelRef("next"))

	from, first := GP64(), a.first()
	LEAQ(dots, from)
	Label("survivor")
	i, dot := GP64(), GP32()
	BSFQ(a.word, i)
	MOVL(Mem{Base: from, Index: i, Scale: 4}, dot)
	MOVL(dot, Mem{Base: a.dots, Index: a.found, Scale: 4})
	ADDQ(first, i)
	MOVL(i.As32(), Mem{Base: a.items, Index: a.found, Scale: 4})
	INCQ(a.found)
	LEAQ(Mem{Base: a.word, Disp: -1}, i)
	ANDQ(i, a.word)
	JNZ(LabelRef("survivor"))
	a.scanNext()
}
