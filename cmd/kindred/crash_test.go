package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestKilledUnderLoadLosesAndRepeatsNothing sends batches from several clients,
// kills the server with SIGKILL several times while they send, and lets the clients
// repeat what was not acknowledged, as trackers do. In the end every event is in the
// log and applied exactly once, and the state is what the log says.
func TestKilledUnderLoadLosesAndRepeatsNothing(t *testing.T) {
	const clients, batches, size, kills = 4, 60, 10, 3
	dir := t.TempDir()

	var mu sync.RWMutex // held for writing while no server runs
	s := start(t, dir)
	acknowledged := make(chan struct{}, clients*batches) // one a batch
	var wg sync.WaitGroup
	for client := range clients {
		wg.Go(func() {
			for b := range batches {
				batch := make([]map[string]any, size)
				for i := range batch {
					batch[i] = map[string]any{
						"type": "track", "event": "Product Viewed", "userId": fmt.Sprintf("user-%d-%d", client, i),
						"messageId": fmt.Sprintf("m-%d-%d-%d", client, b, i), "timestamp": time.Now().UTC().Format(time.RFC3339Nano),
						"properties": map[string]any{"product_id": fmt.Sprintf("item-%d", b)},
					}
				}
				for { // until acknowledged
					mu.RLock()
					status, err := s.send("/v1/batch", map[string]any{"batch": batch, "sentAt": time.Now().UTC().Format(time.RFC3339Nano)})
					mu.RUnlock()
					if err == nil && status == http.StatusOK {
						break
					}
					if err == nil && status != http.StatusTooManyRequests {
						t.Errorf("a batch got %d", status)
						break // counted all the same, so that nobody waits for it
					}
				}
				acknowledged <- struct{}{}
			}
		})
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range kills { // somewhere in the next part of the load
		for range batches*clients/(kills+2) + random.IntN(4) {
			<-acknowledged
		}
		s.kill()
		mu.Lock()
		s = start(t, dir)
		mu.Unlock()
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	s.stop()

	// Every event is in the archived log; a repeat of what the log had already is
	// allowed there and dropped by the fold.
	inLog := map[string]bool{}
	lines := bufio.NewScanner(strings.NewReader(kindred(t, exitDone, "export", "--data", dir, "--what", "events")))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var e struct{ ID string }
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		inLog[e.ID] = true
	}
	for client := range clients {
		for b := range batches {
			for i := range size {
				if id := fmt.Sprintf("m-%d-%d-%d", client, b, i); !inLog[id] {
					t.Errorf("%s was acknowledged and is not in the log", id)
				}
			}
		}
	}
	// Every person used every item exactly once.
	people := 0
	lines = bufio.NewScanner(strings.NewReader(kindred(t, exitDone, "export", "--data", dir, "--what", "profiles")))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var p struct {
			Users   []string
			History []struct {
				Item  string
				Count int
			}
		}
		if err := json.Unmarshal(lines.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		if len(p.Users) == 0 {
			continue
		}
		people++
		if len(p.History) != batches {
			t.Errorf("%s has %d items, want %d", p.Users[0], len(p.History), batches)
		}
		for _, h := range p.History {
			if h.Count != 1 {
				t.Errorf("%s used %s %d times, want once", p.Users[0], h.Item, h.Count)
			}
		}
	}
	if people != clients*size {
		t.Errorf("%d people, want %d", people, clients*size)
	}
	if out := kindred(t, exitDone, "replay", "--data", dir, "--verify"); strings.Contains(out, "DIFFERENT") {
		t.Error(out)
	}
}

// TestTrainingFindsWhatAKilledServerLeft: the log's tail is not in the lake when a
// server is killed, and `kindred train` alone brings it there.
func TestTrainingFindsWhatAKilledServerLeft(t *testing.T) {
	dir := shop(t)
	s := start(t, dir)
	s.track("/v1/track", map[string]any{"userId": "b-0", "event": "Product Viewed", "messageId": "tail", "properties": map[string]any{"product_id": "b19"}})
	s.kill()
	if strings.Contains(kindred(t, exitDone, "export", "--data", dir, "--what", "interactions"), `"tail"`) {
		t.Fatal("the tail is in the lake already; the test shows nothing")
	}
	kindred(t, exitDone, "train", "--data", dir)
	if !strings.Contains(kindred(t, exitDone, "export", "--data", dir, "--what", "interactions"), `"tail"`) {
		t.Error("training did not archive the tail")
	}
}
