package load

import (
	"context"
	"time"
)

// A server is quiet when it uses less than quietShare of a processor over quietSpan:
// what was sent before is folded, archived and compacted then, and does not run into what
// is measured.
const (
	quietSpan  = 500 * time.Millisecond
	quietShare = .08 // reading the counters costs something, too, and they tick by 10 ms
	quietLimit = 30 * time.Second
)

// quietness looks at a processor counter until it is flat.
type quietness struct {
	cpu  float64
	at   time.Duration
	seen bool
}

// look reports whether the counter has hardly grown since the last look.
func (q *quietness) look(cpu float64, at time.Duration) bool {
	flat := q.seen && at > q.at && cpu-q.cpu < quietShare*(at-q.at).Seconds()
	*q = quietness{cpu, at, true}
	return flat
}

// settle waits until the server is quiet, and reports whether it became so within
// quietLimit. One that does not tell its processor time counts as quiet.
func (r *run) settle(ctx context.Context, scrape *scraper, progress func(Progress)) bool {
	var q quietness
	for began := time.Now(); time.Since(began) < quietLimit; {
		cpu, ok := scrape.read()["process_cpu_seconds_total"]
		if !ok || q.look(cpu, r.now()) {
			return true
		}
		progress(Progress{Phase: "settling", Elapsed: r.now(), Share: 1})
		if !sleepFor(ctx, quietSpan) {
			return false
		}
	}
	return false
}
