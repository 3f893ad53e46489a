package httpapi_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"kindred/serving/httpapi"
	"kindred/serving/ingest/quota"
	"kindred/serving/ingest/tail"
)

func TestEventsAreFollowedScrubbed(t *testing.T) {
	h := open(t, func(o *overrides) { withKeys(o); o.tail = tail.New(tail.Default(), time.Now) })
	server := httptest.NewServer(h.handler)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	follow := func(secret, query string) *http.Response {
		r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/v1/debug/events"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-API-Key", secret)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	if r := follow("reader-secret", ""); r.StatusCode != http.StatusForbidden {
		t.Errorf("a reader's key follows events: %d", r.StatusCode)
	}
	if r := follow("admin-secret", "?sauce=1"); r.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("an unknown parameter: %d", r.StatusCode)
	}
	r := follow("admin-secret", "?source=site&name=Signed+Up")
	defer r.Body.Close()
	if got := r.Header.Get("Content-Type"); got != "text/event-stream" {
		t.Fatalf("the stream is %s", got)
	}
	ingestKey := []string{"X-API-Key", "ingest-secret"}
	h.do("POST", "/v1/t", `{"type":"track","event":"Noise","userId":"ann"}`, ingestKey...).want(http.StatusOK)
	h.do("POST", "/v1/t", `{"type":"track","event":"Signed Up","userId":"ann@example.com","properties":{"email":"ann@example.com","plan":"gold"}}`, ingestKey...).want(http.StatusOK)
	lines := bufio.NewScanner(r.Body)
	for lines.Scan() {
		if line := lines.Text(); strings.HasPrefix(line, "data:") {
			if !strings.Contains(line, "gold") || strings.Contains(line, "ann@example.com") || strings.Contains(line, "Noise") {
				t.Errorf("shown: %s", line)
			}
			return
		}
	}
	t.Errorf("the stream ended without the event: %v", lines.Err())
}

func TestSourcesTellWhatTheySendAndWhatIsRefused(t *testing.T) {
	h := open(t, func(o *overrides) { withKeys(o); o.tail = tail.New(tail.Default(), time.Now) })
	h.do("POST", "/v1/batch", batch(call("Product Viewed", "ann", "", "lamp", "1"), `{"type":"track","userId":"ann"}`), "X-API-Key", "ingest-secret").want(http.StatusOK)
	var list struct {
		Sources []struct {
			Source  string
			Refused int
			Events  []struct{ Name string }
		}
	}
	h.do("GET", "/v1/debug/sources", "", "X-API-Key", "admin-secret").want(http.StatusOK).into(&list)
	if len(list.Sources) != 1 || list.Sources[0].Source != "site" || list.Sources[0].Refused != 1 || len(list.Sources[0].Events) != 1 {
		t.Errorf("sources: %+v", list)
	}
}

func TestAKeyAboveItsRateIsAskedToWait(t *testing.T) {
	limits := quota.Default()
	limits.Source = quota.Rate{PerSecond: 1, Burst: 2}
	h := open(t, func(o *overrides) { withKeys(o); o.quota = quota.New(limits, time.Now) })
	send := func(headers ...string) reply {
		return h.do("POST", "/v1/t", call("Product Viewed", "ann", "", "lamp", ""), append(headers, "X-API-Key", "ingest-secret", "Origin", "https://shop.example")...)
	}
	send().want(http.StatusOK)
	send().want(http.StatusOK)
	r := send().want(http.StatusTooManyRequests)
	for _, name := range []string{"Retry-After", "X-RateLimit-Reset"} {
		if got := r.Header().Get(name); got != "1" {
			t.Errorf("%s is %q, want 1", name, got)
		}
	}
	if r.Header().Get("Access-Control-Allow-Origin") == "" || !strings.Contains(r.Header().Get("Access-Control-Expose-Headers"), "Retry-After") {
		t.Errorf("a page cannot read the refusal: %v", r.Header())
	}
}

func TestAPersonFarAboveTheRateIsRefusedAlone(t *testing.T) {
	limits := quota.Default()
	limits.Person, limits.PersonHard = quota.Rate{PerSecond: 1, Burst: 1}, quota.Rate{PerSecond: 1, Burst: 3}
	h := open(t, func(o *overrides) { o.quota = quota.New(limits, time.Now) })
	var calls []string
	for _, id := range []string{"1", "2", "3", "4", "5"} {
		calls = append(calls, call("Product Viewed", "ann", "", "lamp", id))
	}
	h.do("POST", "/v1/batch", batch(append(calls, call("Product Viewed", "bob", "", "lamp", "6"))...)).want(http.StatusOK)
	if got := h.ingest.Counts(); got.Accepted != 4 || got.Rejected != 2 {
		t.Errorf("counts %+v, want four kept (two of them flagged) and two of ann's refused", got)
	}
	if r := h.do("GET", "/v1/dead-letters", "").want(http.StatusOK); !strings.Contains(r.Body.String(), "person.rate") {
		t.Errorf("dead letters: %s", r.Body)
	}
}

func TestAStoppingServerDoesNotWaitForFollowers(t *testing.T) {
	h := open(t, func(o *overrides) { o.tail = tail.New(tail.Default(), time.Now) })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- httpapi.Serve(ctx, httpapi.NewServer(httpapi.Default(), h.handler, slog.New(slog.DiscardHandler)), l, time.Minute)
	}()
	r, err := http.Get("http://" + l.Addr().String() + "/v1/debug/events")
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("follow: %v, %v", r, err)
	}
	defer r.Body.Close()
	stop()
	if _, err := io.ReadAll(r.Body); err != nil {
		t.Errorf("the stream did not end well: %v", err)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
}

func TestABodyTakesRoomAsItComes(t *testing.T) {
	limits := quota.Default()
	limits.MaxBytes = 100 << 10
	h := open(t, func(o *overrides) { o.quota = quota.New(limits, time.Now) })
	large := batch(call("Product Viewed", "ann", "", "lamp", "1"), `{"type":"track","event":"`+strings.Repeat("x", 30<<10)+`","userId":"ann"}`)
	// Bodies that only say they are large take little room, whoever holds them open.
	server := httptest.NewServer(h.handler)
	defer server.Close()
	for range 3 {
		c, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		io.WriteString(c, "POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 400000\r\n\r\n{")
	}
	h.do("POST", "/v1/batch", batch(call("Product Viewed", "ann", "", "lamp", "2"))).want(http.StatusOK)
	h.do("POST", "/v1/batch", large).want(http.StatusOK)
	calls := batch(strings.Repeat(`{"type":"track","event":"E","userId":"ann"},`, 4000) + call("E", "ann", "", "lamp", "3"))
	r := h.do("GET", "/healthz", "")
	for end := time.Now().Add(10 * time.Second); r.Code != http.StatusTooManyRequests && time.Now().Before(end); {
		c := dial(t, server.Listener.Addr().String(), "POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 400000\r\n\r\n"+large[:20<<10])
		time.Sleep(20 * time.Millisecond) // this much of it is in memory
		r = h.do("POST", "/v1/batch", calls)
		c.Close()
	}
	r.want(http.StatusTooManyRequests)
	if r.Header().Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
}
