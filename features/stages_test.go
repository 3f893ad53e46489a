package features

import (
	"context"
	"slices"
	"testing"
	"time"

	"kindred/features/compact"
	"kindred/features/crowdtest"
)

// stages are the parts of the event path, each timed over some events by itself.
var stages = [...]string{"decode", "near", "known", "fold", "read", "rules", "cluster"}

// BenchmarkEventStages says which stage of BenchmarkEventPath/gate costs what, in ns an
// event, each the median over groups of 64 events:
//
//	decode   a sealed record to an event
//	near     the memory that the fold will read, brought near
//	known    a fold of an event that was folded before: timers, person, checks, message id
//	fold     the rest of a fold: identity, session, recents, history, affinities, windows, counters
//	read     the windows and interests that rules and clusters read, once for both
//	rules    32 thresholds on them
//	cluster  the vector, the nearest of sixteen centroids, the assignment
//
// Everything is near when rules and clusters are timed, as it is in the path.
func BenchmarkEventStages(b *testing.B) {
	ctx, crowd := context.Background(), crowdtest.New(crowdtest.Shop())
	p, _ := warmPath(b, crowd, false, 5*crowd.People())
	m := p.m
	var recs [][]byte
	var took [len(stages)][]float64
	refs := make([]compact.Ref, nearEvents)
	n := 0
	b.ResetTimer()
	for n < b.N {
		recs = sealed(crowd, nearEvents, recs)
		n += nearEvents
		events := p.events[:nearEvents]
		last := 0.0
		timed := func(stage int, less float64, do func(i int)) {
			start := time.Now()
			for i := range events {
				do(i)
			}
			last = float64(time.Since(start).Nanoseconds())/nearEvents - less
			took[stage] = append(took[stage], last)
		}
		folded := func(i int) {
			if _, err := p.builder.FoldEvent(ctx, m, p.offset, &events[i]); err != nil {
				b.Fatal(err)
			}
			p.offset++
		}
		p.decoder.Reset()
		timed(0, 0, func(i int) {
			if err := p.decoder.Open(recs[i], &events[i]); err != nil {
				b.Fatal(err)
			}
		})
		m.ahead = events
		timed(1, 0, func(int) {
			if len(m.ahead) > 0 {
				m.comeNear()
			}
		})
		timed(3, 0, folded)
		timed(2, 0, folded)
		took[3][len(took[3])-1] -= last
		for i := range events {
			refs[i] = m.people.Find(events[i].Profile)
		}
		of := func(i int) *compact.Person {
			m.fold.who, m.scratch.readings.done = refs[i], false
			return m.people.At(refs[i])
		}
		readings := func(i int) { m.read(of(i), m.fold.now) }
		timed(4, 0, readings)
		timed(4, 0, readings)
		took[4] = slices.Delete(took[4], len(took[4])-2, len(took[4])-1) // as in the path: the person is near
		read := last
		timed(5, read, func(i int) {
			of(i)
			p.rules()
		})
		m.State.Models = "m-1"
		timed(6, read, func(i int) {
			if err := m.fold.assignInPlace(of(i)); err != nil {
				b.Fatal(err)
			}
		})
		m.State.Models = ""
		if n%(512*nearEvents) == 0 { // so that changes stay few
			if _, err := m.Commit(p.offset); err != nil {
				b.Fatal(err)
			}
		}
	}
	for k, name := range stages {
		slices.Sort(took[k])
		b.ReportMetric(took[k][len(took[k])/2], name+"-ns")
	}
	b.ReportMetric(0, "ns/op")
}
