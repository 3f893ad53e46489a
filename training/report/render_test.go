package report

import (
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestThePageAsksNobodyForAnything(t *testing.T) {
	page := render(t, full(), HTML)
	if found := regexp.MustCompile(`(?i)(src|href|url|@import|<script|<iframe|<object)\s*[=(]\s*["']?(\S*)`).FindAllString(page, -1); len(found) != 1 || found[0] != `href="data:,">` {
		t.Errorf("the page refers to %q; want its empty icon alone", found)
	}
	if strings.Contains(page, "http:") || strings.Contains(page, "https:") {
		t.Error("the page has an address")
	}
	if !strings.Contains(page, `content="default-src 'none'`) {
		t.Error("the page does not forbid requests")
	}
}

func TestThePageKeepsTextFromBeingMarkup(t *testing.T) {
	page := render(t, bare(), HTML)
	if strings.Contains(page, "<script") || strings.Contains(page, "m<b>") {
		t.Error("a name became markup")
	}
	if strings.Contains(page, "ZgotmplZ") {
		t.Error("html/template refused a value")
	}
	text := render(t, bare(), Markdown)
	if strings.Contains(text, "<script") || strings.Contains(text, "*a*") {
		t.Errorf("a name became markup:\n%s", text)
	}
}

// Every picture has a title with its numbers, and every drawing is well-formed.
func TestEveryPlotIsDrawnWholeAndSaysWhatItShows(t *testing.T) {
	page := render(t, full(), HTML)
	drawings := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1)
	// 10 metrics at k=10, 3 at k=20, two for the clusters, one loss curve
	if want := 10 + 3 + 2 + 1; len(drawings) != want {
		t.Fatalf("%d plots; want %d", len(drawings), want)
	}
	for _, svg := range drawings {
		if !regexp.MustCompile(`role="img" aria-labelledby="(\S+)"><title id="(\S+)">[^<]*\d`).MatchString(svg) {
			t.Errorf("a plot without words: %.200s", svg)
		}
		if strings.Contains(svg, "NaN") || strings.Contains(svg, "Inf") {
			t.Errorf("a plot with a number that is none: %s", svg)
		}
		dec := xml.NewDecoder(strings.NewReader(svg))
		for {
			if _, err := dec.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("a plot is not well-formed: %v\n%s", err, svg)
				break
			}
		}
	}
}

func TestTheBestOfEachRowIsMarkedAndOnlyIt(t *testing.T) {
	for _, r := range full().quality().Rows {
		var marked []string
		for i, c := range r.Cells {
			if c.Best {
				marked = append(marked, full().Models[i].Name)
			}
		}
		switch r.Name {
		case "Diversity@10": // all are equal, so none is best
			if len(marked) != 0 {
				t.Errorf("%s: %v marked; want none", r.Name, marked)
			}
		default:
			if len(marked) != 1 || marked[0] != "hybrid" {
				t.Errorf("%s: %v marked; want hybrid", r.Name, marked)
			}
		}
	}
	if alone := (&Report{Models: full().Models[:1]}).quality(); alone.Rows[0].Cells[0].Best {
		t.Error("a model alone is marked as best")
	}
}

func TestMarkdownTablesLineUp(t *testing.T) {
	width := 0
	for line := range strings.Lines(render(t, full(), Markdown)) {
		line = strings.TrimSuffix(line, "\n")
		switch n := utf8.RuneCountInString(line); {
		case !strings.HasPrefix(line, "|"):
			width = 0
		case width == 0:
			width = n
		case n != width:
			t.Errorf("line is %d wide, those above %d: %s", n, width, line)
		}
	}
}

func TestTheLeadSaysWhoWonAndWhetherItIsCertain(t *testing.T) {
	model := func(name string, baseline bool, v Interval) Model {
		return Model{Name: name, Baseline: baseline, Metrics: map[string]Interval{"ndcg@10": v}}
	}
	popular := model("popular", true, around(.1, .01))
	for want, models := range map[string][]Model{
		"als has the highest NDCG@10: 0.1500 (95 % interval 0.1400 to 0.1600), 50 % above popular, the best baseline.": {model("als", false, around(.15, .01)), popular},
		"Their intervals overlap":                                      {model("als", false, around(.11, .01)), popular},
		"No model beats the baseline popular, whose NDCG@10 is 0.1000": {model("als", false, around(.09, .01)), popular},
		"No baseline was measured":                                     {model("als", false, around(.09, .01))},
		"Only baselines were measured":                                 {popular},
		"als has the highest NDCG@10: 0.1000, ":                        {model("als", false, Point(.1)), model("popular", true, Point(.05))},
		"als has the highest NDCG@10: 0.1000 (95 % i":                  {model("als", false, around(.1, .01)), model("popular", true, Point(0))},
		"No metric was measured.":                                      {{Name: "als"}},
	} {
		if got := (&Report{Models: models}).lead(); !strings.Contains(got, want) {
			t.Errorf("lead = %q; want it to say %q", got, want)
		}
	}
}

func TestMetricsComeInTheOrderThatTheyMatter(t *testing.T) {
	names := map[string]struct{}{}
	for _, n := range []string{"serendipity", "recall@20", "ndcg@100", "coverage@10", "ndcg@20", "recall@10", "mrr@10", "ndcg@10"} {
		names[n] = struct{}{}
	}
	var got []string
	for _, m := range orderMetrics(names) {
		got = append(got, m.title())
	}
	if want := "NDCG@10 NDCG@20 NDCG@100 Recall@10 Recall@20 MRR@10 Coverage@10 serendipity"; strings.Join(got, " ") != want {
		t.Errorf("order is %q; want %q", got, want)
	}
}

func TestNumbersReadAsPeopleWriteThem(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{count(0), "0"}, {count(999), "999"}, {count(1000), "1,000"}, {count(-1234567), "-1,234,567"},
		{seconds(.004), "0.00 s"}, {seconds(12.34), "12.3 s"}, {seconds(99.96), "1 min 40 s"}, {seconds(245), "4 min 05 s"}, {seconds(7380), "2 h 03 min"},
		{memory(0), "–"}, {memory(100 << 10), "100 KiB"}, {memory(412 << 20), "412 MiB"}, {memory(3 << 29), "1.5 GiB"},
		{short(.15, .05), "0.15"}, {short(2, 1), "2"}, {short(2.5, .5), "2.5"}, {short(48211, 10000), "48.2k"}, {short(2_500_000, 5e5), "2.5M"}, {short(0, .1), "0.0"},
	} {
		if c.got != c.want {
			t.Errorf("got %q; want %q", c.got, c.want)
		}
	}
}

func TestTicksAreRoundAndHoldTheData(t *testing.T) {
	for _, c := range []struct{ low, high, from, to, step float64 }{
		{0, .194, 0, .2, .05}, {0, 1, 0, 1, .25}, {0, 7.9, 0, 8, 2}, {960, 1853, 750, 2000, 250}, {.2127, .2865, .2, .3, .02}, {0, 0, 0, 1e-9, 2.5e-10}, {5, 5, 5, 5.6, .2},
	} {
		from, to, step := ticks(c.low, c.high, 4)
		near := func(a, b float64) bool { return a-b < 1e-9*(1+b) && b-a < 1e-9*(1+b) }
		if !near(from, c.from) || !near(to, c.to) || !near(step, c.step) {
			t.Errorf("ticks(%v, %v) = %v, %v, %v; want %v, %v, %v", c.low, c.high, from, to, step, c.from, c.to, c.step)
		}
	}
}
