package kernel_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kindred/model/kernel"
)

// scanned is the input of Scan and the plain numbers behind it.
type scanned struct {
	d, groups int
	split     int     // dimensions in heads
	x         [][]int // the items' integers
	q         []int   // the query's
	heads     []uint8
	tails     []uint8
	meta      []float32
	allowed   []uint64
	query     []int8
}

// newScanned draws codes and a query within the bounds that Scan asks for; extreme ones
// are at the bounds.
func newScanned(rng *rand.Rand, d, groups int, extreme bool) *scanned {
	split := 4 + 4*rng.IntN(d/4)
	s := &scanned{
		d: d, groups: groups, split: split, q: make([]int, d), query: make([]int8, 2*d),
		heads: make([]uint8, groups*kernel.ScanGroup*split), tails: make([]uint8, groups*kernel.ScanGroup*(d-split)), meta: make([]float32, groups*16), allowed: make([]uint64, groups),
	}
	draw := func(limit int) int {
		if extreme {
			return limit * (1 - 2*rng.IntN(2))
		}
		return rng.IntN(2*limit+1) - limit
	}
	for j := range s.q {
		s.q[j] = draw(8127)
		hi := (s.q[j] + 64) >> 7
		s.query[j/4*8+j%4], s.query[j/4*8+4+j%4] = int8(hi), int8(s.q[j]-128*hi)
	}
	for i := range groups * kernel.ScanGroup {
		x := make([]int, d)
		for j := range x {
			if x[j] = draw(127); extreme && s.q[j] < 0 {
				x[j] = -x[j]
			}
			codes, k, width := s.heads, j, split
			if j >= split {
				codes, k, width = s.tails, j-split, d-split
			}
			codes[i/64*64*width+k/4*256+i%64*4+k%4] = uint8(x[j] + 128)
		}
		s.x = append(s.x, x)
	}
	for g := range groups {
		for b := range 4 {
			s.meta[16*g+b], s.meta[16*g+4+b], s.meta[16*g+8+b], s.meta[16*g+12+b] = 0.5+rng.Float32(), rng.Float32(), rng.Float32(), rng.Float32()
		}
		s.allowed[g] = rng.Uint64() | rng.Uint64()
		if rng.IntN(4) == 0 {
			s.allowed[g] = 0
		}
	}
	return s
}

// dot is an item's exact dot.
func (s *scanned) dot(i int) int {
	sum := 0
	for j, q := range s.q {
		sum += q * s.x[i][j]
	}
	return sum
}

// run calls Scan with room for exactly what it may write.
func (s *scanned) run(bound kernel.ScanBound) (items, dots []int32) {
	room := 0
	for _, w := range s.allowed {
		if w != 0 {
			room += kernel.ScanGroup
		}
	}
	items, dots = make([]int32, room), make([]int32, room)
	n := kernel.Scan(items, dots, s.heads, s.tails, s.meta, s.allowed, s.query, s.split, bound)
	return items[:n], dots[:n]
}

func TestScanFindsWhatReachesTheBound(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 1))
		for d := 4; d <= 300; d += 4 {
			s := newScanned(rng, d, 1+rng.IntN(5), d%3 == 0)
			b := kernel.ScanBound{Theta: float32(rng.NormFloat64() * 1e6 * math.Sqrt(float64(d))), EFactor: 1000, NFactor: 100, TailFactor: 5000, InvQuery: 0.25}
			items, dots := s.run(b)
			at := 0
			for i := range s.x {
				g, block, dot := i/64, i%64/16, s.dot(i)
				m := s.meta[16*g+block:]
				limit := (float64(b.Theta) - float64(m[4])*float64(b.EFactor) - float64(m[8])*float64(b.NFactor) - float64(m[12])*float64(b.TailFactor)) * float64(m[0]) * float64(b.InvQuery)
				allowed := s.allowed[g]>>(i%64)&1 == 1
				found := at < len(items) && int(items[at]) == i
				slack := math.Abs(limit)*1e-6 + 2
				switch {
				case found && !allowed:
					t.Fatalf("d = %d: item %d was found and is not allowed", d, i)
				case allowed && !found && float64(dot) >= limit:
					t.Fatalf("d = %d: item %d with dot %d was not found at a bound of %v", d, i, dot, limit)
				case found && float64(dot) < limit-slack:
					t.Fatalf("d = %d: item %d with dot %d was found at a bound of %v", d, i, dot, limit)
				case found && int(dots[at]) != dot:
					t.Fatalf("d = %d: dot of item %d = %d, want %d", d, i, dots[at], dot)
				}
				if found {
					at++
				}
			}
			if at != len(items) {
				t.Fatalf("d = %d: items %v, not rising or unknown from %d on", d, items, at)
			}
		}
	})
}

func TestScanHeadKeepsWhatScanOfTheHeadFinds(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(6, 6))
		for d := 4; d <= 200; d += 4 {
			s := newScanned(rng, d, 1+rng.IntN(40), false)
			bound := kernel.ScanBound{Theta: float32(rng.NormFloat64() * 1e6), EFactor: 1000, TailFactor: 1000, InvQuery: 0.25}
			short := *s // the same groups with the first dimensions alone
			short.tails, short.query = nil, s.query[:2*s.split]
			items, _ := short.run(bound)
			want := make([]uint64, s.groups)
			for _, i := range items {
				want[i/64] |= 1 << (i % 64)
			}
			got := slices.Clone(s.allowed)
			kernel.ScanHead(got, s.heads, s.meta, short.query, bound)
			if !slices.Equal(got, want) {
				t.Fatalf("d = %d, the first %d: %x, want %x", d, s.split, got, want)
			}
		}
	})
}

func TestScanAtStrangeBounds(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	kernel.AtEveryLevel(t, func(t *testing.T) {
		s := newScanned(rand.New(rand.NewPCG(2, 2)), 1024, 3, true)
		allowed := 0
		for i := range s.x {
			allowed += int(s.allowed[i/64] >> (i % 64) & 1)
		}
		for name, tt := range map[string]struct {
			bound kernel.ScanBound
			e     float32
			want  int
		}{
			"nothing known yet":         {kernel.ScanBound{Theta: -inf, EFactor: 1, NFactor: 1, InvQuery: 1}, 1, allowed},
			"out of reach":              {kernel.ScanBound{Theta: inf, EFactor: 1, NFactor: 1, InvQuery: 1}, 1, 0},
			"just above all":            {kernel.ScanBound{Theta: 1 << 31, InvQuery: 1}, 1, 0},
			"far below all":             {kernel.ScanBound{Theta: -1e30, InvQuery: 1}, 1, allowed},
			"no number":                 {kernel.ScanBound{Theta: nan, InvQuery: 1}, 1, allowed},
			"unknown error":             {kernel.ScanBound{Theta: 1e30, EFactor: 1, InvQuery: 1}, inf, allowed},
			"unknown, and out of reach": {kernel.ScanBound{Theta: inf, EFactor: 1, InvQuery: 1}, inf, allowed},
		} {
			for g := range s.groups {
				for b := range 4 {
					s.meta[16*g+4+b] = tt.e
				}
			}
			if items, _ := s.run(tt.bound); len(items) != tt.want {
				t.Errorf("%s: %d found, want %d of %d", name, len(items), tt.want, allowed)
			}
		}
	})
}

func FuzzScan(f *testing.F) {
	f.Add(uint64(1), uint8(16), uint8(3), float32(1e5), float32(1))
	f.Add(uint64(2), uint8(1), uint8(40), float32(-1e9), float32(-1))
	f.Fuzz(func(t *testing.T, seed uint64, steps, groups uint8, theta, factor float32) {
		s := newScanned(rand.New(rand.NewPCG(seed, 3)), 4+4*int(steps%32), int(groups%20), seed%2 == 0)
		bound := kernel.ScanBound{Theta: theta, EFactor: factor, NFactor: -factor, TailFactor: factor / 2, InvQuery: factor}
		kernel.SetLevel(t, kernel.Generic)
		items, dots := s.run(bound)
		for l := kernel.AVX2; l <= kernel.BestLevel(); l++ {
			kernel.SetLevel(t, l)
			if i, d := s.run(bound); !slices.Equal(i, items) || !slices.Equal(d, dots) {
				t.Fatalf("%v finds %v %v, generic %v %v", l, i, d, items, dots)
			}
		}
	})
}

func TestScanOfManyGroupsIsOneScan(t *testing.T) {
	kernel.AtEveryLevel(t, func(t *testing.T) {
		s := newScanned(rand.New(rand.NewPCG(4, 4)), 128, 300, false) // more codes than one call reads
		items, dots := s.run(kernel.ScanBound{Theta: float32(math.Inf(-1)), InvQuery: 1})
		at := 0
		for i := range s.x {
			if s.allowed[i/64]>>(i%64)&1 == 1 {
				if int(items[at]) != i || int(dots[at]) != s.dot(i) {
					t.Fatalf("the %d-th found is %d with %d, want %d with %d", at, items[at], dots[at], i, s.dot(i))
				}
				at++
			}
		}
		if at != len(items) {
			t.Errorf("%d found, want %d", len(items), at)
		}
	})
}

func BenchmarkScan(b *testing.B) {
	s := newScanned(rand.New(rand.NewPCG(5, 5)), 64, 128, false)
	for g := range s.allowed {
		s.allowed[g] = ^uint64(0)
	}
	items, dots := make([]int32, 128*64), make([]int32, 128*64)
	for l := kernel.Generic; l <= kernel.BestLevel(); l++ {
		b.Run(l.String(), func(b *testing.B) {
			b.SetBytes(128 * 64 * 64)
			kernel.SetLevel(b, l)
			for b.Loop() {
				kernel.Scan(items, dots, s.heads, s.tails, s.meta, s.allowed, s.query, s.split, kernel.ScanBound{Theta: 1e9, InvQuery: 1})
			}
		})
	}
}
