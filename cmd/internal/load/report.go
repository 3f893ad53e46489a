package load

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Report is what came of a run. Its JSON is what scripts read; milliseconds and
// seconds are in the names.
type Report struct {
	Target      string         `json:"target"`
	Mode        string         `json:"mode"` // open or closed
	Rate        float64        `json:"rate_per_second,omitempty"`
	Clients     int            `json:"clients"`
	Seed        uint64         `json:"seed"`
	Run         string         `json:"run"`
	Seconds     float64        `json:"seconds"` // measured
	Interrupted bool           `json:"interrupted"`
	PerSecond   float64        `json:"per_second"` // operations of all kinds that succeeded
	Kinds       []KindReport   `json:"kinds"`
	Events      EventReport    `json:"events"`
	Freshness   *FreshReport   `json:"freshness,omitempty"`
	Prefill     *PrefillReport `json:"prefill,omitempty"`
	Generator   Generator      `json:"generator"`
	Server      *ServerReport  `json:"server,omitempty"` // where /metrics could be read

	Config Config `json:"-"`

	total                                    tally
	measured                                 time.Duration
	own                                      float64
	pacing                                   Histogram
	metricsBefore, metricsWarm, metricsAfter metrics
}

// KindReport is what came of the operations of one kind.
type KindReport struct {
	Kind      string           `json:"kind"`
	Done      int64            `json:"done"`
	PerSecond float64          `json:"per_second"`
	Failed    int64            `json:"failed"`
	Unsent    int64            `json:"unsent"` // due and never sent; in Latency with what they had waited
	Retries   int64            `json:"retries"`
	Statuses  map[string]int64 `json:"statuses,omitempty"` // of every attempt
	Errors    map[string]int64 `json:"errors,omitempty"`   // attempts without an answer
	Latency   Quantiles        `json:"latency"`            // from when it was due
	Service   Quantiles        `json:"service"`            // from when it was sent
}

// Quantiles are a histogram in milliseconds.
type Quantiles struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean_ms"`
	P50   float64 `json:"p50_ms"`
	P90   float64 `json:"p90_ms"`
	P99   float64 `json:"p99_ms"`
	P999  float64 `json:"p99.9_ms"`
	Max   float64 `json:"max_ms"`
}

// quantilesOf sums a histogram up.
func quantilesOf(h *Histogram) Quantiles {
	ms := func(d time.Duration) float64 { return float64(d) / 1e6 }
	return Quantiles{
		Count: h.Count(), Mean: ms(h.Mean()), P50: ms(h.Quantile(.5)), P90: ms(h.Quantile(.9)),
		P99: ms(h.Quantile(.99)), P999: ms(h.Quantile(.999)), Max: ms(h.Max()),
	}
}

// EventReport counts tracking calls.
type EventReport struct {
	Acknowledged int64   `json:"acknowledged"` // in the measured time
	PerSecond    float64 `json:"per_second"`
	EverAcked    int64   `json:"ever_acknowledged"` // prefill and warm-up included
	// Taken is how many calls the server says it accepted or refused meanwhile; more
	// than EverAcked when others send too, or when an answer was lost.
	Taken     *int64  `json:"server_taken,omitempty"`
	Throttled int64   `json:"throttled"` // answers 429
	Waited    float64 `json:"throttled_seconds"`
}

// FreshReport is how soon an event shows.
type FreshReport struct {
	Changed Quantiles `json:"acknowledged_to_changed"` // until the changed list was there
	Posted  Quantiles `json:"sent_to_changed"`
	Polls   int64     `json:"polls"` // requests until then, of all probes
	Missed  int64     `json:"missed"`
	Empty   int64     `json:"empty"` // there was nothing to recommend
}

// PrefillReport is what was sent before.
type PrefillReport struct {
	Calls         int64   `json:"calls"`
	Seconds       float64 `json:"seconds"`
	FoldedSeconds float64 `json:"folded_seconds"` // until the server had folded it
	QuietSeconds  float64 `json:"quiet_seconds"`  // until it had nothing else to do, either
	Quiet         bool    `json:"quiet"`          // whether that was so before the wait's bound
}

// Generator is what the load itself used.
type Generator struct {
	CPUSeconds float64   `json:"cpu_seconds"`
	CPUEach    float64   `json:"cpu_us_each"` // per operation
	Pacing     Quantiles `json:"pacing"`      // how late the open loop's moments were noticed
}

// ServerReport is what the server said of itself, from after the warm-up on.
type ServerReport struct {
	CPUSeconds  float64            `json:"cpu_seconds"`
	CPUEach     float64            `json:"cpu_us_each"`
	MemoryBytes float64            `json:"memory_bytes"`
	LagRecords  float64            `json:"fold_lag_records"` // at the end
	Stale       int64              `json:"stale_answers"`
	Cold        int64              `json:"cold_answers"`
	Unknown     int64              `json:"unknown_people_answers"`
	CacheHits   *float64           `json:"cache_hits,omitempty"` // where it has an answer cache
	CacheMisses *float64           `json:"cache_misses,omitempty"`
	CacheShare  *float64           `json:"cache_hit_share,omitempty"`
	Outcomes    map[string]float64 `json:"fold_outcomes,omitempty"`
	Dropped     float64            `json:"impressions_dropped"`
}

// begin marks the start of the measured time.
func (r *Report) begin(scrape *scraper) {
	r.metricsWarm = scrape.read()
	r.own = ProcessCPU()
}

// fill makes the report of what was counted.
func (r *Report) fill() {
	c, t := r.Config, &r.total
	r.Target, r.Mode, r.Rate, r.Clients, r.Seed, r.Run = c.Target, c.mode(), c.Rate, c.Clients, c.Seed, c.Run
	r.Seconds = r.measured.Seconds()
	each := func(n int64) float64 { return float64(n) / max(r.Seconds, 1e-9) }
	done := int64(0)
	for k := range t.kinds {
		kind := &t.kinds[k]
		if !kind.used() && len(kind.statuses)+len(kind.errors) == 0 {
			continue
		}
		done += kind.done
		statuses := map[string]int64{}
		for status, n := range kind.statuses {
			statuses[strconv.Itoa(status)] = n
		}
		r.Kinds = append(r.Kinds, KindReport{
			Kind: Kind(k).String(), Done: kind.done, PerSecond: each(kind.done), Failed: kind.failed, Unsent: kind.unsent, Retries: kind.retries,
			Statuses: statuses, Errors: kind.errors, Latency: quantilesOf(&kind.latency), Service: quantilesOf(&kind.service),
		})
	}
	r.PerSecond = each(done)
	r.Events = EventReport{
		Acknowledged: t.acknowledged, PerSecond: each(t.acknowledged), EverAcked: t.everAcked, Throttled: t.throttled, Waited: t.waited.Seconds(),
	}
	if f := &t.fresh; f.changed.Count()+f.missed+f.empty > 0 {
		r.Freshness = &FreshReport{Changed: quantilesOf(&f.changed), Posted: quantilesOf(&f.posted), Polls: f.polls, Missed: f.missed, Empty: f.empty}
	}
	r.Generator = Generator{CPUSeconds: r.own, CPUEach: r.own * 1e6 / float64(max(done, 1)), Pacing: quantilesOf(&r.pacing)}
	r.server(done)
}

// server fills in what the server's counters say.
func (r *Report) server(done int64) {
	before, warm, after := r.metricsBefore, r.metricsWarm, r.metricsAfter
	if taken, ok := after.since(before, "kindred_ingest_calls_total"); ok {
		n := int64(taken)
		r.Events.Taken = &n
	}
	cpu, ok := after.since(warm, "process_cpu_seconds_total")
	if !ok {
		return
	}
	s := &ServerReport{
		CPUSeconds: cpu, CPUEach: cpu * 1e6 / float64(max(done, 1)), MemoryBytes: after["process_resident_memory_bytes"],
		LagRecords: after["kindred_fold_lag_records"], Stale: r.total.stale, Cold: r.total.cold, Unknown: r.total.unknown, Outcomes: map[string]float64{},
	}
	s.Dropped, _ = after.since(warm, `kindred_impressions_total{result="dropped"}`)
	if hits, misses, ok := after.cache(warm); ok {
		share := hits / max(hits+misses, 1)
		s.CacheHits, s.CacheMisses, s.CacheShare = &hits, &misses, &share
	}
	const outcomes = `kindred_fold_outcomes_total{outcome="`
	for _, series := range slices.Sorted(maps.Keys(after)) {
		if name, ok := strings.CutPrefix(series, outcomes); ok {
			if n, _ := after.since(warm, series); n > 0 {
				s.Outcomes[strings.TrimSuffix(name, `"}`)] = n
			}
		}
	}
	r.Server = s
}
