package clean

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// dateLayouts are the forms of ISO 8601 that people use, without those that are a date alone.
var dateLayouts = [...]string{
	time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05Z07", "2006-01-02T15:04:05",
	"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700", "2006-01-02 15:04:05 Z0700", "2006-01-02 15:04:05",
	"2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04", "20060102T150405Z0700", "20060102T150405",
}

// rfc3339 is how dates are written: to the millisecond, in UTC.
const rfc3339 = "2006-01-02T15:04:05.000Z"

// date is s in RFC 3339: ISO 8601 with or without a zone (none means UTC), or a number since
// 1970 of seconds, milliseconds, microseconds or nanoseconds, by its size. A date
// without a time stays one. ok is false for anything else and outside the years 1 to 9999.
func date(s string) (out string, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) > 40 {
		return "", false
	}
	if t, err := time.Parse(time.DateOnly, s); err == nil {
		return s, t.Year() > 0
	}
	if len(s) == 8 && (s[:2] == "19" || s[:2] == "20") { // as seconds these would be days of 1970
		if t, err := time.Parse("20060102", s); err == nil {
			return t.Format(time.DateOnly), true
		}
	}
	if f, err := strconv.ParseFloat(s, 64); err == nil && !strings.ContainsAny(s, "xXpP_iInN") {
		return epoch(f)
	}
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return inYears(t)
		}
	}
	return "", false
}

// epoch reads a number by its size: seconds reach to the year 5138, milliseconds as far and back to 1973.
func epoch(f float64) (string, bool) {
	unit := time.Nanosecond
	switch a := math.Abs(f); {
	case a < 1e11:
		unit = time.Second
	case a < 1e14:
		unit = time.Millisecond
	case a < 1e17:
		unit = time.Microsecond
	case a >= 9e18:
		return "", false
	}
	ms := math.Floor(f*(float64(unit)/float64(time.Millisecond)) + 0.0005)
	return inYears(time.UnixMilli(int64(ms)))
}

func inYears(t time.Time) (string, bool) {
	t = t.UTC()
	if t.Year() < 1 || t.Year() > 9999 {
		return "", false
	}
	return t.Truncate(time.Millisecond).Format(rfc3339), true
}
