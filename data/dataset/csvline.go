package dataset

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"kindred/data"
	"kindred/data/event"
)

// splitCSV cuts a line into fields at the separator. A field in double quotes may
// hold separators, and a quote as two quotes (RFC 4180); it must end on its line.
// reason says what is wrong, or is "". dst is reused.
func splitCSV(dst []string, line string, separator byte) (fields []string, reason string) {
	for {
		if !strings.HasPrefix(line, `"`) {
			end := strings.IndexByte(line, separator)
			if end < 0 {
				end = len(line)
			}
			if strings.IndexByte(line[:end], '"') >= 0 {
				return nil, fmt.Sprintf("field %d has a quote inside a field that does not begin with one", len(dst)+1)
			}
			dst = append(dst, line[:end])
			if end == len(line) {
				return dst, ""
			}
			line = line[end+1:]
			continue
		}
		field, rest, ok := quoted(line)
		if !ok {
			return nil, fmt.Sprintf("field %d begins with a quote that the line does not close", len(dst)+1)
		}
		dst = append(dst, field)
		if rest == "" {
			return dst, ""
		}
		if rest[0] != separator {
			return nil, fmt.Sprintf("field %d goes on behind its closing quote", len(dst))
		}
		line = rest[1:]
	}
}

// quoted takes the quoted field that line begins with.
func quoted(line string) (field, rest string, ok bool) {
	var b strings.Builder
	for i := 1; i < len(line); i++ {
		if line[i] != '"' {
			continue
		}
		b.WriteString(line[1:i])
		if i+1 == len(line) || line[i+1] != '"' {
			return b.String(), line[i+1:], true
		}
		b.WriteByte('"')
		line = line[i+1:]
		i = 0
	}
	return "", "", false
}

// separatorOf guesses the separator of a header line: tab, semicolon or comma.
func separatorOf(header string) byte {
	for _, c := range []byte{'\t', ';'} {
		if strings.IndexByte(header, c) >= 0 {
			return c
		}
	}
	return ','
}

// parseNumber reads a finite decimal number.
func parseNumber(what, s string) (f float64, reason string) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) || strings.ContainsAny(s, "xX_") {
		return 0, fmt.Sprintf("%s %q is not a finite number", what, clip(s))
	}
	return f, ""
}

// parseUnix reads Unix seconds, whole or with a fraction; "" and 0 mean unknown.
func parseUnix(s string) (t time.Time, reason string) {
	if s == "" || s == "0" {
		return time.Time{}, ""
	}
	f, reason := parseNumber("time", s)
	if reason != "" {
		return t, reason
	}
	if !(f > 0 && f < 9.2e9) { // until 2261
		return t, fmt.Sprintf("time %q is not in Unix seconds between 1970 and 2261", clip(s))
	}
	return time.UnixMilli(int64(math.Round(f * 1000))).UTC(), ""
}

// parseDate reads a date as event.ParseTime does; "" means unknown.
func parseDate(s string) (t time.Time, reason string) {
	if s == "" {
		return time.Time{}, ""
	}
	t, err := event.ParseTime(s)
	if err != nil {
		reason = err.Error()
		if d, ok := err.(*event.DecodeError); ok {
			reason = d.Reason
		}
		return time.Time{}, "time: " + reason
	}
	return t, ""
}

// row is what most lines say: who, what, how, how much, when.
type row struct {
	user, item string
	kind       data.Kind
	value      float64
	at         time.Time
}

// names checks both ids of the row.
func (w row) names() string {
	if reason := checkName("user", w.user); reason != "" {
		return reason
	}
	return checkName("item", w.item)
}

// add appends the row to a part of the data set.
func (r *reader) add(part *[]data.Interaction, w row) {
	*part = append(*part, r.act(w.user, w.item, w.kind, w.value, w.at))
}
