package training

import (
	"encoding/json"
	"fmt"

	"kindred/data"
	"kindred/training/evaluate"
	"kindred/training/split"
)

// Verdict is the gate's answer and the numbers behind it.
type Verdict struct {
	Passed    bool     `json:"passed"`
	Metric    string   `json:"metric"`
	Candidate float64  `json:"candidate"`
	Popular   float64  `json:"popular"`
	Incumbent float64  `json:"incumbent,omitempty"`
	Against   string   `json:"against,omitempty"` // the incumbent's version
	Reasons   []string `json:"reasons"`           // one sentence a check
}

// rival is the incumbent as the gate sees it.
type rival struct {
	version string
	value   float64
	how     string // how its value was found
	unknown string // why there is no value, or ""
}

// decide compares the candidate with popular and with the incumbent, if any.
func (g GateConfig) decide(candidate, popular float64, against *rival) Verdict {
	v := Verdict{Passed: true, Metric: g.Metric, Candidate: candidate, Popular: popular}
	say := func(ok bool, format string, args ...any) {
		v.Passed = v.Passed && ok
		v.Reasons = append(v.Reasons, fmt.Sprintf(format, args...))
	}
	switch {
	case candidate < popular:
		say(!g.BeatPopular, "%s of the hybrid is %.4f, below popularity's %.4f", g.Metric, candidate, popular)
	default:
		say(true, "%s of the hybrid is %.4f, popularity's is %.4f", g.Metric, candidate, popular)
	}
	if against == nil {
		say(true, "there is no current model to compare with")
		return v
	}
	v.Against = against.version
	if against.unknown != "" {
		say(true, "not compared with the current model %s: %s", against.version, against.unknown)
		return v
	}
	v.Incumbent = against.value
	ok := candidate >= g.MinRatio*against.value*(1-1e-12) // rounding is no reason to refuse
	relation := "at least"
	if !ok {
		relation = "below"
	}
	say(ok, "that is %s %.2f of the current model's %.4f (%s, %s)", relation, g.MinRatio, against.value, against.version, against.how)
	return v
}

// metrics is what the catalog keeps of an evaluation beside the model.
type metrics struct {
	Protocol split.Protocol                          `json:"protocol"`
	Relevant float64                                 `json:"relevant,omitempty"`
	People   int                                     `json:"people"`
	Models   map[string]map[string]evaluate.Interval `json:"models"`
	Gate     *Verdict                                `json:"gate,omitempty"`
}

// metricsOf keeps an evaluation's table.
func metricsOf(e *Evaluation) metrics {
	m := metrics{Protocol: e.Protocol, Relevant: e.Relevant, People: e.People, Models: map[string]map[string]evaluate.Interval{}, Gate: e.Verdict}
	for _, s := range e.Result.Scores {
		m.Models[s.Name] = s.Metrics
	}
	return m
}

// recorded is the incumbent's metric as its own run measured it, on another holdout.
func (g GateConfig) recorded(m data.Model, protocol split.Protocol) *rival {
	r := &rival{version: m.Version, how: "as recorded by its own run, on an earlier holdout"}
	var rec metrics
	if err := json.Unmarshal(m.Metrics, &rec); err != nil {
		r.unknown = "its record has no metrics"
		return r
	}
	v, ok := rec.Models[Hybrid][g.Metric]
	switch {
	case !ok:
		r.unknown = "its record has no " + g.Metric
	case rec.Protocol != protocol:
		r.unknown = fmt.Sprintf("it was judged by %s, the candidate by %s", rec.Protocol, protocol)
	}
	r.value = v.Mean
	return r
}
