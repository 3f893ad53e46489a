package door

import (
	"bytes"
	"encoding/json"
	"flag"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kindred/data/event"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares the batch with what is written beside the fixture: the calls, and
// the canonical events that data/event makes of them.
func golden(t *testing.T, name string, b Batch) {
	t.Helper()
	var out bytes.Buffer
	line := func(label string, v []byte) {
		out.WriteString(label)
		out.WriteByte(' ')
		out.Write(v)
		out.WriteByte('\n')
	}
	intake := event.Intake{Space: "default", Source: "door", Env: "test", Received: noon, SentAt: b.SentAt,
		BatchContext: b.Context, NewID: func() string { return "fresh" }}
	for _, raw := range b.Calls {
		line("call", raw)
		call, err := event.ParseCall(raw, "")
		if err == nil {
			var e = must(t, call, intake)
			line(" event", e)
			continue
		}
		line(" refused", []byte(err.Error()))
	}
	for _, r := range b.Rejected {
		line("reject", []byte(r.Reason))
	}
	if b.WriteKey != "" {
		line("key", []byte(b.WriteKey))
	}
	if b.Anonymous {
		line("anonymous", []byte("true"))
	}
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(out.String(), "\n")); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

func must(t *testing.T, c event.Call, in event.Intake) []byte {
	t.Helper()
	e, err := c.Canonical(in)
	if err != nil {
		return []byte("refused " + err.Error())
	}
	return event.Append(nil, e)
}

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// fixture reads a file below testdata.
func fixture(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSuffix(b, []byte("\n"))
}

// callsOf are the calls of a batch without objections.
func callsOf(t *testing.T, b Batch, err error) []*object {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range b.Rejected {
		t.Errorf("rejected: %s: %s", r.Reason, r.Raw)
	}
	var calls []*object
	for _, raw := range b.Calls {
		o, err := parseObject(raw)
		if err != nil {
			t.Fatalf("%v: %s", err, raw)
		}
		calls = append(calls, o)
	}
	return calls
}

// one is the only call of a batch, as text.
func one(t *testing.T, b Batch, err error) string {
	t.Helper()
	calls := callsOf(t, b, err)
	if len(calls) != 1 {
		t.Fatalf("%d calls, want 1: %s", len(calls), b.Calls)
	}
	return string(b.Calls[0])
}

// same compares two JSON values regardless of the order of names.
func same(t *testing.T, got, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%v: %s", err, got)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("%v: %s", err, want)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, got)
	}
}

func query(t testing.TB, s string) url.Values {
	t.Helper()
	q, err := url.ParseQuery(s)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

func noHeader(string) string { return "" }

func headers(pairs ...string) Header {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if strings.EqualFold(pairs[i], name) {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestRecordedRequestsBecomeTheseEvents(t *testing.T) {
	l := DefaultLimits()
	t.Run("rudder", func(t *testing.T) {
		for _, name := range []string{"rudder/node-identify", "rudder/node-batch"} {
			b, err := Rudder(Document("application/x-www-form-urlencoded", fixture(t, name+".json")), "", l)
			callsOf(t, b, err)
			golden(t, name, b)
		}
	})
	t.Run("posthog", func(t *testing.T) {
		b, err := PostHog(fixture(t, "posthog/node-batch.json"), nil, l)
		if err != nil || len(b.Rejected) != 1 { // the group that no person is named for
			t.Fatal(err, b.Rejected)
		}
		golden(t, "posthog/node-batch", b)
	})
	t.Run("snowplow post", func(t *testing.T) {
		b, err := Snowplow(fixture(t, "snowplow/node-tp2.json"), false, l)
		callsOf(t, b, err)
		golden(t, "snowplow/node-tp2", b)
	})
	t.Run("snowplow get", func(t *testing.T) {
		var all Batch
		for _, line := range strings.Split(string(fixture(t, "snowplow/node-gets.txt")), "\n") {
			b, err := SnowplowGet(query(t, line), false, l)
			callsOf(t, b, err)
			all.Calls = append(all.Calls, b.Calls...)
		}
		golden(t, "snowplow/node-gets", all)
	})
	t.Run("snowplow get and post agree", func(t *testing.T) {
		b, err := Snowplow(fixture(t, "snowplow/node-tp2.json"), false, l)
		posted := callsOf(t, b, err)
		for i, line := range strings.Split(string(fixture(t, "snowplow/node-gets.txt")), "\n")[:6] { // then come orders
			b, err := SnowplowGet(query(t, line), false, l)
			got := callsOf(t, b, err)[0]
			for _, name := range []string{"type", "event", "name", "userId", "anonymousId", "properties", "context"} {
				if g, w := string(got.get(name)), string(posted[i].get(name)); g != w {
					t.Errorf("call %d: %s: GET %s, POST %s", i, name, g, w)
				}
			}
		}
	})
}

// fixtureRaw is a fixture to the byte.
func fixtureRaw(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
