package httpapi

import (
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"kindred/serving/ingest/plan"
)

// The descriptions of what is counted on the way in.
var (
	descVerdicts = prometheus.NewDesc("kindred_ingest_verdicts_total", "Events that clean-up or the tracking plan kept out, by what did.", []string{"kind"}, nil)
	descClean    = prometheus.NewDesc("kindred_clean_total", "What clean-up did, by what and by the rule, field or sign.", []string{"what", "label"}, nil)
	descPlan     = prometheus.NewDesc("kindred_plan_events_total", "Events held against the tracking plan, by what it said of them.", []string{"event", "status"}, nil)
	descRefused  = prometheus.NewDesc("kindred_plan_refused_total", "Events that the tracking plan kept out, by mode.", []string{"event", "mode"}, nil)
	descBroken   = prometheus.NewDesc("kindred_plan_violations_total", "Rules of the tracking plan that events broke.", []string{"event", "rule"}, nil)
	descLimits   = prometheus.NewDesc("kindred_limits_total", "What the limits did, by source and reason.", []string{"source", "reason"}, nil)
	descDead     = prometheus.NewDesc("kindred_dead_letters_total", "Calls that went to the dead letters, by the kind of their reason.", []string{"kind"}, nil)
	descAgain    = prometheus.NewDesc("kindred_dead_letters_replayed_total", "Dead letters that were tried again, by what became of them.", []string{"result"}, nil)
)

// maxSeries bounds the series of one metric whose labels the configuration names.
const maxSeries = 500

// otherLabel is the label of what is beyond.
const otherLabel = "(other)"

// intake collects what is counted on the way in.
func (s *state) intake(counter func(*prometheus.Desc, float64, ...string)) {
	deps := s.api.deps
	byKind := func(d *prometheus.Desc, totals map[string]uint64) {
		for kind, n := range totals {
			counter(d, float64(n), kind)
		}
	}
	byKind(descVerdicts, deps.Ingest.Verdicts())
	byKind(descDead, deps.Ingest.Dead())
	byKind(descAgain, deps.Ingest.Again())
	for _, t := range deps.Ingest.Limits() {
		counter(descLimits, float64(t.Count), t.Source, t.Reason.String())
	}
	if deps.Clean != nil {
		pairs := map[[2]string]uint64{}
		for c, n := range deps.Clean.Counts() {
			label, _, _ := strings.Cut(c.Label, ":") // user_agent:PATTERN is one sign
			pairs[[2]string{c.Kind, label}] += n
		}
		bounded(descClean, pairs, counter)
	}
	if deps.Plan != nil {
		events, refused, broken := map[[2]string]uint64{}, map[[2]string]uint64{}, map[[2]string]uint64{}
		for _, t := range deps.Plan.Totals(plan.MaxTotals) {
			for status, n := range t.Statuses {
				events[[2]string{t.Event, status}] += n
			}
			for mode, n := range t.Refused {
				refused[[2]string{t.Event, string(mode)}] += n
			}
			for rule, n := range t.Rules {
				broken[[2]string{t.Event, rule}] += n
			}
		}
		for d, pairs := range map[*prometheus.Desc]map[[2]string]uint64{descPlan: events, descRefused: refused, descBroken: broken} {
			for labels, n := range pairs {
				counter(d, float64(n), labels[:]...)
			}
		}
	}
}

// bounded sends the first maxSeries totals in the order of their labels, and the rest as one
// for each first label.
func bounded(d *prometheus.Desc, pairs map[[2]string]uint64, counter func(*prometheus.Desc, float64, ...string)) {
	order := make([][2]string, 0, len(pairs))
	for labels := range pairs {
		order = append(order, labels)
	}
	slices.SortFunc(order, func(a, b [2]string) int { return slices.Compare(a[:], b[:]) })
	rest := map[string]uint64{}
	for i, labels := range order {
		if i < maxSeries {
			counter(d, float64(pairs[labels]), labels[:]...)
		} else {
			rest[labels[0]] += pairs[labels]
		}
	}
	for what, n := range rest {
		counter(d, float64(n), what, otherLabel)
	}
}
