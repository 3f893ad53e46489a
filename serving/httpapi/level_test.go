package httpapi_test

import (
	"bytes"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"kindred/serving/httpapi"
	"kindred/serving/ingest"
)

// TestTheLogHasWhatIsWorthReading: failures, refusals, changes and what took long; the
// rest only where debugging is on.
func TestTheLogHasWhatIsWorthReading(t *testing.T) {
	for _, tt := range []struct {
		name, method, target, body string
		slow                       time.Duration
		want                       string // level of the request's line, "" for none above debug
	}{
		{"a list", "GET", "/v1/recommendations/ann", "", time.Hour, ""},
		{"a visitor's list", "POST", "/v1/recommendations", "{}", time.Hour, ""},
		{"tracking", "POST", "/v1/batch", batch(call("Product Viewed", "ann", "", "space-1", "1")), time.Hour, ""},
		{"health", "GET", "/healthz", "", time.Nanosecond, ""},
		{"above the capacity", "POST", "/v1/batch", batch(call("Product Viewed", "ann", "", "space-1", "1")), time.Nanosecond, ""},
		{"a slow list", "GET", "/v1/recommendations/ann", "", time.Nanosecond, "INFO"},
		{"a refused list", "GET", "/v1/recommendations/ann?n=0", "", time.Hour, "INFO"},
		{"no such route", "GET", "/v1/nothing", "", time.Hour, "INFO"},
		{"a changed item", "PUT", "/v1/items/a", "{}", time.Hour, "INFO"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, level := range []slog.Level{slog.LevelInfo, slog.LevelDebug} {
				var log bytes.Buffer
				var looks atomic.Int64
				h := open(t, func(o *overrides) {
					o.http.SlowRequest = tt.slow
					if tt.name == "above the capacity" {
						o.log = func(l ingest.Log) ingest.Log { return fullLog{l} }
					}
					o.now = func() time.Time { return time.UnixMilli(looks.Add(1)).UTC() }
					o.logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: level}))
				}).stock().publish("m-1", 1)
				log.Reset()
				h.do(tt.method, tt.target, tt.body)
				want := tt.want
				if want == "" && level == slog.LevelDebug {
					want = "DEBUG"
				}
				lines := 0
				for line := range strings.Lines(log.String()) {
					if !strings.Contains(line, "msg=request ") {
						continue
					}
					lines++
					if want == "" || !strings.Contains(line, "level="+want+" ") || strings.Contains(line, "ann") {
						t.Errorf("at level %v: %s want level %q and no ids of people", level, line, want)
					}
				}
				if lines == 0 && want != "" {
					t.Errorf("at level %v nothing was logged, want %s", level, want)
				}
			}
		})
	}
}

func TestASlowRequestTakesTime(t *testing.T) {
	cfg := httpapi.Default()
	cfg.SlowRequest = 0
	if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), "slow_request") {
		t.Errorf("slow_request 0: %v", err)
	}
}
