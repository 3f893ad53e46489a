package event

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// secondsBelow divides bare numbers: smaller ones are Unix seconds (until the year
// 5138), larger ones Unix milliseconds (from 1973 on).
const secondsBelow = 1e11

// ParseTime reads a date as people and clients write it, in UTC and cut to
// milliseconds: RFC 3339; the same with a space for the T, with a zone such as
// +0200, or without a zone, which means UTC; a date alone, which means its first
// instant; or a number: Unix milliseconds, or Unix seconds where it is below 1e11.
// The year must lie between 1970 and 2261. The error is a *DecodeError without a field.
func ParseTime(s string) (time.Time, error) { return parseTime(strings.TrimSpace(s)) }

func parseTime(s string) (time.Time, error) {
	if f, ok := bareNumber(s); ok {
		if math.Abs(f) < secondsBelow {
			f *= 1000
		}
		if !(f >= 0 && f < 1e13) {
			return time.Time{}, refuse("", "%s is outside the years 1970 to 2261", clip(s))
		}
		return inRange(time.UnixMilli(int64(math.Floor(f + 0.0005)))) // the half microsecond undoes ×1000's rounding
	}
	for _, layout := range [...]string{
		time.RFC3339, "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05",
		"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05Z0700", "2006-01-02 15:04:05",
		"2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly,
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return inRange(t)
		}
	}
	return time.Time{}, refuse("", "%q is not a date; use RFC 3339, such as 2026-11-20T23:30:38.503Z, or Unix milliseconds", clip(s))
}

// bareNumber is the number that s is, if it is one.
func bareNumber(s string) (float64, bool) {
	if len(s) > 4 && s[4] == '-' && s[3] >= '0' && s[3] <= '9' {
		return 0, false // a date: no number has a minus behind a digit. The usual case, and an error is made for it below
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !strings.ContainsAny(s, "xXpP_")
}
