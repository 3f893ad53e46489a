package training

import (
	"encoding/json"
	"strings"
	"testing"

	"kindred/data"
	"kindred/training/evaluate"
	"kindred/training/split"
)

func TestTheGateComparesWithPopularAndWithTheIncumbent(t *testing.T) {
	gate := GateConfig{Metric: "ndcg@10", MinRatio: .9, BeatPopular: true}
	for name, tc := range map[string]struct {
		gate               GateConfig
		candidate, popular float64
		against            *rival
		want               bool
		says               string
	}{
		"first model":                  {gate, .2, .1, nil, true, "no current model"},
		"as good as popularity":        {gate, .1, .1, nil, true, "popularity's is 0.1000"},
		"below popularity":             {gate, .0999, .1, nil, false, "below popularity's 0.1000"},
		"below popularity, allowed":    {GateConfig{Metric: "ndcg@10"}, .05, .1, nil, true, "below popularity"},
		"better than the incumbent":    {gate, .3, .1, &rival{version: "m-1", value: .2, how: "on the same holdout"}, true, "at least 0.90"},
		"at the ratio":                 {gate, .18, .1, &rival{version: "m-1", value: .2}, true, "m-1"},
		"below the ratio":              {gate, .17, .1, &rival{version: "m-1", value: .2}, false, "below 0.90 of the current model's 0.2000"},
		"an incumbent without a value": {gate, .17, .1, &rival{version: "m-1", unknown: "its record has no metrics"}, true, "not compared with the current model m-1: its record"},
	} {
		t.Run(name, func(t *testing.T) {
			v := tc.gate.decide(tc.candidate, tc.popular, tc.against)
			if v.Passed != tc.want || !strings.Contains(strings.Join(v.Reasons, "; "), tc.says) {
				t.Errorf("verdict %v %v, want %v with %q", v.Passed, v.Reasons, tc.want, tc.says)
			}
		})
	}
}

func TestTheRecordedValueOfTheIncumbentIsFoundOrMissedAloud(t *testing.T) {
	gate := GateConfig{Metric: "ndcg@10"}
	keep := func(m metrics) data.Model {
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return data.Model{Version: "m-1", Metrics: text}
	}
	table := map[string]map[string]evaluate.Interval{Hybrid: {"ndcg@10": {Mean: .25}}}
	for name, tc := range map[string]struct {
		in      data.Model
		unknown string
	}{
		"recorded":        {keep(metrics{Protocol: split.Time, Models: table}), ""},
		"other protocol":  {keep(metrics{Protocol: split.UserTime, Models: table}), "judged by user-time"},
		"other metric":    {keep(metrics{Protocol: split.Time}), "no ndcg@10"},
		"nothing at all":  {data.Model{Version: "m-1"}, "no metrics"},
		"something else":  {data.Model{Version: "m-1", Metrics: json.RawMessage(`[1]`)}, "no metrics"},
		"another version": {data.Model{Version: "m-1", Metrics: json.RawMessage(`{"models":{}}`)}, "no ndcg@10"},
	} {
		r := gate.recorded(tc.in, split.Time)
		if !strings.Contains(r.unknown, tc.unknown) || tc.unknown == "" && (r.unknown != "" || r.value != .25) {
			t.Errorf("%s: %+v, want unknown %q", name, r, tc.unknown)
		}
	}
}
