package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kindred/serving/ingest/poll"
)

// crm is another system, which lists people that changed after a cursor, two a page.
type crm struct {
	mu     sync.Mutex
	people int
	asked  []string
}

func (c *crm) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Header.Get("Authorization") != "Bearer hush" {
		http.Error(w, "who?", http.StatusUnauthorized)
		return
	}
	since := r.URL.Query().Get("since")
	c.asked = append(c.asked, since)
	list := []map[string]any{}
	for i := range c.people {
		at := time.Now().Add(-time.Hour).Truncate(24 * time.Hour).Add(time.Duration(i) * time.Second).UTC().Format(time.RFC3339)
		if at > since {
			list = append(list, map[string]any{"id": fmt.Sprintf("p%02d", i), "at": at, "plan": "gold"})
		}
	}
	json.NewEncoder(w).Encode(map[string]any{"people": list[:min(2, len(list))]})
}

func (c *crm) grow(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.people = n
}

// A server polls, is killed, and polls on where it was: nobody is left out, nothing is taken twice.
func TestAConnectorGoesOnBehindARestart(t *testing.T) {
	t.Parallel() // the killed one's lease has to run out
	other := &crm{people: 5}
	there := httptest.NewServer(other)
	defer there.Close()
	dir := t.TempDir()
	token := filepath.Join(dir, "token")
	file := filepath.Join(dir, "kindred.yaml")
	for name, text := range map[string]string{token: "hush\n", file: `
connectors:
  - name: crm
    url: ` + there.URL + `/people?since={cursor}
    interval: 1s
    secret_headers: {Authorization: "Bearer ${file:` + token + `}"}
    headers: {X-Tenant: tenant-seven}
    records: people
    fields: {user: id, updated: at, traits: {plan: plan}}
    cursor: updated
`} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out := kindred(t, exitDone, "config", "print", "--config", file); strings.Contains(out, "tenant-seven") || strings.Contains(out, "hush") || !strings.Contains(out, "X-Tenant") {
		t.Errorf("the printed configuration tells a header, or lacks its name:\n%s", out)
	}
	data := filepath.Join(dir, "data")
	until := func(s *running, user string) {
		t.Helper()
		for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if r, err := http.Get(s.base + "/v1/profiles/" + user); err == nil {
				r.Body.Close()
				if r.StatusCode == http.StatusOK {
					return
				}
			}
		}
		t.Fatalf("%s is not known in time:\n%s", user, s.log)
	}
	status := func(s *running) poll.Status {
		var list struct{ Connectors []poll.Status }
		s.get("/v1/connectors", &list)
		if len(list.Connectors) != 1 {
			t.Fatalf("connectors: %+v", list)
		}
		return list.Connectors[0]
	}
	s := start(t, data, "--config", file)
	until(s, "p04")
	if got := status(s); !got.Active || got.Sent != 5 || got.Cursor == "" || got.LastError != "" {
		t.Errorf("status %+v; want 5 sent and a cursor", got)
	}
	s.kill()
	other.grow(8)
	before := len(other.asked)
	s = start(t, data, "--config", file)
	until(s, "p07") // once the dead process's lease has run out
	if got := status(s); got.Sent != 3 || got.Rejected != 0 {
		t.Errorf("after the restart: %+v; want the three new people alone", got)
	}
	for user := range 8 {
		until(s, fmt.Sprintf("p%02d", user))
	}
	s.stop()
	if other.asked[before] == "" {
		t.Error("the list was read from its beginning after the restart")
	}
}
