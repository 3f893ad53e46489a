package retrieve

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"kindred/model/rank"
	"kindred/model/retrieve/retrievetest"
)

// BenchmarkTop asks for the best 100:
//
//   - plain: of all rows;
//   - filtered: of a category of every tenth row, packed, without 200 excluded rows, of which half are
//     among the best;
//   - loose: the same, not packed;
//   - hidden: of all rows without the 200 best ones;
//   - addends: of all rows, 5000 of which have an addend.
//
// Beside the time, in CPU time of the process, it reports the mean number of rows rescored, the fraction of
// rows scanned, and stream-ratio: the median over rounds of the time of a query to the time of
// one pass over the codes that only adds them up, measured in turns in the same run.
func BenchmarkTop(b *testing.B) {
	for _, f := range []int{64, 128} {
		for _, n := range []int{27_000, 100_000, 1_000_000} {
			for _, spread := range []float64{0, 0.3, 0.6} {
				b.Run(fmt.Sprintf("f=%d/n=%d/spread=%.1f", f, n, spread), func(b *testing.B) {
					x := New(retrievetest.Vectors(n, f, spread, 1), f, Config{})
					plain := make([]Query, 64)
					vectors := retrievetest.Queries(len(plain), f, 1)
					for i := range plain {
						plain[i] = Query{Vector: vectors[i*f : (i+1)*f], K: 100}
					}
					category := rank.NewSet(n)
					for row := 0; row < n; row += 10 {
						category.Add(int32(row))
					}
					loose := x.Mask(category)
					only := loose.Pack()
					filtered, unpacked, hidden, addends := slices.Clone(plain), slices.Clone(plain), slices.Clone(plain), slices.Clone(plain)
					rng := rand.New(rand.NewPCG(1, 1))
					for i := range plain {
						rows := make([]int32, 5000)
						for j := range rows {
							rows[j] = int32(j*(n/5000) + rng.IntN(n/5000))
						}
						best, _ := x.Top(Query{Vector: plain[i].Vector, K: 200})
						for _, r := range best {
							hidden[i].Seen = append(hidden[i].Seen, r.Row)
						}
						seen := slices.Concat(hidden[i].Seen[:100], rows[:100])
						filtered[i].Only, filtered[i].Seen = only, seen
						unpacked[i].Only, unpacked[i].Seen = loose, seen
						addends[i].Rows = rows
						for range rows {
							addends[i].Add = append(addends[i].Add, float32(rng.ExpFloat64()/10))
						}
					}
					b.Run("plain", func(b *testing.B) { benchmarkTop(b, x, plain) })
					b.Run("filtered", func(b *testing.B) { benchmarkTop(b, x, filtered) })
					b.Run("loose", func(b *testing.B) { benchmarkTop(b, x, unpacked) })
					b.Run("hidden", func(b *testing.B) { benchmarkTop(b, x, hidden) })
					b.Run("addends", func(b *testing.B) { benchmarkTop(b, x, addends) })
				})
			}
		}
	}
}

func benchmarkTop(b *testing.B, x *Index, queries []Query) {
	const round = 8 // queries between two passes
	var total Stats
	var busy time.Duration
	var ratios []float64
	asked := 0
	for b.Loop() {
		start := cpuTime()
		for range round {
			_, s := x.Top(queries[asked%len(queries)])
			total.Scanned += s.Scanned
			total.Rescored += s.Rescored
			asked++
		}
		middle := cpuTime()
		stream(x.base.heads)
		stream(x.base.tails)
		end := cpuTime()
		busy += middle - start
		ratios = append(ratios, float64(middle-start)/round/float64(end-middle))
	}
	slices.Sort(ratios)
	b.ReportMetric(0, "ns/op") // a round and its pass: of no interest
	b.ReportMetric(float64(busy.Nanoseconds())/float64(asked)/1e3, "cpu-us/query")
	b.ReportMetric(float64(total.Rescored)/float64(asked), "rescored/query")
	b.ReportMetric(float64(total.Scanned)/float64(asked)/float64(x.Len()), "scanned")
	b.ReportMetric(ratios[len(ratios)/2], "stream-ratio")
}

// sink keeps stream from being optimised away.
var sink uint64

// stream reads every byte once, as fast as memory gives them.
func stream(codes []uint8) {
	var s0, s1, s2, s3, s4, s5, s6, s7 uint64
	for len(codes) >= 64 {
		c := codes[:64]
		s0 += binary.LittleEndian.Uint64(c[0:])
		s1 += binary.LittleEndian.Uint64(c[8:])
		s2 += binary.LittleEndian.Uint64(c[16:])
		s3 += binary.LittleEndian.Uint64(c[24:])
		s4 += binary.LittleEndian.Uint64(c[32:])
		s5 += binary.LittleEndian.Uint64(c[40:])
		s6 += binary.LittleEndian.Uint64(c[48:])
		s7 += binary.LittleEndian.Uint64(c[56:])
		codes = codes[64:]
	}
	sink += s0 + s1 + s2 + s3 + s4 + s5 + s6 + s7
}

// cpuTime is what the process has used so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
