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
	Passed    bool    `json:"passed"`
	Metric    string  `json:"metric"`
	Candidate float64 `json:"candidate"` // on the whole holdout
	Popular   float64 `json:"popular"`   // on the whole holdout
	Against   string  `json:"against,omitempty"`
	// CandidateSince and Incumbent are the two models on what People did since the
	// incumbent was trained; 0 where they were not compared.
	CandidateSince float64  `json:"candidate_since,omitempty"`
	Incumbent      float64  `json:"incumbent,omitempty"`
	People         int      `json:"people,omitempty"`
	Reasons        []string `json:"reasons"` // one sentence a check
}

// rival is the incumbent as the gate sees it.
type rival struct {
	version   string
	people    int // who acted since it was trained
	value     float64
	candidate float64 // the candidate's value on the same
	unknown   string  // why there is no value, or ""
	recorded  string  // what its own run measured, or ""
}

// decide compares the candidate with popular on the holdout, and with the
// incumbent, if any, on what neither has seen.
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
		say(true, "%s is not compared: %s", against.version, against.unknown)
		if against.recorded != "" {
			say(true, "for information only: %s", against.recorded)
		}
		return v
	}
	v.Incumbent, v.CandidateSince, v.People = against.value, against.candidate, against.people
	ok := against.candidate >= g.MinRatio*against.value*(1-1e-12) // rounding is no reason to refuse
	relation := "at least"
	if !ok {
		relation = "below"
	}
	say(ok, "on what %d people did since the current model %s was trained the hybrid's %.4f is %s %.2f of its %.4f",
		against.people, against.version, against.candidate, relation, g.MinRatio, against.value)
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

// recorded tells the incumbent's metric as its own run measured it, on another
// holdout; "" when the record does not hold it. It is no measure for a candidate:
// holdouts differ, and one lucky value would refuse every later model.
func (g GateConfig) recorded(m data.Model) string {
	var rec metrics
	if err := json.Unmarshal(m.Metrics, &rec); err != nil {
		return ""
	}
	v, ok := rec.Models[Hybrid][g.Metric]
	if !ok {
		return ""
	}
	return fmt.Sprintf("its own run recorded %s %.4f, by %s on an earlier holdout", g.Metric, v.Mean, rec.Protocol)
}
