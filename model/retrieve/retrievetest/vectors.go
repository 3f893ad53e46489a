// Package retrievetest generates item vectors and queries that are shaped like those of
// matrix factorisation, for tests and benchmarks of retrieval.
package retrievetest

import (
	"math"
	"math/rand/v2"
	"runtime"
	"sync"
)

// clusters is how many directions the vectors gather around.
const clusters = 500

// Vectors returns n vectors of length f, row-major. Each is a cluster's centre plus
// noise, both with standard deviations that decay as (j+1)^-½ over the
// dimensions j, scaled to a norm that is log-normal: exp(spread·N(0, 1)). With spread 0 all
// norms are 1; matrix factorisation gives .3 to .6 and more. The same arguments give the
// same vectors.
func Vectors(n, f int, spread float64, seed uint64) []float32 {
	out := make([]float32, n*f)
	draw(out, f, spread, seed, 1)
	return out
}

// Queries returns n queries for Vectors of the same f and seed: people that stand near the
// clusters, all with norm 1.
func Queries(n, f int, seed uint64) []float32 {
	out := make([]float32, n*f)
	draw(out, f, 0, seed, 2)
	return out
}

// part is the number of vectors that one stream of random numbers makes, so that the
// result is the same for any number of processors.
const part = 4096

func draw(out []float32, f int, spread float64, seed, stream uint64) {
	decay := make([]float64, f)
	for j := range decay {
		decay[j] = 1 / math.Sqrt(float64(j+1))
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	centres := make([]float64, clusters*f)
	for i := range centres {
		centres[i] = rng.NormFloat64() * decay[i%f]
	}
	n := len(out) / f
	next := make(chan int)
	var wait sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wait.Go(func() {
			for p := range next {
				rng := rand.New(rand.NewPCG(seed, stream<<32+uint64(p)))
				for i := p * part; i < min((p+1)*part, n); i++ {
					centre := centres[rng.IntN(clusters)*f:][:f]
					one(out[i*f:(i+1)*f], centre, decay, math.Exp(spread*rng.NormFloat64()), rng)
				}
			}
		})
	}
	for p := range (n + part - 1) / part {
		next <- p
	}
	close(next)
	wait.Wait()
}

// one draws a vector around the centre and gives it the norm.
func one(out []float32, centre, decay []float64, norm float64, rng *rand.Rand) {
	sum := 0.0
	for j := range out {
		v := centre[j] + rng.NormFloat64()*decay[j]
		out[j] = float32(v)
		sum += v * v
	}
	scale := norm / math.Sqrt(sum)
	for j, v := range out {
		out[j] = float32(float64(v) * scale)
	}
}
