package httpapi_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"kindred/data"
	"kindred/serving/httpapi"
	"kindred/serving/ingest"
	"kindred/serving/ingest/quota"
)

// listen serves the house as a program does and returns its address.
func (h *house) listen(cfg httpapi.Config) string {
	h.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() {
		served <- httpapi.Serve(ctx, httpapi.NewServer(cfg, h.handler, slog.New(slog.DiscardHandler)), l, time.Second)
	}()
	h.t.Cleanup(func() { stop(); <-served })
	return l.Addr().String()
}

// dial opens a connection and writes to it.
func dial(t *testing.T, addr, text string) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	return c.(*net.TCPConn)
}

// status is that of the answer on a connection.
func status(t *testing.T, c net.Conn) int {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(time.Minute))
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || !strings.Contains(string(body), `"message"`) && r.StatusCode != http.StatusOK {
		t.Errorf("answer %d %q, %v; want a reason in it", r.StatusCode, body, err)
	}
	return r.StatusCode
}

func post(length int, headers, body string) string {
	return fmt.Sprintf("POST /v1/t HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: %d\r\n%s\r\n%s", length, headers, body)
}

// What no retry can mend is a 400, on which trackers throw their calls away; what was cut off is a 408.
func TestABodyThatWasCutOffMayBeSentAgain(t *testing.T) {
	h := open(t, func(o *overrides) { o.http.BodyTimeout = 200 * time.Millisecond })
	addr := h.listen(httpapi.Default())
	good := call("Product Viewed", "ann", "", "a", "1")
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	z.Write([]byte(good))
	z.Close()
	whole, gz, chunked := zipped.String(), "Content-Encoding: gzip\r\n", "POST /v1/t HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
	long := strings.Repeat(" ", 30<<10)
	for name, tt := range map[string]struct {
		text   string
		half   bool // closed by the client for writing
		status int
	}{
		"whole":                      {post(len(good), "", good), false, 200},
		"whole, gzip":                {post(len(whole), gz, whole), false, 200},
		"long and whole":             {post(len(good)+len(long), "", long+good), false, 200},
		"stops coming":               {post(100, "", good[:20]), false, 408},
		"stops after the first":      {post(100_000, "", long), false, 408},
		"half-closed":                {post(100, "", good[:20]), true, 408},
		"half-closed, long":          {post(100_000, "", long), true, 408},
		"gzip stops coming":          {post(len(whole), gz, whole[:30]), false, 408},
		"gzip, half-closed":          {post(len(whole), gz, whole[:30]), true, 408},
		"gzip's header stops":        {post(len(whole), gz, whole[:5]), false, 408},
		"chunks stop coming":         {chunked + "10\r\nabc", false, 408},
		"gzip that is cut by itself": {post(30, gz, whole[:30]), false, 400},
		"no chunk":                   {chunked + "zz\r\nabc\r\n", false, 400},
		"not JSON":                   {post(3, "", "abc"), false, 400},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, addr, tt.text)
			if tt.half {
				c.CloseWrite()
			}
			if got := status(t, c); got != tt.status {
				t.Errorf("status %d, want %d", got, tt.status)
			}
		})
	}
}

// A body that drips is as slow as one that stops; one that comes at a fair rate has more time.
func TestABodyHasToComeOn(t *testing.T) {
	h := open(t, func(o *overrides) { o.http.BodyTimeout = 300 * time.Millisecond })
	addr := h.listen(httpapi.Default())
	drip := func(bytes int) int {
		c := dial(t, addr, post(400_000, "", ""))
		go func() {
			for {
				if _, err := io.WriteString(c, strings.Repeat(" ", bytes)); err != nil {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
		}()
		return status(t, c)
	}
	begin := time.Now()
	if got := drip(1); got != http.StatusRequestTimeout || time.Since(begin) > 30*time.Second {
		t.Errorf("a byte at a time got a %d after %v, want a 408", got, time.Since(begin))
	}
	if got := drip(8 << 10); got != http.StatusBadRequest { // it has come, and is no JSON
		t.Errorf("a body that comes in half a second got a %d, want 400", got)
	}
}

func TestSlowBodiesKeepNoPlaceFromOthers(t *testing.T) {
	limits := quota.Default()
	limits.MaxBodies = 2
	h := open(t, func(o *overrides) { o.quota = quota.New(limits, time.Now) })
	addr := h.listen(httpapi.Default())
	for i := range 20 {
		headers := ""
		if i%2 == 0 {
			headers = "Content-Encoding: gzip\r\n"
		}
		dial(t, addr, post(100, headers, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"))
	}
	time.Sleep(50 * time.Millisecond) // they are read
	for i := range 5 {
		good := call("Product Viewed", "ann", "", "a", fmt.Sprint(i))
		if got := status(t, dial(t, addr, post(len(good), "", good))); got != http.StatusOK {
			t.Errorf("beside slow bodies an honest one got a %d", got)
		}
	}
}

// brokenLog fails as a disk does.
type brokenLog struct {
	ingest.Log
	broken bool
}

func (l *brokenLog) Append(ctx context.Context, r []data.Record) error {
	if l.broken {
		return errors.New("write log: input/output error")
	}
	return l.Log.Append(ctx, r)
}

func TestWhatADiskRefusesIsSentAgain(t *testing.T) {
	var disk *brokenLog
	h := open(t, func(o *overrides) {
		o.log = func(l ingest.Log) ingest.Log { disk = &brokenLog{l, true}; return disk }
	})
	body := batch(call("Product Viewed", "ann", "", "a", "1"))
	for _, target := range []string{"/v1/batch", "/v1/b"} {
		r := h.do("POST", target, body, "Origin", "https://shop.example").want(http.StatusTooManyRequests)
		if r.Header().Get("Retry-After") == "" || r.Header().Get("X-RateLimit-Reset") == "" || r.Header().Get("Access-Control-Allow-Origin") == "" {
			t.Errorf("%s: headers %v, want when to come again, for pages too", target, r.Header())
		}
		if strings.Contains(r.Body.String(), "input/output") {
			t.Errorf("%s tells of the disk: %s", target, r.Body)
		}
	}
	disk.broken = false
	h.do("POST", "/v1/batch", body).want(http.StatusOK)
	if got := h.ingest.Counts(); got.Accepted != 1 {
		t.Errorf("counts %+v, want the call once", got)
	}
}
