package main

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"kindred/cmd/internal/load"
	"kindred/model/sparse"
)

// crowd is the shape of made-up interactions.
type crowd struct {
	People, Items int
	Median        float64 // items a person has
	Sigma         float64 // deviation of its logarithm
	Most          int     // items one person may have
	Zipf          float64 // exponent of an item's popularity
	Seed          uint64
}

// ml20m is shaped like MovieLens 20M: 138 k people, 27 k items, 19 to 20 M interactions.
func ml20m() crowd {
	return crowd{People: 138_000, Items: 27_000, Median: 79, Sigma: 1.06, Most: 3000, Zipf: .75, Seed: 1}
}

// ml2m is a tenth of it.
func ml2m() crowd {
	return crowd{People: 13_800, Items: 8000, Median: 79, Sigma: 1.06, Most: 3000, Zipf: .75, Seed: 1}
}

// tastes is how many topics there are; a person has one to four.
const tastes = 60

// generate draws the matrix of who used what, with 1 where somebody did. Items of one
// topic are a sixtieth of the catalogue, spread over all popularities; three of four draws are
// from the person's topics, the rest from the whole. It is a function of the
// shape for any number of processors.
func (c crowd) generate() *sparse.CSR {
	people := make([][]int32, c.People)
	inTopic, overall := load.NewZipf(c.Items/tastes, c.Zipf), load.NewZipf(c.Items, c.Zipf)
	const part = 512
	next := make(chan int)
	var all sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		all.Go(func() {
			mark := make([]int, c.Items) // 1 + the last person that has the item
			for p := range next {
				for u := p * part; u < min((p+1)*part, c.People); u++ {
					people[u] = c.person(u, inTopic, overall, mark)
				}
			}
		})
	}
	for p := range (c.People + part - 1) / part {
		next <- p
	}
	close(next)
	all.Wait()

	m := &sparse.CSR{Rows: c.People, Cols: c.Items, Ptr: make([]int64, c.People+1)}
	for u, items := range people {
		m.Ptr[u+1] = m.Ptr[u] + int64(len(items))
	}
	m.Col = make([]int32, 0, m.Ptr[c.People])
	for _, items := range people {
		m.Col = append(m.Col, items...)
	}
	m.Val = make([]float32, len(m.Col))
	for i := range m.Val {
		m.Val[i] = 1
	}
	return m
}

// person draws the items of person u, rising.
func (c crowd) person(u int, inTopic, overall *load.Zipf, mark []int) []int32 {
	random := rand.New(rand.NewPCG(c.Seed, uint64(u)))
	n := min(max(int(math.Round(c.Median*math.Exp(c.Sigma*random.NormFloat64()))), 1), c.Most, c.Items/2)
	var topics [4]int
	k := 1 + random.IntN(len(topics))
	for i := range k {
		topics[i] = random.IntN(tastes)
	}
	items := make([]int32, 0, n)
	for tries := 0; len(items) < n && tries < 20*n; tries++ {
		item := 0
		if random.IntN(4) < 3 {
			item = inTopic.Draw(random)*tastes + topics[random.IntN(k)]
		} else {
			item = overall.Draw(random)
		}
		if mark[item] != u+1 {
			mark[item] = u + 1
			items = append(items, int32(item))
		}
	}
	slices.Sort(items)
	return items
}
