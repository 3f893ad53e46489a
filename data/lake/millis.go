package lake

import (
	"encoding/json"
	"fmt"
	"time"
)

// Millis is a time in Unix milliseconds: a timestamp column in Parquet, RFC 3339
// UTC with milliseconds in JSON. Its zero value is 1970-01-01; a time that may be
// absent is a *Millis.
type Millis int64

// millisLayout is how times are written in every file and answer of Kindred.
const millisLayout = "2006-01-02T15:04:05.000Z07:00"

// NewMillis is t cut to milliseconds, or nil for the zero time.
func NewMillis(t time.Time) *Millis {
	if t.IsZero() {
		return nil
	}
	m := Millis(t.UnixMilli())
	return &m
}

// Time is the time in UTC; the zero time for a nil or zero Millis.
func (m *Millis) Time() time.Time {
	if m == nil || *m == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(*m)).UTC()
}

// MarshalJSON writes the time as a JSON string.
func (m Millis) MarshalJSON() ([]byte, error) {
	return time.UnixMilli(int64(m)).UTC().AppendFormat(nil, `"`+millisLayout+`"`), nil
}

// UnmarshalJSON is the inverse of MarshalJSON.
func (m *Millis) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("time %s: %w", b, err)
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return err
	}
	*m = Millis(t.UnixMilli())
	return nil
}
