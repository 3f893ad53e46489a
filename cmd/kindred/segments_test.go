package main

import (
	"strings"
	"testing"
)

func TestSegmentsOfARunningServer(t *testing.T) {
	s := start(t, t.TempDir())
	addr := strings.TrimPrefix(s.base, "http://")
	good := write(t, "good.yaml", "segments:\n  - {segment: viewers, when: 'events(\"Product Viewed\").ever().count() > 0'}\n")
	bad := write(t, "bad.yaml", "segments:\n  - {segment: viewers, when: 'events(\"Product Viewed\").evr().count() > 0'}\n")
	if out := kindred(t, exitDone, "segments", "check", "--addr", addr, "--file", good); !strings.Contains(out, `"ok": true`) {
		t.Errorf("check says %s", out)
	}
	if out := kindred(t, exitFailed, "segments", "check", "--addr", addr, "--file", bad); !strings.Contains(out, "did you mean ever") && !strings.Contains(out, "mistakes") {
		t.Errorf("check of mistakes says %s", out)
	}
	if out := kindred(t, exitUsage, "segments", "publish", "--addr", addr, "--file", good, "--version", "r-1"); !strings.Contains(out, "exclude each other") {
		t.Errorf("publish says %s", out)
	}
	kindred(t, exitDone, "segments", "publish", "--addr", addr, "--file", good)
	if out := kindred(t, exitDone, "segments", "history", "--addr", addr); !strings.Contains(out, `"version"`) {
		t.Errorf("history says %s", out)
	}
	kindred(t, exitDone, "segments", "preview", "--addr", addr, "--file", good)
	kindred(t, exitDone, "segments", "diff", "--addr", addr, "--file", good)
}
