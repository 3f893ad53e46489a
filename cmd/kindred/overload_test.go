package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// crowd is what is sent above a server's capacity: bodies of one source, due at fixed
// times whatever became of those before, each of people drawn anew.
type crowd struct {
	perSecond int // calls that the server is configured to take of the source
	times     int // as many as are sent
	body      int // calls in a body
	people    int
	length    time.Duration
	clients   int // connections at most
}

// crowdKey and quietKey are write keys; the first has a limit.
const (
	crowdKey = "key-of-the-crowd"
	quietKey = "key-of-the-quiet"
	readKey  = "key-of-the-reader"
)

// Budgets of the long run. Of the memory, 256 MiB are the store's tables of 64 MiB before they
// are on the disk, 32 its cache, 24 the bodies, the queue and the kept lists of limited;
// the rest is for the program, the state of 4,000 people and what Go's collector has not
// collected yet.
const (
	memoryBudget  = 512 << 20
	latencyBudget = 200 * time.Millisecond
)

// limited is a configuration with small bounds everywhere.
func limited(t *testing.T, perSecond int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kindred.yaml")
	text := fmt.Sprintf(`
http:
  keys:
    - {name: crowd, secret: %s, scopes: [ingest]}
    - {name: quiet, secret: %s, scopes: [ingest]}
    - {name: reader, secret: %s, scopes: [read]}
ingest:
  quota:
    sources: {crowd: {per_second: %d, burst: %d}}
    max_bytes: 8388608
    max_bodies: 64
store: {cache_bytes: 33554432, queue_records: 8192, queue_bytes: 8388608}
recommend: {cache_bytes: 8388608}
schedule: {every_events: 0, cron: ""}
`, crowdKey, quietKey, readKey, perSecond, perSecond/2)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// outcome is what became of one body.
type outcome struct {
	status int
	took   time.Duration
	wait   int // seconds that a 429 asks for
	err    error
}

// TestTenTimesTheConfiguredCapacity sends ten times the calls that the server is
// configured to take of a source. What is not taken is a 429 that says when to come again, what
// is acknowledged is in the log and in the state exactly once, another source goes on
// meanwhile, and afterwards all is as before. OVERLOAD=60s (make overload) sends for so
// long, and then the times and the memory have to be within their budgets, too.
func TestTenTimesTheConfiguredCapacity(t *testing.T) {
	c := crowd{perSecond: 400, times: 10, body: 20, people: 400, length: 3 * time.Second, clients: 256}
	long := os.Getenv("OVERLOAD")
	if long != "" {
		var err error
		if c.length, err = time.ParseDuration(long); err != nil {
			t.Fatalf("OVERLOAD is %q; write a time, like 60s", long)
		}
		c.perSecond, c.people = 2000, 4000
	}
	if calls := c.times * c.perSecond * int(c.length/time.Second); calls >= c.people*crowdItems {
		t.Fatalf("%d calls in %v are more than the %d pairs of people and items", calls, c.length, c.people*crowdItems)
	}
	dir := t.TempDir()
	s := start(t, dir, "--config", limited(t, c.perSecond))
	var others struct {
		sync.Mutex
		taken, refused int
	}
	stop := make(chan struct{})
	var quiet sync.WaitGroup
	quiet.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(50 * time.Millisecond):
			}
			o := s.post(http.DefaultClient, quietKey, []byte(fmt.Sprintf(`{"batch":[{"type":"track","event":"Product Viewed","userId":"quiet","messageId":"quiet-%d"}]}`, i)))
			others.Lock()
			switch {
			case o.status == http.StatusOK:
				others.taken++
			case o.status == http.StatusTooManyRequests && o.wait > 0:
				others.refused++
			default:
				t.Errorf("the quiet source got %+v", o)
			}
			others.Unlock()
		}
	})
	bodies := c.send(s)
	close(stop)
	quiet.Wait()

	var latencies []time.Duration
	var calls, refused, wait int
	for b, o := range bodies {
		switch {
		case o.err != nil:
			t.Errorf("body %d: %v", b, o.err)
		case o.status == http.StatusOK:
			latencies = append(latencies, o.took)
			calls += c.body
		case o.status == http.StatusTooManyRequests && o.wait >= 1 && o.wait <= 300:
			refused++
			wait = max(wait, o.wait)
		default:
			t.Errorf("body %d: status %d, asked to wait %d s", b, o.status, o.wait)
		}
	}
	if len(latencies) == 0 || refused < len(bodies)/2 {
		t.Fatalf("%d bodies were taken and %d refused; want some taken, and most refused", len(latencies), refused)
	}
	if others.taken < others.refused {
		t.Errorf("of another source %d bodies were taken and %d refused; want it to go on", others.taken, others.refused)
	}
	slices.Sort(latencies)
	p99 := latencies[len(latencies)*99/100]
	peak := s.peakMemory()
	t.Logf("%d calls/s offered for %v, %d/s configured: %d calls taken (%.0f/s), %d bodies refused; of another source %d taken, %d refused",
		c.times*c.perSecond, c.length, c.perSecond, calls, float64(calls)/c.length.Seconds(), refused, others.taken, others.refused)
	t.Logf("what was taken: p50 %v, p99 %v, longest %v; memory at most %d MiB", latencies[len(latencies)/2], p99, latencies[len(latencies)-1], peak>>20)
	if long != "" && p99 >= latencyBudget {
		t.Errorf("p99 is %v, want less than %v", p99, latencyBudget)
	}
	if long != "" && peak >= memoryBudget {
		t.Errorf("the server held %d MiB, want less than %d", peak>>20, memoryBudget>>20)
	}

	// As if nothing had been.
	time.Sleep(time.Duration(wait) * time.Second)
	if o := s.post(http.DefaultClient, crowdKey, c.bytes(len(bodies))); o.status != http.StatusOK {
		t.Errorf("after the wait that was asked for a body got %+v, want a 200", o)
	}
	bodies = append(bodies, outcome{status: http.StatusOK})
	s.awaitFolded()
	s.stop()
	c.check(t, dir, bodies)
}

// send sends all bodies, each at its time, and returns what became of them.
func (c crowd) send(s *running) []outcome {
	n := int(float64(c.times*c.perSecond/c.body) * c.length.Seconds())
	out := make([]outcome, n)
	transport := &http.Transport{MaxIdleConnsPerHost: c.clients, MaxIdleConns: c.clients, MaxConnsPerHost: c.clients}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: time.Minute}
	room := make(chan struct{}, c.clients)
	var sent sync.WaitGroup
	for begin, b := time.Now(), 0; b < n; b++ {
		time.Sleep(time.Until(begin.Add(c.length * time.Duration(b) / time.Duration(n))))
		room <- struct{}{}
		sent.Go(func() {
			out[b] = s.post(client, crowdKey, c.bytes(b))
			<-room
		})
	}
	sent.Wait()
	return out
}

// id, user and item are those of call i of body b. Nobody uses an item twice.
func (c crowd) id(b, i int) string   { return fmt.Sprintf("crowd-%d-%d", b, i) }
func (c crowd) user(b, i int) string { return fmt.Sprintf("user-%d", c.pair(b, i)%c.people) }
func (c crowd) item(b, i int) string { return fmt.Sprintf("item-%d", c.pair(b, i)/c.people) }

// crowdItems is how many items there are.
const crowdItems = 1000

// pair numbers the pairs of a person and an item in an order that has no period.
func (c crowd) pair(b, i int) int {
	pairs := c.people * crowdItems // no multiple of 3 or 7
	return (b*c.body + i) % pairs * 2_470_629 % pairs
}

// bytes are those of body b.
func (c crowd) bytes(b int) []byte {
	var text bytes.Buffer
	text.WriteString(`{"batch":[`)
	for i := range c.body {
		if i > 0 {
			text.WriteByte(',')
		}
		fmt.Fprintf(&text, `{"type":"track","event":"Product Viewed","userId":%q,"messageId":%q,"properties":{"product_id":%q,"category":"lamps","price":9.5}}`,
			c.user(b, i), c.id(b, i), c.item(b, i))
	}
	text.WriteString(`]}`)
	return text.Bytes()
}

// post sends a body with a write key.
func (r *running) post(client *http.Client, key string, body []byte) outcome {
	req, err := http.NewRequest(http.MethodPost, r.base+"/v1/batch", bytes.NewReader(body))
	if err != nil {
		return outcome{err: err}
	}
	req.SetBasicAuth(key, "")
	return ask(client, req)
}

// ask sends a request and reads its answer to the end.
func ask(client *http.Client, req *http.Request) outcome {
	begin := time.Now()
	resp, err := client.Do(req)
	if err != nil {
		return outcome{err: err}
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	o := outcome{status: resp.StatusCode, took: time.Since(begin), err: err}
	if retry := resp.Header.Get("Retry-After"); retry == resp.Header.Get("X-RateLimit-Reset") {
		o.wait, _ = strconv.Atoi(retry) // 0 is refused by whoever looks
	}
	return o
}

// awaitFolded waits until the log is folded to its end.
func (r *running) awaitFolded() {
	r.t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		lag := r.metric("kindred_fold_lag_records")
		if lag == 0 {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("%v records are still not folded", lag)
		}
	}
}

// metric is the sum of a metric over its labels.
func (r *running) metric(name string) (sum float64) {
	r.t.Helper()
	req, err := http.NewRequest(http.MethodGet, r.base+"/metrics", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.SetBasicAuth(readKey, "")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	found := false
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), name); ok && strings.HasPrefix(strings.TrimLeft(rest, " "), "{") || ok && strings.HasPrefix(rest, " ") {
			v, err := strconv.ParseFloat(rest[strings.LastIndexByte(rest, ' ')+1:], 64)
			if err != nil {
				r.t.Fatalf("%s%s: %v", name, rest, err)
			}
			sum, found = sum+v, true
		}
	}
	if !found {
		r.t.Fatalf("there is no metric %s: %d", name, resp.StatusCode)
	}
	return sum
}

// peakMemory is the most that the process held, 0 where the system does not tell.
func (r *running) peakMemory() int64 {
	r.t.Helper()
	if runtime.GOOS != "linux" {
		return 0
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.cmd.Process.Pid))
	if err != nil {
		r.t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				r.t.Fatal(err)
			}
			return kib << 10
		}
	}
	r.t.Fatalf("the system does not say how much memory was held:\n%s", status)
	return 0
}

// check reports what was acknowledged and is not in the log, or not folded, exactly
// once, and what was refused and is.
func (c crowd) check(t *testing.T, dir string, bodies []outcome) {
	t.Helper()
	lines := func(what string) *bufio.Scanner {
		l := bufio.NewScanner(strings.NewReader(kindred(t, exitDone, "export", "--data", dir, "--what", what)))
		l.Buffer(nil, 16<<20)
		return l
	}
	inLog := map[string]int{}
	for l := lines("events"); l.Scan(); {
		var e struct{ ID, Source string }
		if err := json.Unmarshal(l.Bytes(), &e); err != nil {
			t.Fatal(err)
		}
		if e.Source == "crowd" {
			inLog[e.ID]++
		}
	}
	folded := map[string]int{}
	for l := lines("profiles"); l.Scan(); {
		var p struct {
			Users   []string
			History []struct {
				Item  string
				Count int
			}
		}
		if err := json.Unmarshal(l.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		for _, h := range p.History {
			folded[p.Users[0]+" "+h.Item] += h.Count
		}
	}
	wrong := 0
	for b, o := range bodies {
		want := 0
		if o.status == http.StatusOK {
			want = 1
		}
		for i := range c.body {
			pair := c.user(b, i) + " " + c.item(b, i)
			if l, f := inLog[c.id(b, i)], folded[pair]; l != want || f != want {
				if wrong++; wrong <= 10 {
					t.Errorf("body %d got %d: %s is %d times in the log, and folded %d times; want %d", b, o.status, c.id(b, i), l, f, want)
				}
			}
			delete(inLog, c.id(b, i))
			delete(folded, pair)
		}
	}
	if wrong > 10 {
		t.Errorf("and %d more", wrong-10)
	}
	if len(inLog) > 0 || len(folded) > 0 {
		t.Errorf("%d events are in the log, and %d pairs in the state, that nobody sent", len(inLog), len(folded))
	}
	if out := kindred(t, exitDone, "replay", "--data", dir, "--verify"); strings.Contains(out, "DIFFERENT") {
		t.Error(out)
	}
}
