package segment

import (
	"math"
	"strconv"
	"strings"
	"time"

	"kindred/features/expr/rawjson"
)

// contained is x in list: a list written in the rule, or JSON's array or object.
func (n *node) contained(in *input) value {
	x := n.args[0].eval(in)
	if x.kind == unknown {
		return value{}
	}
	if n.args[1].op == opList {
		sure := true
		for _, a := range n.args[1].args {
			same := compare(opEqual, x, a.eval(in))
			if same.isTrue() {
				return same
			}
			sure = sure && same.kind == boolean
		}
		if !sure {
			return value{}
		}
		return truth(false)
	}
	of := n.args[1].eval(in)
	if of.kind != raw {
		return value{}
	}
	if of.raw[0] == '{' {
		return truth(x.kind == text && len(rawjson.Field(of.raw, x.s)) > 0)
	}
	for list := rawjson.Elements(of.raw); list.Next(); {
		if compare(opEqual, x, ofJSON(list.Value)).isTrue() {
			return truth(true)
		}
	}
	return truth(false)
}

func (n *node) clock(in *input) value {
	x := n.args[0].eval(in)
	if x.kind != instant {
		return value{}
	}
	t := time.UnixMilli(int64(x.n)).In(n.zone)
	out := 0
	switch n.text {
	case "getFullYear":
		out = t.Year()
	case "getMonth":
		out = int(t.Month()) - 1 // as CEL counts
	case "getDate":
		out = t.Day()
	case "getDayOfMonth":
		out = t.Day() - 1
	case "getDayOfWeek":
		out = int(t.Weekday())
	case "getDayOfYear":
		out = t.YearDay() - 1
	case "getHours":
		out = t.Hour()
	case "getMinutes":
		out = t.Minute()
	}
	return numeric(float64(out))
}

func (n *node) texts(in *input) value {
	a := n.args[0].eval(in)
	if n.op == opSize && a.kind == raw {
		count := 0
		if a.raw[0] == '[' {
			for list := rawjson.Elements(a.raw); list.Next(); {
				count++
			}
		} else {
			for fields := rawjson.Fields(a.raw); fields.Next(); {
				count++
			}
		}
		return numeric(float64(count))
	}
	if n.op == opNumber {
		return toNumber(a, n.whole)
	}
	if a.kind != text {
		return value{}
	}
	switch n.op {
	case opSize:
		return numeric(float64(len([]rune(a.s))))
	case opMatches:
		return truth(n.regexp.MatchString(a.s))
	case opLower:
		return value{kind: text, s: strings.Map(func(r rune) rune { return shifted(r, 'A', 'Z', 'a'-'A') }, a.s)}
	case opUpper:
		return value{kind: text, s: strings.Map(func(r rune) rune { return shifted(r, 'a', 'z', 'A'-'a') }, a.s)}
	}
	b := n.args[1].eval(in)
	if b.kind != text {
		return value{}
	}
	switch n.op {
	case opContains:
		return truth(strings.Contains(a.s, b.s))
	case opStartsWith:
		return truth(strings.HasPrefix(a.s, b.s))
	}
	return truth(strings.HasSuffix(a.s, b.s))
}

// toNumber is double(x) or int(x).
func toNumber(x value, whole bool) value {
	if x.kind == text {
		f, err := strconv.ParseFloat(x.s, 64)
		if err != nil || whole && f != math.Trunc(f) {
			return value{}
		}
		x = numeric(f)
	}
	if x.kind == instant && whole { // seconds, as CEL has it
		return numeric(math.Floor(x.n / 1000))
	}
	if x.kind != number {
		return value{}
	}
	if whole {
		x.n = math.Trunc(x.n)
	}
	return x
}

// shifted is the letter r moved by if it lies in first to last.
func shifted(r, first, last, by rune) rune {
	if r >= first && r <= last {
		return r + by
	}
	return r
}
