package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// look is the JSON at path.
func (r *running) look(path string, into any) {
	r.t.Helper()
	resp, err := http.Get(r.base + path)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode == http.StatusOK {
		err = json.Unmarshal(b, into)
	}
	if err != nil {
		r.t.Fatalf("GET %s: %v\n%s", path, err, b)
	}
}

// until asks again until ok.
func (r *running) until(path string, into any, ok func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if r.look(path, into); ok() {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("%s = %+v after a minute", path, into)
		}
	}
}

// TestAnUnmergeSurvivesKills: the server is killed right after it took the unmerge, and
// again at once after the start that makes the rest; in the end both have what is theirs,
// and the state is what the log says.
func TestAnUnmergeSurvivesKills(t *testing.T) {
	dir := t.TempDir()
	s := start(t, dir)
	view := func(n int, user, device, item string) {
		s.track("/v1/track", map[string]any{"userId": user, "anonymousId": device, "event": "Product Viewed", "messageId": fmt.Sprint("m", n),
			"properties": map[string]any{"product_id": item}})
	}
	view(1, "ann", "", "a1")
	view(2, "", "d1", "d1")
	view(3, "ann", "d1", "a2") // links them
	view(4, "", "d1", "d2")
	view(5, "", "d2", "b1")
	view(6, "ann", "d2", "a3") // this device stays
	type merges struct {
		Pending bool
		Merges  []struct{ Kind string }
	}
	var m merges
	s.until("/v1/users/ann/merges", &m, func() bool { return len(m.Merges) == 2 })
	if status, err := s.send("/v1/users/ann/unmerge", map[string]any{"anonymous_id": "d1", "reason": "a library computer"}); err != nil || status != http.StatusAccepted {
		t.Fatalf("unmerge: %d, %v", status, err)
	}
	s.kill()
	s = start(t, dir)
	view(7, "", "d1", "d3") // between the steps, or after them
	view(8, "ann", "d1", "a4")
	s.kill()
	s = start(t, dir)
	s.until("/v1/users/ann/merges", &m, func() bool {
		n := len(m.Merges)
		return n == 4 && !m.Pending && m.Merges[3].Kind == "rebuilt"
	})
	for who, want := range map[string]int{"ann": 5, "d1?kind=anonymous": 3} { // a1 a2 a3 a4 b1, and d1 d2 d3
		var p struct {
			Items  int
			Counts map[string]int
		}
		s.until("/v1/profiles/"+who, &p, func() bool { return p.Items == want && p.Counts["views_1h"] == want })
	}
	s.stop()
	if out := kindred(t, exitDone, "replay", "--data", dir, "--verify"); strings.Contains(out, "DIFFERENT") {
		t.Error(out)
	}
}
