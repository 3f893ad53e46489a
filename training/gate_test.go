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
		"better than the incumbent":    {gate, .3, .1, &rival{version: "m-1", value: .2, candidate: .3, people: 60}, true, "what 60 people did"},
		"at the ratio":                 {gate, .18, .1, &rival{version: "m-1", value: .2, candidate: .18}, true, "is at least 0.90"},
		"below the ratio":              {gate, .3, .1, &rival{version: "m-1", value: .2, candidate: .17}, false, "hybrid's 0.1700 is below 0.90 of its 0.2000"},
		"an incumbent without a value": {gate, .17, .1, &rival{version: "m-1", unknown: "only 3 people acted"}, true, "m-1 is not compared: only 3 people"},
	} {
		t.Run(name, func(t *testing.T) {
			v := tc.gate.decide(tc.candidate, tc.popular, tc.against)
			if v.Passed != tc.want || !strings.Contains(strings.Join(v.Reasons, "; "), tc.says) {
				t.Errorf("verdict %v %v, want %v with %q", v.Passed, v.Reasons, tc.want, tc.says)
			}
		})
	}
}

func TestTheRecordedValueOfTheIncumbentIsForInformation(t *testing.T) {
	gate := GateConfig{Metric: "ndcg@10", MinRatio: .9}
	keep := func(m metrics) data.Model {
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		return data.Model{Version: "m-1", Metrics: text}
	}
	table := map[string]map[string]evaluate.Interval{Hybrid: {"ndcg@10": {Mean: .25}}}
	for name, tc := range map[string]struct {
		in   data.Model
		want string
	}{
		"recorded":       {keep(metrics{Protocol: split.Time, Models: table}), "its own run recorded ndcg@10 0.2500, by time on an earlier holdout"},
		"other metric":   {keep(metrics{Protocol: split.Time}), ""},
		"nothing at all": {data.Model{Version: "m-1"}, ""},
		"something else": {data.Model{Version: "m-1", Metrics: json.RawMessage(`[1]`)}, ""},
	} {
		if got := gate.recorded(tc.in); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	v := gate.decide(.01, 0, &rival{version: "m-1", unknown: "only 3 people acted", recorded: "its own run recorded .9"})
	if text := strings.Join(v.Reasons, "; "); !v.Passed || !strings.Contains(text, "for information only: its own run") {
		t.Errorf("verdict %v %q, want passed, with the record for information", v.Passed, text)
	}
}
