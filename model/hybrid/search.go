package hybrid

import (
	"context"
	"math/rand/v2"

	"kindred/model/rank"
)

// units is the fineness of the grid: a weight is a whole number of 1/units.
const units = 40

// grid is a point of the simplex grid: one share for each component, sum units.
type grid []int

// weights are the point's weights.
func (g grid) weights() []float64 {
	w := make([]float64, len(g))
	for i, x := range g {
		w[i] = float64(x) / units
	}
	return w
}

// key identifies the point in a cache; a share fits a byte.
func (g grid) key() string {
	b := make([]byte, len(g))
	for i, x := range g {
		b[i] = byte(x)
	}
	return string(b)
}

// search climbs to the grid point with the best mean NDCG over some cases.
type search struct {
	cases      []*prepared
	k, workers int
	components int
	known      map[string]float64
	perCase    []float64
}

// newSearch prepares a search; nothing is evaluated yet.
func newSearch(cases []*prepared, components int, cfg Config) *search {
	return &search{
		cases: cases, components: components, k: cfg.K, workers: cfg.Workers,
		known: map[string]float64{}, perCase: make([]float64, len(cases)),
	}
}

// value is the mean NDCG at g, remembered. It is summed in case order, so it does
// not depend on the number of workers.
func (s *search) value(ctx context.Context, g grid) (float64, error) {
	key := g.key()
	if v, ok := s.known[key]; ok {
		return v, nil
	}
	w := g.weights()
	err := each(ctx, len(s.cases), s.workers,
		func() *[]rank.Ranked { return new([]rank.Ranked) },
		func(i int, list *[]rank.Ranked) { s.perCase[i], _ = s.cases[i].ndcg(w, s.k, list) })
	if err != nil {
		return 0, err
	}
	sum := 0.0
	for _, v := range s.perCase {
		sum += v
	}
	s.known[key] = sum / float64(len(s.cases))
	return s.known[key], nil
}

// climb moves shares between pairs of components, in steps of the given sizes, as
// long as that is better, and returns where it ends.
func (s *search) climb(ctx context.Context, from grid, steps ...int) (grid, float64, error) {
	at := append(grid(nil), from...)
	best, err := s.value(ctx, at)
	if err != nil {
		return nil, 0, err
	}
	for _, step := range steps {
		for improved := true; improved; {
			improved = false
			for giver := range at {
				for taker := range at {
					if giver == taker || at[giver] == 0 {
						continue
					}
					moved := append(grid(nil), at...)
					amount := min(step, moved[giver])
					moved[giver] -= amount
					moved[taker] += amount
					v, err := s.value(ctx, moved)
					if err != nil {
						return nil, 0, err
					}
					if v > best+1e-12 {
						at, best, improved = moved, v, true
					}
				}
			}
		}
	}
	return at, best, nil
}

// run climbs with coarse steps from every start, then with fine ones from the best
// end; of equal ones the first. started is called after each start.
func (s *search) run(ctx context.Context, starts []grid, started func()) (grid, error) {
	var top grid
	best := -1.0
	for _, start := range starts {
		at, v, err := s.climb(ctx, start, 10, 4)
		if err != nil {
			return nil, err
		}
		if v > best {
			top, best = at, v
		}
		started()
	}
	top, _, err := s.climb(ctx, top, 2, 1)
	return top, err
}

// starts lists where a search begins: all components equal, each alone, and random
// mixtures by seed.
func starts(components, random int, seed uint64) []grid {
	equal := make(grid, components)
	for i := range units {
		equal[i%components]++
	}
	all := []grid{equal}
	for c := range components {
		all = append(all, alone(components, c))
	}
	if components == 1 {
		return all
	}
	source := rand.New(rand.NewPCG(seed, 0x5354415254))
	for range random {
		g := make(grid, components)
		for range units { // uniform over the ways to hand out units one by one
			g[source.IntN(components)]++
		}
		all = append(all, g)
	}
	return all
}

// alone is the grid point of one component.
func alone(components, c int) grid {
	g := make(grid, components)
	g[c] = units
	return g
}
