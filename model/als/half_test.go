package als

import (
	"fmt"
	"math"
	"testing"

	"kindred/model/kernel"
)

func TestHalfUnitKeepsEveryEntryInRange(t *testing.T) {
	for _, mean := range []float64{1e-30, 1e-5, 0.01, 0.02, 0.5, 1, 1.5, 300, 1e20} {
		for _, n := range []int{1, 1000, 10_000_000} {
			unit := halfUnit(mean*mean*float64(n), n)
			if fraction, _ := math.Frexp(unit); fraction != .5 {
				t.Errorf("unit of %d rows of length %v is %v, which is no power of two", n, mean, unit)
			}
			largest := mean * math.Sqrt(float64(n)) * unit // if one row has all of it
			if scaled := mean * unit; scaled < 0x1p-6 || largest > 65504 {
				t.Errorf("%d rows of mean length %v: mean %v and largest %v after scaling", n, mean, scaled, largest)
			}
		}
	}
	if unit := halfUnit(0, 7); unit != 1 {
		t.Errorf("unit of zeros is %v, want 1", unit)
	}
}

// TestHalfPrecisionGivesTheSameSolution solves rows from factors of very different sizes, gathered in half
// precision and in full.
func TestHalfPrecisionGivesTheSameSolution(t *testing.T) {
	x := people(200, 80, 53)
	cfg := configs()["flat"]
	cfg.CGSteps = 20
	for _, size := range []float64{1e-9, 1e-3, 1, 1e6} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			solve := func(half bool) []float32 {
				cfg := cfg
				cfg.StdDev, cfg.Regularization = size, .5*size*size
				s := newSweeper(objectiveOf(cfg, x), cfg, 2, x.Rows)
				if half {
					s.half = make([]uint16, x.Rows*cfg.Factors)
				}
				users := make([]float32, x.Rows*cfg.Factors)
				if err := s.halfStep(t.Context(), users, initialItems(x, cfg, nil), x); err != nil {
					t.Fatal(err)
				}
				return users
			}
			want, got := solve(false), solve(true)
			for u := range x.Rows {
				a, b := want[u*cfg.Factors:(u+1)*cfg.Factors], got[u*cfg.Factors:(u+1)*cfg.Factors]
				off := make([]float32, cfg.Factors)
				for k := range a {
					off[k] = a[k] - b[k]
				}
				if !(length(off) <= 2e-3*length(a)) {
					t.Fatalf("person %d: %v in half precision, %v in full", u, b, a)
				}
			}
		})
	}
}

// TestManySmallFactorsFitIntoHalfPrecision has more numbers to scale at a time than a worker packs.
func TestManySmallFactorsFitIntoHalfPrecision(t *testing.T) {
	cfg := configs()["flat"]
	cfg.Factors, cfg.StdDev, cfg.Iterations = 600, 1e-6, 1
	if rotateRows*cfg.Factors <= packedBytes/4 {
		t.Fatal("the test needs more factors")
	}
	x := people(700, 20, 61)
	s := newSweeper(objectiveOf(cfg, x), cfg, 1, x.Rows)
	s.half = make([]uint16, x.Rows*cfg.Factors)
	users, items := make([]float32, x.Rows*cfg.Factors), initialItems(x, cfg, nil)
	for i := range users {
		users[i] = 1e-6
	}
	if err := s.halfStep(t.Context(), items, users, x.Transpose()); err != nil {
		t.Fatal(err)
	}
	decoded := make([]float32, len(users))
	kernel.HalfDecode(decoded, s.half[:len(users)])
	for i, v := range users {
		if math.Abs(float64(decoded[i])/s.unit-float64(v)) > 0x1p-11*math.Abs(float64(v))+1e-12 {
			t.Fatalf("number %d = %v, in half precision %v", i, v, float64(decoded[i])/s.unit)
		}
	}
}

// TestHalfPrecisionCostsNoLoss is the measurement that the choice of half precision rests on, in small.
func TestHalfPrecisionCostsNoLoss(t *testing.T) {
	x := people(300, 120, 59)
	for name, cfg := range configs() {
		t.Run(name, func(t *testing.T) {
			fitted := func(half bool) float64 {
				s := newSweeper(objectiveOf(cfg, x), cfg, 1, x.Rows)
				if half {
					s.half = make([]uint16, x.Rows*cfg.Factors)
				}
				users, items := make([]float32, x.Rows*cfg.Factors), initialItems(x, cfg, nil)
				for range cfg.Iterations {
					for _, err := range []error{s.halfStep(t.Context(), users, items, x), s.halfStep(t.Context(), items, users, x.Transpose())} {
						if err != nil {
							t.Fatal(err)
						}
					}
				}
				return lossOf(s.loss, cfg.Factors, x, items, users)
			}
			if half, full := fitted(true), fitted(false); math.Abs(half-full) > 2e-5*full {
				t.Errorf("loss %v in half precision, %v in full", half, full)
			}
		})
	}
}
