package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kindred/training/analytics"
)

func TestAnalyticsOfAnImport(t *testing.T) {
	dir := t.TempDir()
	kindred(t, exitDone, "import", "--data", dir, "--format", "csv", write(t, "a.csv", "user,item,kind,value,time\n"+
		"ann,lamp,view,,2020-01-06T00:00:00Z\nann,lamp,purchase,20,2020-01-06T01:00:00Z\nbob,lamp,view,,2020-01-07T00:00:00Z\nann,desk,view,,2020-01-14T00:00:00Z\n"))

	var steps []analytics.Step
	out := kindred(t, exitDone, "analytics", "funnel", "--data", dir, "--format", "json", "--step", "Product Viewed", "--step", "Order Completed", "--within", "7d")
	if err := json.Unmarshal([]byte(out), &steps); err != nil || steps[0].People != 2 || steps[1].People != 1 {
		t.Errorf("%v: the funnel is %s", err, out)
	}
	file := filepath.Join(t.TempDir(), "cohorts.csv")
	kindred(t, exitDone, "analytics", "cohorts", "--data", dir, "--periods", "3", "--format", "csv", "--out", file)
	if b, err := os.ReadFile(file); err != nil || string(b) != "cohort,people,0,1,2\n2020-01-06,2,1,1,0\n" {
		t.Errorf("%v: the cohorts are %s", err, b)
	}
	if out := kindred(t, exitDone, "analytics", "rfm", "--data", dir); !strings.Contains(out, "group") || strings.Count(out, "\n") != 2 {
		t.Errorf("buyers are %s", out)
	}
	for want, args := range map[string][]string{
		"did you mean": {"funnel", "--step", "Product View", "--step", "Order Completed"}, "--within": {"funnel", "--within", "soon"},
		"--format": {"rfm", "--format", "xls"}, "day, week or month": {"cohorts", "--period", "year"},
	} {
		if out := kindred(t, exitUsage, append([]string{"analytics", "--data", dir}, args...)...); !strings.Contains(out, want) {
			t.Errorf("%v says %q, want %q", args, out, want)
		}
	}
}
