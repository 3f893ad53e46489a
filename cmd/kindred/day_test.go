package main

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestAPersonsDay starts the real program and lives a person's day through HTTP:
// anonymous views, then identify, then a purchase; the recommendations follow.
func TestAPersonsDay(t *testing.T) {
	dir := shop(t)
	s := start(t, dir)

	var before answer
	s.get("/v1/recommendations/ann?n=8", &before)
	if before.Known || len(before.Items) == 0 {
		t.Fatalf("before anything: %+v; want what is popular for somebody unknown", before)
	}

	// Anonymous: two books are looked at.
	for i, item := range []string{"b03", "b07"} {
		s.track("/v1/track", map[string]any{"anonymousId": "browser-1", "event": "Product Viewed", "messageId": "day-" + item,
			"properties": map[string]any{"product_id": item, "category": "books", "position": i}})
	}
	var anonymous answer
	s.ask("/v1/recommendations", map[string]any{"anonymous_id": "browser-1", "n": 8}, &anonymous)
	if !anonymous.Known || anonymous.Stale {
		t.Errorf("known %v, stale %v; want true, false", anonymous.Known, anonymous.Stale)
	}
	if anonymous.has("b03") || anonymous.has("b07") {
		t.Errorf("the list holds what was just seen: %+v", anonymous.Items)
	}
	if first := anonymous.Items[0].ID; !strings.HasPrefix(first, "b") {
		t.Errorf("the first item is %s, want a book: %+v", first, anonymous.Items)
	}

	// Identify: what the browser did is now the person's.
	s.track("/v1/identify", map[string]any{"anonymousId": "browser-1", "userId": "ann", "messageId": "day-identify", "traits": map[string]any{"plan": "gold"}})
	var identified answer
	s.get("/v1/recommendations/ann?n=8", &identified)
	if !identified.Known || identified.Stale || identified.has("b03") || !strings.HasPrefix(identified.Items[0].ID, "b") {
		t.Errorf("after identify: %+v; want books, without b03", identified)
	}

	// Buy: three things for the garden move the taste.
	s.track("/v1/batch", map[string]any{"batch": []map[string]any{{
		"type": "track", "userId": "ann", "event": "Order Completed", "messageId": "day-order",
		"properties": map[string]any{"order_id": "o1", "total": 60, "products": []map[string]any{
			{"product_id": "g01", "price": 20, "quantity": 1}, {"product_id": "g08", "price": 20, "quantity": 1}, {"product_id": "g15", "price": 20, "quantity": 1}}},
	}}})
	var bought answer
	s.get("/v1/recommendations/ann?n=8", &bought)
	if bought.has("g01") || bought.has("g08") || bought.has("g15") {
		t.Errorf("the list holds what was just bought: %+v", bought.Items)
	}
	if first := bought.Items[0].ID; !strings.HasPrefix(first, "g") {
		t.Errorf("after buying for the garden the first item is %s: %+v", first, bought.Items)
	}
	var profile struct {
		Traits  map[string]any `json:"traits"`
		Items   int            `json:"items"`
		Revenue float64        `json:"revenue_90d"`
	}
	s.get("/v1/profiles/ann", &profile)
	if profile.Traits["plan"] != "gold" || profile.Items != 5 || profile.Revenue != 60 {
		t.Errorf("profile = %+v; want plan gold, 5 items, revenue 60", profile)
	}
	s.stop()
}

// TestTrainAndPromoteBesideAServer uses a second process while the server runs.
func TestTrainAndPromoteBesideAServer(t *testing.T) {
	dir := shop(t)
	s := start(t, dir)
	first := serving(s)

	s.track("/v1/track", map[string]any{"userId": "b-0", "event": "Product Viewed", "properties": map[string]any{"product_id": "b05"}})
	kindred(t, exitDone, "train", "--data", dir)
	second := waitForOther(s, first)

	kindred(t, exitDone, "models", "promote", first, "--data", dir)
	if got := waitForOther(s, second); got != first {
		t.Errorf("after the promotion %s serves, want %s", got, first)
	}
	kindred(t, exitDone, "models", "rollback", "--data", dir)
	if got := waitForOther(s, first); got != second {
		t.Errorf("after the rollback %s serves, want %s", got, second)
	}
	// Twenty people use what is left of their shelf. The current model foresees that
	// nearly perfectly, so nothing can be twice as good on it.
	for person := range 20 {
		taste, seen := "bg"[person%2:person%2+1], map[int]bool{}
		for i := range 12 {
			seen[(person/2*5+i*7)%20] = true
		}
		var batch []map[string]any
		for i := range 20 {
			if !seen[i] {
				batch = append(batch, map[string]any{"type": "track", "userId": fmt.Sprintf("%s-%d", taste, person), "event": "Product Viewed",
					"properties": map[string]any{"product_id": fmt.Sprintf("%s%02d", taste, i)}})
			}
		}
		s.track("/v1/batch", map[string]any{"batch": batch})
	}
	refused := kindred(t, exitRefused, "train", "--data", dir, "--set", "training.gate.min_ratio=2", "--set", "training.split.min_people=10")
	if !strings.Contains(refused, "gate refused") || !strings.Contains(refused, "since the current model") {
		t.Errorf("the refusal says %q", refused)
	}
	if got := serving(s); got != second {
		t.Errorf("after a refused run %s serves, want %s", got, second)
	}
	if jobs := kindred(t, exitDone, "jobs", "--data", dir); !strings.Contains(jobs, "refused") {
		t.Errorf("the jobs do not show the refused run:\n%s", jobs)
	}
	message := kindred(t, exitFailed, "replay", "--data", dir)
	if !strings.Contains(message, "stop the server first") {
		t.Errorf("replay beside a server says %q", message)
	}
	s.stop()
}

// TestAServerRetrainsByItself takes in enough events for a run to be due.
func TestAServerRetrainsByItself(t *testing.T) {
	dir := shop(t)
	s := start(t, dir, "--set", "schedule.every_events=40", "--set", "schedule.poll=1s")
	first := serving(s)
	var batch []map[string]any
	for i := range 20 {
		batch = append(batch, map[string]any{"type": "track", "userId": fmt.Sprintf("g-%d", i), "event": "Product Viewed", "properties": map[string]any{"product_id": fmt.Sprintf("g%02d", i)}})
	}
	for until := time.Now().Add(30 * time.Second); serving(s) == first; {
		if time.Now().After(until) {
			t.Fatalf("%s still serves\n%s", first, s.log)
		}
		s.track("/v1/batch", map[string]any{"batch": batch})
		select {
		case <-t.Context().Done():
			t.Fatal("the test ended")
		case <-time.After(200 * time.Millisecond):
		}
	}
	s.stop()
	if log := s.log.String(); !strings.Contains(log, "training is due") || !strings.Contains(log, "training process started") || !strings.Contains(log, "training published") {
		t.Errorf("the log does not tell of a run in a process of its own:\n%s", log)
	}
}

// serving is the version of the model that answers.
func serving(s *running) string {
	s.t.Helper()
	var models struct {
		Serving struct {
			Version string `json:"version"`
		} `json:"serving"`
	}
	s.get("/v1/models", &models)
	return models.Serving.Version
}

// waitForOther waits until another model than old answers.
func waitForOther(s *running, old string) string {
	s.t.Helper()
	for until := time.Now().Add(20 * time.Second); ; {
		if now := serving(s); now != old {
			return now
		}
		if time.Now().After(until) {
			s.t.Fatalf("%s still serves\n%s", old, s.log)
		}
		select {
		case <-s.t.Context().Done():
			s.t.Fatal("the test ended")
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// TestEveryPageOpens asks for what a browser would.
func TestEveryPageOpens(t *testing.T) {
	s := start(t, t.TempDir())
	for _, path := range []string{"/", "/docs", "/docs/swagger-ui.js", "/openapi.json", "/metrics", "/healthz", "/readyz", "/assets/app.js"} {
		resp, err := http.Get(s.base + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("GET %s: %d, want 200", path, resp.StatusCode)
		}
	}
	s.stop()
}
