package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// metricText is a metric as people read it: four decimals, as papers print it.
func metricText(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }

// count writes an integer with commas between thousands.
func count(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// seconds writes a wall time: 0.42 s, 12.3 s, 4 min 05 s, 2 h 03 min.
func seconds(s float64) string {
	switch {
	case s < 1:
		return strconv.FormatFloat(s, 'f', 2, 64) + " s"
	case s < 99.95:
		return strconv.FormatFloat(s, 'f', 1, 64) + " s"
	case s < 3599.5:
		whole := int64(math.Round(s))
		return fmt.Sprintf("%d min %02d s", whole/60, whole%60)
	default:
		minutes := int64(math.Round(s / 60))
		return fmt.Sprintf("%d h %02d min", minutes/60, minutes%60)
	}
}

// memory writes bytes in binary units.
func memory(n int64) string {
	switch v := float64(n); {
	case n <= 0:
		return "–"
	case v < 1<<20:
		return strconv.FormatFloat(v/(1<<10), 'f', 0, 64) + " KiB"
	case v < 1<<30:
		return strconv.FormatFloat(v/(1<<20), 'f', 0, 64) + " MiB"
	default:
		return strconv.FormatFloat(v/(1<<30), 'f', 1, 64) + " GiB"
	}
}

func percent(share float64) string { return strconv.FormatFloat(100*share, 'f', 1, 64) + " %" }

// instant writes a time to the minute, in UTC.
func instant(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") }

// short is a number for an axis: as few digits as tell it from its neighbours, which
// are step apart.
func short(v, step float64) string {
	switch a := math.Abs(v); {
	case a >= 1e6:
		return trimZeros(strconv.FormatFloat(v/1e6, 'f', 2, 64)) + "M"
	case a >= 1e4:
		return trimZeros(strconv.FormatFloat(v/1e3, 'f', 1, 64)) + "k"
	}
	decimals := 0
	for s := step; decimals < 6 && math.Abs(s-math.Round(s)) > 1e-9; decimals++ {
		s *= 10
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

func trimZeros(s string) string {
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}
