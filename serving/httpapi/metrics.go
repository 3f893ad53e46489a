package httpapi

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"kindred/features"
	"kindred/serving/live"
)

// metrics are the server's Prometheus metrics, in a registry of their own.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newMetrics(a *api) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "kindred_http_request_duration_seconds", Help: "Time from a request's first byte to its answer's last.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route", "method", "status"}),
	}
	m.registry.MustRegister(m.requests, &state{api: a}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(route, method string, status int, took time.Duration) {
	m.requests.WithLabelValues(route, knownMethod(method), strconv.Itoa(status)).Observe(took.Seconds())
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// knownMethod keeps made-up methods from making labels.
func knownMethod(m string) string {
	switch m {
	case "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS":
		return m
	}
	return "other"
}

// The descriptions of what state collects.
var (
	descFolded   = prometheus.NewDesc("kindred_fold_offset", "Offset of the next record that the partition folds.", []string{"partition"}, nil)
	descLag      = prometheus.NewDesc("kindred_fold_lag_records", "Records in the log that are not folded yet.", []string{"partition"}, nil)
	descOutcomes = prometheus.NewDesc("kindred_fold_outcomes_total", "What became of folded records.", []string{"outcome"}, nil)
	descPoisoned = prometheus.NewDesc("kindred_fold_poisoned_total", "Records given up as dead letters.", nil, nil)
	descFailures = prometheus.NewDesc("kindred_fold_failures_total", "Batches that failed and were tried again.", nil, nil)
	descCalls    = prometheus.NewDesc("kindred_ingest_calls_total", "Tracking calls taken in, by result.", []string{"result"}, nil)
	descShown    = prometheus.NewDesc("kindred_impressions_total", "Shown lists, by what became of them.", []string{"result"}, nil)
	descQueue    = prometheus.NewDesc("kindred_impressions_waiting", "Shown lists that wait to be logged.", nil, nil)
	descAnswers  = prometheus.NewDesc("kindred_answer_cache_requests_total", "Recommendations looked up among the kept answers, by result.", []string{"result"}, nil)
	descKept     = prometheus.NewDesc("kindred_answer_cache_entries", "Answers that are kept.", nil, nil)
	descKeptSize = prometheus.NewDesc("kindred_answer_cache_bytes", "Memory of the answers that are kept, about.", nil, nil)
	descAcks     = prometheus.NewDesc("kindred_acks_cached", "Identifiers whose newest log positions are remembered.", nil, nil)
	descItems    = prometheus.NewDesc("kindred_items", "Items that can be recommended or are closed.", nil, nil)
	descModel    = prometheus.NewDesc("kindred_model_info", "The model that serves.", []string{"version"}, nil)
	descAge      = prometheus.NewDesc("kindred_model_age_seconds", "Time since the model that serves was trained.", nil, nil)
	descFailing  = prometheus.NewDesc("kindred_model_load_failing", "1 while the catalog's current model cannot be loaded.", nil, nil)
)

// state collects what the server's parts count themselves.
type state struct{ api *api }

// Describe sends nothing: the collector is unchecked, its metrics vary.
func (s *state) Describe(chan<- *prometheus.Desc) {}

// Collect reads the parts' counters.
func (s *state) Collect(out chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	counter := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	deps := s.api.deps
	if deps.Folds != nil {
		var outcomes [features.Outcomes]int64
		var poisoned, failures int64
		for _, p := range deps.Folds.Stats() {
			name := strconv.Itoa(int(p.Partition))
			gauge(descFolded, float64(p.Folded), name)
			gauge(descLag, float64(p.Lag), name)
			for o, n := range p.Outcomes {
				outcomes[o] += n
			}
			poisoned += p.Poisoned
			failures += p.Failures
		}
		for o, n := range outcomes {
			counter(descOutcomes, float64(n), features.Outcome(o).String())
		}
		counter(descPoisoned, float64(poisoned))
		counter(descFailures, float64(failures))
	}
	c := deps.Ingest.Counts()
	counter(descCalls, float64(c.Accepted), "accepted")
	counter(descCalls, float64(c.Rejected), "rejected")
	counter(descCalls, float64(c.Dropped), "dropped")
	s.intake(counter)
	counter(descShown, float64(c.ShownLogged), "logged")
	counter(descShown, float64(c.ShownDropped), "dropped")
	gauge(descQueue, float64(c.ShownWaiting))
	gauge(descAcks, float64(deps.Acks.Len()))
	kept := deps.Recommend.Cache()
	counter(descAnswers, float64(kept.Hits), "hit")
	counter(descAnswers, float64(kept.Misses), "miss")
	gauge(descKept, float64(kept.Entries))
	gauge(descKeptSize, float64(kept.Bytes))

	status := deps.Live.Status()
	gauge(descItems, float64(deps.Live.Load().Rows()))
	gauge(descModel, 1, status.Version)
	if status.Version != live.NoModel && !status.Created.IsZero() {
		gauge(descAge, deps.Now().Sub(status.Created).Seconds())
	}
	failing := 0.0
	if status.Wanted != "" {
		failing = 1
	}
	gauge(descFailing, failing)
}
