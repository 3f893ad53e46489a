package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// hostile is one kind of client that means no good: what it writes to each connection, and how it goes on.
type hostile struct {
	name  string
	n     int // connections at the same time
	text  string
	drip  string // written again and again, if not ""
	half  bool   // closes its side
	every []int  // the statuses it may get; 0 is none: the connection is closed, or left open
}

// TestHostileClientsGetNothingAndHonestOnesAreServed lets thousands of connections that are idle, slow, half-closed,
// huge or a bomb stand before a server with 8 places for bodies. Meanwhile honest bodies are taken, and what was
// taken is in the log once; the memory stays within its budget.
func TestHostileClientsGetNothingAndHonestOnesAreServed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "kindred.yaml")
	if err := os.WriteFile(path, []byte(`
http: {read_header_timeout: 1s, body_timeout: 1s, idle_timeout: 2s}
ingest: {quota: {max_bytes: 8388608, max_bodies: 8, person: {per_second: 0}, users: {per_second: 0}}}
store: {cache_bytes: 33554432, queue_records: 8192, queue_bytes: 8388608}
recommend: {cache_bytes: 8388608}
schedule: {every_events: 0, cron: ""}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	s := start(t, dir, "--config", path)
	addr := strings.TrimPrefix(s.base, "http://")

	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	for range 64 { // 64 MiB of spaces in 64 kB
		z.Write(bytes.Repeat([]byte(" "), 1<<20))
	}
	z.Close()
	head := "POST /v1/batch HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	sized := func(n int, headers string) string {
		return fmt.Sprintf("%s%sContent-Length: %d\r\n\r\n", head, headers, n)
	}
	bomb := sized(zipped.Len(), "Content-Encoding: gzip\r\n") + zipped.String()
	all := []hostile{
		{"idle", 2000, "", "", false, []int{0}},
		{"slow headers", 300, head, "X-A: b\r\n", false, []int{0, 408, 431}},
		{"slow bodies", 300, sized(400_000, ""), " ", false, []int{408, 429, 0}},
		{"slow bodies with a beginning", 100, sized(400_000, "") + strings.Repeat(" ", 40_000), " ", false, []int{408, 429, 0}},
		{"slow chunks", 100, head + "Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", false, []int{408, 429, 0}},
		{"huge headers", 50, head + "X-A: " + strings.Repeat("a", 1<<20), "", false, []int{431, 0}},
		{"many headers", 50, head + strings.Repeat("X-A: aaaaaaaaaaaaaaaa\r\n", 10_000), "", false, []int{431, 0}},
		{"bombs", 50, bomb, "", false, []int{400, 429}},
		{"half-closed", 200, sized(400_000, "") + "{", "", true, []int{408, 429, 0}},
		{"half-closed bombs", 50, sized(1<<20, "Content-Encoding: gzip\r\n") + zipped.String(), "", true, []int{400, 408, 429, 0}},
		{"no HTTP", 50, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", "", false, []int{400, 0}},
	}
	// The whole crowd, and the budget of memory, which a program under the race detector does not keep, are for `make hostile`.
	whole := os.Getenv("HOSTILE") != ""
	stop := make(chan struct{})
	var crowd sync.WaitGroup
	var answered, wrong atomic.Int64
	for _, h := range all {
		n := h.n
		if !whole {
			n = max(3, n/20)
		}
		for range n {
			crowd.Go(func() {
				switch got := h.visit(addr, stop); {
				case !slices.Contains(h.every, got):
					if wrong.Add(1) <= 10 {
						t.Errorf("%s: got a %d, want one of %v", h.name, got, h.every)
					}
				case got != 0:
					answered.Add(1)
				}
			})
		}
	}
	// Meanwhile.
	var slowest time.Duration
	refused := 0
	honest := &http.Client{Timeout: time.Minute}
	const bodies = 200
	for i := 0; i < bodies; {
		o := s.post(honest, "shop", []byte(fmt.Sprintf(`{"batch":[{"type":"track","event":"Product Viewed","userId":"u%d","messageId":"honest-%d"}]}`, i%20, i)))
		switch {
		case o.status == http.StatusOK:
			slowest = max(slowest, o.took)
			i++
		case o.status == http.StatusTooManyRequests: // by bodies that are large for a moment
			if refused++; refused > 10*bodies {
				t.Fatalf("an honest client was refused %d times", refused)
			}
			time.Sleep(20 * time.Millisecond)
		default:
			t.Fatalf("body %d of an honest client got %+v", i, o)
		}
		time.Sleep(5 * time.Millisecond)
	}
	close(stop)
	crowd.Wait()
	peak := s.peakMemory()
	t.Logf("%d hostile connections were answered, %d otherwise than they should; the slowest of %d honest bodies took %v, %d were asked to come again; memory at most %d MiB",
		answered.Load(), wrong.Load(), bodies, slowest, refused, peak>>20)
	if answered.Load() == 0 {
		t.Error("no hostile client heard anything")
	}
	if whole && peak >= memoryBudget {
		t.Errorf("the server held %d MiB, want less than %d", peak>>20, memoryBudget>>20)
	}
	s.stop()
	times := map[string]int{}
	for line := range strings.Lines(kindred(t, exitDone, "export", "--data", dir, "--what", "events")) {
		if _, rest, ok := strings.Cut(line, `"honest-`); ok {
			id, _, _ := strings.Cut(rest, `"`)
			times[id]++
		}
	}
	for i := range bodies {
		if n := times[fmt.Sprint(i)]; n != 1 {
			t.Errorf("honest body %d is %d times in the log, want once", i, n)
		}
	}
}

// visit is one connection, until it is answered, closed or stop is. It returns the answer's status, 0 without one.
func (h hostile) visit(addr string, stop <-chan struct{}) int {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return 0
	}
	defer c.Close()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		if _, err := io.WriteString(c, h.text); err != nil {
			return
		}
		if h.half {
			c.(*net.TCPConn).CloseWrite()
		}
		for {
			select {
			case <-ended:
				return
			case <-stop: // whoever has no answer by now gets time for it
				c.SetReadDeadline(time.Now().Add(5 * time.Second))
				return
			case <-time.After(50 * time.Millisecond):
			}
			if h.drip != "" {
				if _, err := io.WriteString(c, h.drip); err != nil {
					return
				}
			}
		}
	}()
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return 0
	}
	defer r.Body.Close()
	io.Copy(io.Discard, r.Body)
	return r.StatusCode
}
