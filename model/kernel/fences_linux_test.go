package kernel_test

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"unsafe"

	"kindred/model/kernel"
)

// fences gives memory that ends right before a page which nobody may touch, or begins right behind
// one: a load or store beyond a slice then ends the test, whatever it would have found there.
type fences struct {
	t     *testing.T
	atEnd bool
	rng   *rand.Rand
	mem   [][]byte
}

func (a *fences) bytes(n int) []byte {
	page := syscall.Getpagesize()
	size := max(1, (n+page-1)/page) * page
	mem, err := syscall.Mmap(-1, 0, size+2*page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		a.t.Fatal(err)
	}
	a.mem = append(a.mem, mem)
	for _, fence := range [][]byte{mem[:page], mem[page+size:]} {
		if err := syscall.Mprotect(fence, syscall.PROT_NONE); err != nil {
			a.t.Fatal(err)
		}
	}
	from := page
	if a.atEnd {
		from += size - n
	}
	return mem[from : from+n : from+n]
}

func (a *fences) free() {
	for _, m := range a.mem {
		if err := syscall.Munmap(m); err != nil {
			a.t.Fatal(err)
		}
	}
	a.mem = nil
}

// fenced is n zeros of a type without pointers.
func fenced[T any](a *fences, n int) []T {
	if n == 0 {
		return nil
	}
	var zero T
	return unsafe.Slice((*T)(unsafe.Pointer(&a.bytes(n * int(unsafe.Sizeof(zero)))[0])), n)
}

func (a *fences) float32s(n int) []float32 {
	v := fenced[float32](a, n)
	for i := range v {
		v[i] = float32(a.rng.NormFloat64())
	}
	return v
}

func (a *fences) float64s(n int) []float64 {
	v := fenced[float64](a, n)
	for i := range v {
		v[i] = a.rng.NormFloat64()
	}
	return v
}

func TestNothingBeyondTheSlicesIsTouched(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		for f := 1; f <= 256; f++ {
			if f > 70 && f%64 != 0 && f%13 != 0 {
				continue
			}
			for _, atEnd := range []bool{true, false} {
				a := &fences{t: t, atEnd: atEnd, rng: rand.New(rand.NewPCG(uint64(f), 1))}
				vectorsBetweenFences(a, f)
				for _, n := range []int{1, 3, 8, 13} {
					rowsBetweenFences(a, n, f)
				}
				if f <= 140 {
					matricesBetweenFences(a, f)
				}
				if f%4 == 0 {
					scansBetweenFences(a, f, f)
					scansBetweenFences(a, f, f/2&^3)
				}
				a.free()
			}
		}
	})
}

func vectorsBetweenFences(a *fences, f int) {
	v, d := func() []float32 { return a.float32s(f) }, func() []float64 { return a.float64s(f) }
	kernel.Dot(v(), v())
	kernel.Axpy(1, v(), v())
	kernel.Affine(v(), v(), 2, 1)
	kernel.Dot64(d(), d())
	kernel.Axpy64(1, d(), d())
	kernel.Givens64(d(), d(), .6, .8)
	kernel.Rank2Symv64(d(), d(), d(), d(), d(), 1, 2, 3)
	x, r, p, ap, dl, inverse := v(), v(), v(), v(), v(), v()
	kernel.CGStart(r, dl, inverse, x, v(), 5)
	kernel.CGNorm(r, inverse)
	kernel.CGDirection(p, ap, r, inverse, dl, 0)
	kernel.CGDirection(p, ap, r, inverse, dl, .5)
	kernel.CGStep(x, r, p, ap, inverse, .1)
	packed := kernel.PackCentroids(a.float32s(5*f), 5, f)
	centroids := a.float32s(len(packed))
	copy(centroids, packed)
	kernel.Distances(a.float32s(5), centroids, v())
}

func rowsBetweenFences(a *fences, n, f int) {
	rows, p, w, b, out := a.float32s(n*f), a.float32s(f), a.float32s(n), a.float32s(n), a.float32s(f)
	index, half := fenced[int32](a, n), fenced[uint16](a, n*f)
	for i := range index {
		index[i] = int32(a.rng.IntN(n))
	}
	kernel.HalfEncode(half, rows)
	kernel.HalfDecode(rows, half)
	kernel.Gemv(a.float32s(n), rows, p)
	kernel.DotRows(a.float32s(n), rows, index, p)
	kernel.NormalMul(out, rows, w, p)
	kernel.NormalResidual(out, rows, w, b, p)
	kernel.NormalResidual64(a.float64s(f), rows, w, b, a.float64s(f))
	kernel.Gather(a.float32s(n*f), rows, f, index)
	kernel.GatherDecode(a.float32s(n*f), half, f, index)
	kernel.GatherResidual(out, a.float32s(n*f), rows, index, w, b, p)
	kernel.GatherResidualHalf(out, a.float32s(n*f), half, index, w, b, p)
}

func matricesBetweenFences(a *fences, f int) {
	const n = 9
	rows, m := a.float32s(n*f), a.float32s(f*f)
	for _, w := range [][]float32{nil, a.float32s(n)} {
		kernel.Gram(a.float32s(f*f), rows, w, f)
		kernel.Syrk(a.float64s(f*f), rows, w, f, a.float64s(4*f))
	}
	kernel.Rotate(rows, m, f, a.float32s(kernel.RotateRows*f))
	for i := range f {
		m[i*f+i] = float32(4 * f)
	}
	if !kernel.CholeskyF32(m, f) {
		a.t.Fatalf("the matrix of order %d is not positive definite", f)
	}
	kernel.CholeskySolveF32(m, f, a.float32s(f))
}

func scansBetweenFences(a *fences, d, split int) {
	const groups = 3
	heads, tails := fenced[uint8](a, groups*kernel.ScanGroup*split), fenced[uint8](a, groups*kernel.ScanGroup*(d-split))
	meta, query, allowed := a.float32s(groups*16), fenced[int8](a, 2*d), fenced[uint64](a, groups)
	everything := kernel.ScanBound{Theta: -1e30, InvQuery: 1}
	for _, groupsWithBits := range []int{1, groups} {
		clear(allowed)
		for g := range groupsWithBits {
			allowed[g] = ^uint64(0)
		}
		room := groupsWithBits * kernel.ScanGroup
		kernel.Scan(fenced[int32](a, room), fenced[int32](a, room), heads, tails, meta, allowed, query, split, everything)
		kernel.ScanHead(allowed, heads, meta, query[:2*split], everything)
	}
}
