package training

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"kindred/model/itemitem"
	"kindred/training/evaluate"
	"kindred/training/split"
)

func TestAnExpectationIsMetOrNot(t *testing.T) {
	row := func(name string, v float64) evaluate.Score {
		return evaluate.Score{Name: name, Metrics: map[string]evaluate.Interval{"ndcg@10": {Mean: v}}}
	}
	res := &evaluate.Result{Scores: []evaluate.Score{row(ALS, .450), row(Hybrid, .4495)}}
	for name, tc := range map[string]struct {
		e    Expectation
		want bool
	}{
		"above the reference":           {Expectation{Model: ALS, Metric: "ndcg@10", Reference: .4}, true},
		"within the slack":              {Expectation{Model: ALS, Metric: "ndcg@10", Reference: .454, Slack: .005}, true},
		"below the slack":               {Expectation{Model: ALS, Metric: "ndcg@10", Reference: .456, Slack: .005}, false},
		"a little below another row":    {Expectation{Model: Hybrid, Metric: "ndcg@10", Over: ALS, Slack: .001}, true},
		"strictly above another row":    {Expectation{Model: Hybrid, Metric: "ndcg@10", Over: ALS, Strict: true}, false},
		"as good is not strictly above": {Expectation{Model: ALS, Metric: "ndcg@10", Over: ALS, Strict: true}, false},
		"as good is good enough":        {Expectation{Model: ALS, Metric: "ndcg@10", Over: ALS}, true},
		"exactly as measured":           {Expectation{Model: ALS, Metric: "ndcg@10", Reference: .4505, Slack: .001, Exact: true}, true},
		"more than was measured":        {Expectation{Model: ALS, Metric: "ndcg@10", Reference: .448, Slack: .001, Exact: true}, false},
		"a row that is missing":         {Expectation{Model: Content, Metric: "ndcg@10"}, false},
		"a metric that is missing":      {Expectation{Model: ALS, Metric: "mrr@10"}, false},
		"a rival that is missing":       {Expectation{Model: ALS, Metric: "ndcg@10", Over: Content}, false},
	} {
		if got := tc.e.check(res).Passed; got != tc.want {
			t.Errorf("%s: passed %v, want %v", name, got, tc.want)
		}
	}
}

func TestEveryLadderCaseIsValidAndItsExpectationsAreOfItsRows(t *testing.T) {
	for _, c := range Ladder() {
		if err := c.Config.Validate(); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		rows := append([]string{Popular, ItemItem, Hybrid}, c.Config.Components...)
		for _, e := range c.Expected {
			if !slices.Contains(rows, e.Model) || e.Over != "" && !slices.Contains(rows, e.Over) {
				t.Errorf("%s: expectation %+v is of a row that the case does not have", c.Name, e)
			}
		}
	}
}

func TestAnEvaluationNotesWhatItemItemSaysOfItself(t *testing.T) {
	cfg := quick()
	cfg.ItemItem = itemitem.EASE(1e-4)
	e, err := Evaluate(t.Context(), small.source(t), cfg, EvaluateOptions{Protocol: split.UserTime, Models: []string{Popular}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(e.Notes, func(n string) bool { return strings.Contains(n, "ill-conditioned") }) {
		t.Errorf("notes %q say nothing of a regularization of 0.0001", e.Notes)
	}
}

func TestTheTableOfACaseIsAboutItsOwnCutoff(t *testing.T) {
	for _, c := range Ladder() {
		e := &Evaluation{Result: &evaluate.Result{Scores: []evaluate.Score{{Name: ALS, Metrics: map[string]evaluate.Interval{"recall@20": {Mean: .1234}}}}}}
		var out bytes.Buffer
		if err := (&LadderResult{Case: c, Evaluation: e}).WriteTable(&out); err != nil {
			t.Fatal(err)
		}
		if got, want := strings.Contains(out.String(), ".1234"), c.Name == "D2"; got != want {
			t.Errorf("%s: recall@20 is in the table: %v, want %v\n%s", c.Name, got, want, out.String())
		}
	}
}

func TestTheTableOfACaseSaysWhatIsTooLow(t *testing.T) {
	e, err := Evaluate(t.Context(), small.source(t), quick(), EvaluateOptions{Protocol: split.UserTime})
	if err != nil {
		t.Fatal(err)
	}
	r := &LadderResult{Case: LadderCase{Name: "T", Title: "two tastes"}, Evaluation: e}
	for _, x := range []Expectation{{Model: ALS, Metric: "ndcg@10", Reference: .1}, {Model: Popular, Metric: "ndcg@10", Reference: .9}} {
		r.Checks = append(r.Checks, x.check(e.Result))
	}
	var out bytes.Buffer
	if err := r.WriteTable(&out); err != nil {
		t.Fatal(err)
	}
	if r.Passed() || strings.Count(out.String(), "TOO LOW") != 1 || !strings.Contains(out.String(), "hybrid") {
		t.Errorf("passed %v with the table\n%s", r.Passed(), out.String())
	}
}
