package hybrid_test

import (
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"kindred/model"
	"kindred/model/hybrid"
)

// noise is a component that costs little more than writing its scores.
type noise struct {
	name   string
	scores []float32
}

func (s noise) Name() string                              { return s.name }
func (s noise) Items() int                                { return len(s.scores) }
func (s noise) Score(_ model.History, dst []float32) bool { copy(dst, s.scores); return true }

// BenchmarkBlend is what a request adds to its components: 4 of them, 27,000 items.
func BenchmarkBlend(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 1))
	var scorers []model.Scorer
	names := []string{"als", "itemitem", "content", "popular"}
	for _, name := range names {
		s := noise{name, make([]float32, 27_000)}
		for i := range s.scores {
			s.scores[i] = random.Float32()
		}
		scorers = append(scorers, s)
	}
	s := bind(b, hybrid.Equal(names, hybrid.ZScore), scorers...)
	for b.Loop() {
		s.Blend(model.History{}).Release()
	}
}

// BenchmarkLearn is a training run's: 5,000 people, 3,700 items, 4 components.
func BenchmarkLearn(b *testing.B) {
	w := newWorld(1, 500, 3700)
	for i := range 4500 { // ten times the same people keep the fixture small
		w.cases = append(w.cases, w.cases[i%500])
	}
	w.scorers = append(w.scorers, noise{"d", w.scorers[0].(table).scores[0]})
	for b.Loop() {
		learn(b, w, func(c *hybrid.Config) { c.MinCases = 200 })
	}
}

// BenchmarkTop is the exact list of 20 for one of 1000 people in turn, who used 20 or 200 items each, from als, itemitem,
// content and popular.
func BenchmarkTop(b *testing.B) {
	for _, items := range []int{27_000, 1_000_000} {
		b.Run(fmt.Sprint(items), func(b *testing.B) {
			scorers, m := shop(b, items)
			s, err := m.BindIndex(scorers, hybrid.NewIndex(scorers))
			if err != nil {
				b.Fatal(err)
			}
			for _, used := range []int{20, 200} {
				people := shoppers(1000, items, used)
				b.Run(fmt.Sprint(used), func(b *testing.B) {
					i, before := 0, cpu()
					for b.Loop() {
						h := people[i%len(people)]
						s.Top(h, 20, hybrid.Filter{Seen: h.Rows}).Release()
						i++
					}
					b.ReportMetric(float64((cpu()-before).Nanoseconds())/float64(b.N), "cpu-ns/op")
				})
			}
		})
	}
}

// cpu is the processor time of this process so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
