package describe

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// dimension is how one coordinate of the behaviour vector is said.
type dimension struct {
	words string
	unit  string
	value func(v float64) float64 // the coordinate as people know it
	// rule is the value in the language of rules, at least (or below) a bound, which
	// round has made sayable; nil where rules have nothing like it.
	rule  func(bound float64, below bool) string
	round func(value float64) float64
	why   string // there is no rule
}

func same(v float64) float64      { return v }
func hundredth(v float64) float64 { return math.Round(v*100) / 100 }

// wholeHours makes a number of days sayable.
func wholeHours(days float64) float64 { return math.Max(1, math.Round(days*24)) / 24 }

// counted is a dimension that a number of things is: rules compare it with a whole number.
func counted(words, unit, cel string) dimension {
	return dimension{words: words, unit: unit, value: math.Expm1, round: math.Ceil, rule: compared(cel, func(b float64) string { return strconv.FormatFloat(b, 'f', 0, 64) })}
}

func compared(cel string, number func(float64) string) func(float64, bool) string {
	return func(bound float64, below bool) string {
		if below {
			return cel + " < " + number(bound)
		}
		return cel + " >= " + number(bound)
	}
}

// decimal is a number that CEL takes for a double.
func decimal(v float64) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// unsaid is a dimension that rules have nothing like.
func unsaid(words, unit string, value func(float64) float64, why string) dimension {
	return dimension{words: words, unit: unit, value: value, why: why}
}

// language is every dimension of features.VectorNames.
func language() map[string]dimension {
	const history = "it is read from the item history, which rules do not see"
	return map[string]dimension{
		"views_7d":      counted("views in 7 days", "", `events("Product Viewed").within("7d").count()`),
		"views_30d":     counted("views in 30 days", "", `events("Product Viewed").within("30d").count()`),
		"clicks_30d":    counted("clicks in 30 days", "", `events("Product Clicked").within("30d").count()`),
		"carts_30d":     counted("additions to the cart in 30 days", "", `events("Product Added").within("30d").count()`),
		"purchases_30d": counted("purchases in 30 days", "", `events("Order Completed").within("30d").count()`),
		"revenue_90d": {words: "revenue in 90 days", value: math.Expm1, round: hundredth,
			rule: compared(`events("Order Completed").within("90d").sum("event.value")`, decimal)},
		"items":          unsaid("different items", "", math.Expm1, history),
		"ratings":        unsaid("rated items", "", math.Expm1, history),
		"rating_mean":    unsaid("mean rating", "", same, history),
		"sessions":       counted("sessions", "", `sessions.count`),
		"session_events": counted("events in the session", "", `sessions.current.events`),
		"engagement": {words: "engagement", value: func(v float64) float64 { return 100 * v }, round: hundredth,
			rule: compared(`score("engagement")`, decimal)},
		"idle_days": {words: "days since the last event", unit: "d", value: math.Expm1, round: wholeHours, rule: func(bound float64, below bool) string {
			recently := fmt.Sprintf(`seen_recently(events(), "%dh")`, int(time.Duration(math.Round(bound*24))))
			if below {
				return recently
			}
			return "!" + recently
		}},
		"tenure_days":    unsaid("days from the first event to the last", "d", math.Expm1, "rules have no time of the first event"),
		"category_focus": unsaid("share of the strongest category", "", same, "rules compare one named category, not the strongest"),
	}
}

// Unsaid lists the dimensions, of those named, that rules have nothing like, with the reason.
func Unsaid(names []string) []string {
	var out []string
	for _, name := range names {
		d, known := language()[name]
		switch {
		case !known:
			out = append(out, name+": not known to rules")
		case d.rule == nil:
			out = append(out, fmt.Sprintf("%s (%s): %s", name, d.words, d.why))
		}
	}
	return out
}
