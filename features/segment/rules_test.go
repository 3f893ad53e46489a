package segment

import (
	"strings"
	"testing"

	"kindred/features/expr"
)

// conditions are the rules that the language was designed for, by their numbers there.
var conditions = map[string]string{
	"r01": `events("Clicked").within("10m").count() > 5`,
	"r02": `events("Clicked").in_session().count() > 5`,
	"r03": `events("Page Scrolled").where(event.properties.depth > 0.8).in_session().count() >= 1`,
	"r04": `dwell("page") > duration("3m")`,
	"r05": `events("Page Left").where(event.properties.dwell_seconds > 180.0).in_session().count() > 0`,
	"r06": `dwell("page") > duration("30s")`,
	"r07": `events("Product Viewed").where(event.properties.product_id == "A").within("10m").count() > 0 && events("Product Added").within("10m").count() > 0`,
	"r08": `followed_by(events("Product Viewed").where(event.properties.product_id == "A"), events("Product Added").where(event.properties.product_id == "A"), "10m")`,
	"r09": `not_followed_by(events("Product Added"), events("Order Completed"), "24h")`,
	"r10": `traits.age > 30 && "tech" in traits.interests`,
	"r11": `traits.age > 30 && affinity("category", "technology") >= 0.3`,
	"r12": `events("Order Completed").in_session().count() > 0`,
	"r13": `events("Signed Up").in_session().count() > 0`,
	"r14": `events("Product Viewed").within("7d").count() >= 1 && events("Product Added").within("7d").count() == 0`,
	"r15": `events("Product Added").within("7d").count() >= 1 && events("Order Completed").within("7d").count() == 0`,
	"r16": `events("Order Completed").within("7d").count() > 0`,
	"r17": `events("Order Completed").within("90d").sum("total") >= 500.0`,
	"r18": `geo.country == "DE"`,
	"r19": `device.type == "mobile" && now.getHours("Europe/Berlin") >= 18`,
	"r20": `score("engagement") >= 60.0`,
	"r21": `events("Clicked").within("7d").count() >= 50 && dwell_avg("page", "7d") > duration("90s")`,
	"r22": `sessions.last.page_views == 1 && sessions.last.duration < duration("10s")`,
	"r23": `events("Article Viewed").where(event.properties.category == "technology").decayed("3d") >= 4.0`,
	"r24": `in_segment("r01") && !in_segment("r16")`,
	"r25": `cluster("behaviour") == 3`,
	"r26": `predict("churn_rf") > 0.7`,
	"r27": `seen_recently(events("Identify"), "30d") && !seen_recently(events("Order Completed"), "30d")`,

	"between":  `events("Order Completed").between("90d", "30d").count() >= 2 && events("Order Completed").within("30d").count() == 0`,
	"avg":      `events("Order Completed").within("90d").avg("total") > 80.0`,
	"min":      `events("Order Completed").ever().min("total") < 5.0`,
	"max":      `events("Order Completed").within("1d").max("total") > 1000.0`,
	"distinct": `events("Product Viewed").within("1h").distinct("product_id") >= 10`,
	"first":    `events("Page Viewed").ever().first("event.source") == "web"`,
	"last":     `events("Order Completed").last("total") > 100.0`,
	"last_at":  `now - events("Order Completed").last_at() > duration("72h")`,
	"sequence": `sequence([events("Product Viewed"), events("Product Added"), events("Checkout Started")], "30m")`,
	"texts":    `traits.email.endsWith("@example.com") || traits.name.lowerAscii().contains("smith") || traits.code.matches("^[A-Z]{3}$")`,
	"choice":   `(has(traits.vip) ? 1 : 3) <= events("Order Completed").ever().count()`,
}

// all are the conditions as rules.
func all() (out Rules) {
	for name, when := range conditions {
		out.Segments = append(out.Segments, Rule{Segment: name, When: when})
	}
	return out
}

func TestTheRulesOfTheSpecificationCompile(t *testing.T) {
	cfg := Default()
	cfg.MaxBytes = 1 << 20
	s, err := Compile(all(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d rules, %d slots, %d bytes at worst", len(s.rules), s.Slots(), s.WorstCase())
	for i := range s.slots {
		t.Log(s.Describe(i), s.slots[i].Exactness(), s.slots[i].MaxBytes())
	}
}

func TestSlotsAreShared(t *testing.T) {
	rules := Rules{Segments: []Rule{
		{Segment: "a", When: `events("X").within("10m").count() > 5`},
		{Segment: "b", When: `events("X").within("10m").count() >= 2 && traits.age > 3`},
		{Segment: "c", When: `events("X").where(event.properties.a == 1).within("10m").count() > 0`},
		{Segment: "d", When: `events("X").where(event.properties.a==1).within("600s").count() == 0`},
	}}
	s, err := Compile(rules, Default())
	if err != nil {
		t.Fatal(err)
	}
	if s.Slots() != 2 {
		t.Errorf("%d slots, want 2", s.Slots())
	}
	if got := s.slots[0].Cap; got != 5 {
		t.Errorf("a ring for comparisons with up to %d, want 5", got)
	}
}

func TestMistakesAreNamedWithTheirPlace(t *testing.T) {
	for when, want := range map[string]string{
		`events("X").within("10m").cuont() > 5`:              "line 1, column 27: \"cuont\" is not known here; did you mean count?",
		`events("X").within("10 minutes").count() > 5`:       `"10 minutes" is no length of time`,
		`events("X").within("10m").where(true).count() > 5`:  "where stands before the time",
		`events("X").within("10m").in_session().count() > 5`: "two times",
		`event.name == "X"`:                                  "event is known only within where",
		`events("X").where(traits.age > 3).count() > 5`:      "where(…) looks at one event only",
		`traits == 3`:                                  "column 8: == does not take",
		`score("engagment") > 3.0`:                     `did you mean engagement?`,
		`score("engagement") + 1.0 > 3.0`:              "this changes all the time",
		`score("engagement") == 3.0`:                   "hardly ever equal",
		`in_segment("nobody")`:                         `there is no segment "nobody"`,
		`in_segment("basf")`:                           `did you mean base?`,
		`in_segment("x")`:                              "it depends on itself: x → x",
		`traits.tags.exists(t, t == "x")`:              "loops such as exists",
		`now.getSeconds() > 3`:                         "getSeconds is not available",
		`now.getHours("Mars/Phobos") > 3`:              "is no time zone",
		`sessions.next.page_views > 1`:                 "sessions has count, current and last",
		`sessions.last.pages > 1`:                      "a session has duration, page_views",
		`events("X").within("20y").count() > 1`:        "no length of time",
		`events("X").within("10ms").count() > 1`:       "1s to",
		`events("X").between("1d", "2d").count() > 1`:  "the first must be the longer time",
		`events("X").within("1d").first("a") == 1`:     "first() works with in_session and ever",
		`size(["a"]) == 1`:                             "a list can stand only behind in",
		`[] == [1]`:                                    "a list can stand only behind in",
		`(now - events("A").last_at()).getHours() > 1`: "getHours is of a time",
		`1 + 2`: "gives int, but bool is wanted",
	} {
		_, err := Compile(Rules{Segments: []Rule{{Segment: "base", When: "true"}, {Segment: "x", When: when}}}, Default())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", when, err, want)
		}
	}
}

func TestRulesThatCannotBeAreRefused(t *testing.T) {
	const when = "true"
	for want, rules := range map[string]Rules{
		"is no name":             {Segments: []Rule{{Segment: "A b", When: when}}},
		"condition is missing":   {Segments: []Rule{{Segment: "a"}}},
		"there are two":          {Segments: []Rule{{Segment: "a", When: when}, {Segment: "a", When: when}}},
		"name one":               {Segments: []Rule{{Segment: "a", When: when, Margin: 3}}},
		"longer than the ttl":    {Segments: []Rule{{Segment: "a", When: when, TTL: 1e9, MinStay: 2e9}}},
		"there is no segment":    {Segments: []Rule{{Segment: "a", When: when, Parent: "b"}}},
		"it depends on itself":   {Segments: []Rule{{Segment: "a", When: when, Parent: "b"}, {Segment: "b", When: `in_segment("a")`}}},
		"of the same group":      {Segments: []Rule{{Segment: "a", When: when, Group: "g"}, {Segment: "b", When: when, Group: "g", Parent: "a"}}},
		"nothing adds to it":     {Scores: []Score{{Score: "s", HalfLife: 1e12}}},
		"engagement is built in": {Scores: []Score{{Score: "engagement", HalfLife: 1e12, Adds: []ScorePart{{`events("x")`, 1}}}}},
		"leave the time out":     {Scores: []Score{{Score: "s", HalfLife: 1e12, Adds: []ScorePart{{`events("x").within("1d")`, 1}}}}},
		"max_profile_bytes":      {Segments: []Rule{{Segment: "a", When: `events("x").within("1d").sum("total") > 1.0 && events("x").within("2d").sum("total") > 1.0 && events("x").within("3d").distinct("a") > 1`}}},
	} {
		if _, err := Compile(rules, Default()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want an error with %q", err, want)
		}
	}
}

func TestRenderingIsWhatWasWritten(t *testing.T) {
	env, err := language()
	if err != nil {
		t.Fatal(err)
	}
	for name, when := range conditions {
		n, err := env.Tree(when, expr.Bool)
		if err != nil {
			t.Fatal(name, err)
		}
		if got := render(n); strings.NewReplacer("(", "", ")", "").Replace(got) != strings.NewReplacer("(", "", ")", "").Replace(when) {
			t.Errorf("%s: %s is rendered as %s", name, when, got)
		}
		again, err := env.Tree(render(n), expr.Bool)
		if err != nil || render(again) != render(n) {
			t.Errorf("%s: %s reads back as something else: %v", name, render(n), err)
		}
	}
}

func FuzzRules(f *testing.F) {
	for _, when := range conditions {
		f.Add(when, "", "30s", 5)
	}
	f.Fuzz(func(t *testing.T, when, exit, hold string, priority int) {
		d, err := ParseDuration(hold)
		if err != nil {
			return
		}
		s, err := Compile(Rules{Segments: []Rule{{Segment: "a", When: when, Exit: exit, For: d, Priority: priority}}}, Default())
		if err != nil {
			return
		}
		p := &someone{}
		if _, err := s.Event(s.NewWork(), nil, shown("Clicked", 1000, `{"total":5}`), p, Affected{}, 1000); err != nil {
			t.Fatal(err)
		}
	})
}
