package expr

import (
	"fmt"
	"sort"
	"strings"
	"unicode"

	"cel.dev/cel-go/cel"
)

// Error says what is wrong with an expression, and where.
type Error struct {
	Source       string
	Line, Column int // 1-based, in characters; 0 where it is about the whole expression
	Message      string
	Suggestion   string // what was probably meant; "" where nothing is near
	More         int    // further mistakes behind this one
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Line > 0 {
		fmt.Fprintf(&b, "line %d, column %d: ", e.Line, e.Column)
	}
	b.WriteString(e.Message)
	if e.Suggestion != "" {
		fmt.Fprintf(&b, "; did you mean %s?", e.Suggestion)
	}
	if e.More > 0 {
		fmt.Fprintf(&b, " (and %d more)", e.More)
	}
	return b.String()
}

// refusal makes an Error of what CEL objects to.
func (e *Env) refusal(source string, issues *cel.Issues) error {
	errs := issues.Errors()
	if len(errs) == 0 {
		return &Error{Source: source, Message: issues.String()}
	}
	sort.SliceStable(errs, func(i, j int) bool {
		a, b := errs[i].Location, errs[j].Location
		return a.Line() < b.Line() || a.Line() == b.Line() && a.Column() < b.Column()
	})
	first := errs[0]
	out := &Error{
		Source: source, Line: max(0, first.Location.Line()), Column: first.Location.Column() + 1,
		Message: strings.TrimSuffix(firstLine(first.Message), " (in container '')"), More: len(errs) - 1,
	}
	if out.Line == 0 {
		out.Column = 0
	}
	if name, ok := between(out.Message, "undeclared reference to '", "'"); ok {
		// CEL names only the first part of event.nmae, and points at its dot or at a call's parenthesis.
		switch whole, column := nameAround(source, out.Line, out.Column); {
		case whole == name || strings.HasPrefix(whole, name+"."):
			name, out.Column = whole, column
		case strings.HasSuffix(whole, "."+name):
			out.Column = column + len([]rune(whole)) - len([]rune(name))
		}
		out.Message = fmt.Sprintf("%q is not known here", name)
		out.Suggestion = Nearest(name, e.names)
	} else if name, ok := between(out.Message, "found no matching overload for '", "'"); ok {
		if given, ok := between(out.Message, "applied to '", "'"); ok {
			out.Message = fmt.Sprintf("%s does not take %s", operator(name), given)
			if strings.Contains(given, "double") && strings.Contains(given, "int") {
				out.Suggestion = "a number with a decimal point, such as 100.0 (JSON numbers are doubles)"
			}
		}
	}
	return out
}

// operator is the sign behind CEL's inner name such as _+_.
func operator(name string) string { return strings.ReplaceAll(name, "_", "") }

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

func between(s, before, after string) (string, bool) {
	_, s, ok := strings.Cut(s, before)
	if !ok {
		return "", false
	}
	s, _, ok = strings.Cut(s, after)
	return s, ok
}

// nameAround is the dotted name around the place, and the column where it begins.
func nameAround(source string, line, column int) (string, int) {
	lines := strings.Split(source, "\n")
	if line < 1 || line > len(lines) {
		return "", column
	}
	runes := []rune(lines[line-1])
	part := func(i int) bool {
		return i >= 0 && i < len(runes) && (runes[i] == '_' || runes[i] == '.' || unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]))
	}
	from, to := column-1, column-1
	for part(from - 1) {
		from--
	}
	for part(to) {
		to++
	}
	if from < 0 || to > len(runes) {
		return "", column
	}
	return string(runes[from:to]), from + 1
}

// Nearest is the name of fewest typing mistakes away from s (Damerau-Levenshtein without
// crossings; case does not count), the first of several, or "" where more than a third of s is wrong.
func Nearest(s string, names []string) string {
	if len(s) > 64 {
		return ""
	}
	best, least := "", max(1, len(s)/3)+1
	for _, name := range names {
		if len(name) > 64 || len(name)-len(s) >= least || len(s)-len(name) >= least {
			continue
		}
		if d := mistakes(strings.ToLower(s), strings.ToLower(name)); d < least {
			best, least = name, d
		}
	}
	return best
}

// mistakes is the number of letters to insert, delete, replace or swap with their neighbour.
func mistakes(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
