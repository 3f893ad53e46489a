package clean

import (
	"strconv"
	"strings"

	"kindred/features/expr"
)

// unit is a measure as a multiple of its kind's base unit.
type unit struct {
	kind   string
	factor float64
	offset float64 // of temperatures: base = value·factor + offset
}

// unitOf knows units by the names that feeds use. The factors are exact by definition
// (international yard and pound agreement of 1959, SI).
func unitOf(name string) (unit, bool) {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "mg":
		return unit{"mass", 1e-6, 0}, true
	case "g", "gram", "grams":
		return unit{"mass", 1e-3, 0}, true
	case "kg", "kilogram", "kilograms":
		return unit{"mass", 1, 0}, true
	case "t", "tonne", "tonnes":
		return unit{"mass", 1e3, 0}, true
	case "oz", "ounce", "ounces":
		return unit{"mass", 0.028349523125, 0}, true
	case "lb", "lbs", "pound", "pounds":
		return unit{"mass", 0.45359237, 0}, true
	case "mm":
		return unit{"length", 1e-3, 0}, true
	case "cm":
		return unit{"length", 1e-2, 0}, true
	case "m", "meter", "metre", "meters", "metres":
		return unit{"length", 1, 0}, true
	case "km":
		return unit{"length", 1e3, 0}, true
	case "in", "inch", "inches", `"`:
		return unit{"length", 0.0254, 0}, true
	case "ft", "foot", "feet":
		return unit{"length", 0.3048, 0}, true
	case "yd", "yard", "yards":
		return unit{"length", 0.9144, 0}, true
	case "mi", "mile", "miles":
		return unit{"length", 1609.344, 0}, true
	case "ml":
		return unit{"volume", 1e-3, 0}, true
	case "cl":
		return unit{"volume", 1e-2, 0}, true
	case "l", "liter", "litre", "liters", "litres":
		return unit{"volume", 1, 0}, true
	case "ms":
		return unit{"time", 1e-3, 0}, true
	case "s", "sec", "second", "seconds":
		return unit{"time", 1, 0}, true
	case "min", "minute", "minutes":
		return unit{"time", 60, 0}, true
	case "h", "hour", "hours":
		return unit{"time", 3600, 0}, true
	case "d", "day", "days":
		return unit{"time", 86400, 0}, true
	case "k", "kelvin":
		return unit{"temperature", 1, 0}, true
	case "c", "°c", "celsius":
		return unit{"temperature", 1, 273.15}, true
	case "f", "°f", "fahrenheit":
		return unit{"temperature", 5.0 / 9, 273.15 - 32*5.0/9}, true
	case "%", "percent":
		return unit{"share", 0.01, 0}, true
	case "1", "share", "ratio":
		return unit{"share", 1, 0}, true
	}
	return unit{}, false
}

// convert is the value in another unit of the same kind, to twelve digits, so that 1 lb is 0.45359237 kg.
func convert(value float64, from, to unit) (float64, bool) {
	if from.kind != to.kind || from.kind == "" {
		return 0, false
	}
	f, err := strconv.ParseFloat(strconv.FormatFloat((value*from.factor+from.offset-to.offset)/to.factor, 'g', 12, 64), 64)
	return f, err == nil
}

// measure takes "2.5 kg" apart; a bare number has no unit.
func measure(s string) (value float64, unit string, ok bool) {
	s = strings.TrimSpace(s)
	end := 0
	for end < len(s) && (s[end] >= '0' && s[end] <= '9' || strings.IndexByte("+-.", s[end]) >= 0) {
		end++
	}
	value, err := strconv.ParseFloat(s[:end], 64)
	return value, strings.TrimSpace(s[end:]), err == nil
}

// functions are what mappings may call beside CEL's own.
func functions(aliases map[string]map[string]string) []expr.Func {
	text := func(v expr.Value) string { s, _ := expr.TextOf(v); return s }
	return []expr.Func{
		{Name: "date", Args: []expr.Type{expr.Dyn}, Result: expr.String, Call: func(args ...expr.Value) expr.Value {
			if t, ok := expr.TimeOf(args[0]); ok {
				return expr.TextValue(t.UTC().Format(rfc3339))
			}
			out, ok := date(text(args[0]))
			if f, isNumber := expr.NumberOf(args[0]); isNumber {
				out, ok = epoch(f)
			}
			if !ok {
				return expr.Errorf("date: %v is not a date", args[0].Value())
			}
			return expr.TextValue(out)
		}},
		{Name: "minor", Args: []expr.Type{expr.Dyn, expr.String}, Result: expr.Double, Call: func(args ...expr.Value) expr.Value {
			amount, ok := amountOf(args[0])
			units, known := minorUnits(amount, text(args[1]))
			if !ok || !known {
				return expr.Errorf("minor: %v %v is no amount of a currency", args[0].Value(), args[1].Value())
			}
			return expr.NumberValue(float64(units))
		}},
		{Name: "number", Args: []expr.Type{expr.Dyn}, Result: expr.Double, Call: func(args ...expr.Value) expr.Value {
			f, ok := amountOf(args[0])
			if !ok {
				return expr.Errorf("number: %v is no number", args[0].Value())
			}
			return expr.NumberValue(f)
		}},
		{Name: "convert", Args: []expr.Type{expr.Dyn, expr.String, expr.String}, Result: expr.Double, Call: func(args ...expr.Value) expr.Value {
			f, ok := amountOf(args[0])
			from, _ := unitOf(text(args[1]))
			to, _ := unitOf(text(args[2]))
			out, same := convert(f, from, to)
			if !ok || !same {
				return expr.Errorf("convert: %v cannot be had from %v to %v", args[0].Value(), args[1].Value(), args[2].Value())
			}
			return expr.NumberValue(out)
		}},
		{Name: "alias", Args: []expr.Type{expr.String, expr.Dyn}, Result: expr.Dyn, Call: func(args ...expr.Value) expr.Value {
			if to, ok := aliases[text(args[0])][fold(text(args[1]))]; ok {
				return expr.TextValue(to)
			}
			return args[1]
		}},
	}
}

// amountOf is the number that a value is or spells.
func amountOf(v expr.Value) (float64, bool) {
	if f, ok := expr.NumberOf(v); ok {
		return f, true
	}
	s, _ := expr.TextOf(v)
	return plainNumber(s)
}

// plainNumber reads decimal notation and nothing else.
func plainNumber(s string) (float64, bool) {
	s = strings.TrimSpace(s)
	if s == "" || strings.ContainsAny(s, "xXpP_iInN") {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil
}

// fold is the form in which aliases are compared.
func fold(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), " ")) }
