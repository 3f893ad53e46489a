package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kindred/cmd/internal/load"
)

// One server, driven in every way.
func TestLoadDrivesARealServer(t *testing.T) {
	s := start(t, t.TempDir())
	out := filepath.Join(t.TempDir(), "load.json")
	args := func(more ...string) []string {
		return append([]string{"load", "--addr", s.base, "--people", "200", "--items", "300", "--duration", "300ms", "--clients", "2", "--json", out}, more...)
	}
	report := func() (r load.Report) {
		t.Helper()
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &r); err != nil {
			t.Fatal(err)
		}
		return r
	}

	table := kindred(t, exitDone, args("--target", "ingest", "--batch", "50", "--duplicates", ".2", "--late", ".1", "--skewed", ".2", "--bots", ".1", "--prefill", "3")...)
	r := report()
	if r.Prefill.Calls != 600 || r.Events.Acknowledged == 0 || r.Events.Taken == nil || *r.Events.Taken != r.Events.EverAcked || r.Kinds[0].Failed != 0 {
		t.Errorf("%+v, %+v, %+v", r.Prefill, r.Events, r.Kinds)
	}
	if !strings.Contains(table, "ingest, closed loop of 2 clients") || !strings.Contains(table, "the server says") {
		t.Errorf("the table says\n%s", table)
	}

	kindred(t, exitDone, args("--target", "mixed", "--rate", "100", "--mix", "ingest=1,recommendations=8,freshness=1,noop=1")...)
	if r := report(); len(r.Kinds) == 0 || r.Mode != "open" || r.Server == nil {
		t.Errorf("%+v", r)
	}
	for _, k := range report().Kinds {
		if k.Failed != 0 || len(k.Errors) != 0 {
			t.Errorf("%+v", k)
		}
	}

	kindred(t, exitDone, args("--target", "freshness", "--clients", "1")...)
	if f := report().Freshness; f == nil || f.Changed.Count == 0 || f.Missed != 0 {
		t.Errorf("freshness %+v", f)
	}

	for want, more := range map[string][]string{
		"target is":                                               {"--target", "x"},
		"late is 3":                                               {"--late", "3"},
		"write KIND=WEIGHT":                                       {"--mix", "x"},
		"--diurnal does nothing: --rate is 0":                     {"--diurnal", "1m"},
		"--arrivals does nothing: --rate is 0":                    {"--arrivals", "uniform"},
		"--mix does nothing: --target is ingest":                  {"--target", "ingest", "--mix", "ingest=1"},
		"--first does nothing: there is no --distinct":            {"--first", "3"},
		"--spike-for does nothing: there is no --spike-every":     {"--rate", "10", "--spike-for", "1s"},
		"--bot-ids does nothing: there is no --bots":              {"--bot-ids", "3"},
		"--batch does nothing: no batches are sent with --target": {"--target", "noop", "--batch", "3"},
		"--noop-path does nothing":                                {"--noop-path", "/x"},
	} {
		if said := kindred(t, exitUsage, args(more...)...); !strings.Contains(said, want) {
			t.Errorf("%v: %s", more, said)
		}
	}
	if said := kindred(t, exitFailed, "load", "--addr", "127.0.0.1:1", "--json", filepath.Join(out, "x")); !strings.Contains(said, "create the report") {
		t.Errorf("a report that cannot be written: %s", said)
	}
	if said := kindred(t, exitFailed, "load", "--addr", "192.0.2.1:80"); !strings.Contains(said, "--allow-remote") {
		t.Errorf("a server elsewhere: %s", said)
	}
	s.stop()
}

func TestSettingsExplainThemselves(t *testing.T) {
	if said := kindred(t, exitDone, "config", "explain", "schedule.cron"); !strings.Contains(said, "KINDRED_SCHEDULE_CRON") {
		t.Errorf("one setting: %s", said)
	}
	if said := kindred(t, exitUsage, "config", "explain", "schedule.crom"); !strings.Contains(said, "did you mean schedule.cron?") {
		t.Errorf("a misspelt one: %s", said)
	}
	if said := kindred(t, exitDone, "config", "print", "--comments"); !strings.Contains(said, "# Seed makes everything random repeatable.\nseed:") {
		t.Errorf("with comments: %s", said)
	}
	if said := kindred(t, exitDone, "config", "--help"); !strings.Contains(said, "KINDRED_KERNEL") || !strings.Contains(said, "KINDRED_LOAD_KEY") {
		t.Errorf("help: %s", said)
	}
}
