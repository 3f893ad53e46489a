package load

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// on is the address of a server that answers with h until the test ends.
func on(t testing.TB, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return strings.TrimPrefix(s.URL, "http://")
}

func TestTheClientReadsWhatServersSend(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	addr := on(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		switch r.URL.Path {
		case "/echo":
			w.Write(b)
		case "/chunks":
			for i := range 3 {
				fmt.Fprintf(w, "part %d;", i)
				w.(http.Flusher).Flush()
			}
			w.Header().Set(http.TrailerPrefix+"Later", "yes")
		case "/long":
			io.WriteString(w, long)
		case "/empty":
			w.WriteHeader(http.StatusNoContent)
		case "/busy":
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusTooManyRequests)
		case "/last":
			w.Header().Set("Connection", "close")
			io.WriteString(w, "bye")
		}
	})
	c := &client{addr: addr, timeout: 5 * time.Second}
	defer c.close()
	cases := []struct {
		request, body, retry string
		status               int
	}{
		{"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "hello", "", 200},
		{"GET /chunks HTTP/1.1\r\nHost: x\r\n\r\n", "part 0;part 1;part 2;", "", 200},
		{"GET /long HTTP/1.1\r\nHost: x\r\n\r\n", long, "", 200},
		{"GET /empty HTTP/1.1\r\nHost: x\r\n\r\n", "", "", 204},
		{"GET /busy HTTP/1.1\r\nHost: x\r\n\r\n", "", "7", 429},
		{"GET /last HTTP/1.1\r\nHost: x\r\n\r\n", "bye", "", 200},
	}
	for range 2 { // the same connection, and another after the last
		for _, c2 := range cases {
			r, err := c.do([]byte(c2.request), true)
			if err != nil || r.Status != c2.status || string(r.Body) != c2.body || r.RetryAfter != c2.retry {
				t.Errorf("%.20q: status %d, body %.40q, retry after %q, %v", c2.request, r.Status, r.Body, r.RetryAfter, err)
			}
			// Reading over a body leaves the connection where it belongs.
			if r, err := c.do([]byte(c2.request), false); err != nil || r.Status != c2.status {
				t.Errorf("%.20q without its body: status %d, %v", c2.request, r.Status, err)
			}
		}
	}
}

func TestTheClientSaysWhatIsNoAnswer(t *testing.T) {
	for _, answer := range []string{
		"", "SSH-2.0-x\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n",
	} {
		addr := on(t, func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			io.WriteString(conn, answer)
			conn.Close()
		})
		c := &client{addr: addr, timeout: 5 * time.Second}
		if r, err := c.do([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), true); err == nil {
			t.Errorf("%q was taken for an answer: %+v", answer, r)
		}
		if c.conn != nil {
			t.Errorf("%q: the connection is kept", answer)
		}
	}
}

func TestOnlyLoopbackIsLoaded(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:80": "127.0.0.1:80", "http://127.0.0.1:81/": "127.0.0.1:81", "[::1]:82": "[::1]:82", ":83": "127.0.0.1:83",
	} {
		if dial, _, err := resolve(t.Context(), addr, false); err != nil || dial != want {
			t.Errorf("%s: %q, %v; want %s", addr, dial, err, want)
		}
	}
	for addr, want := range map[string]string{
		"192.0.2.1:80": "another machine's", "[2001:db8::1]:80": "another machine's", "0.0.0.0:80": "another machine's",
		"https://127.0.0.1:80": "only http", "127.0.0.1": "HOST:PORT", "http://127.0.0.1:80/v1": "HOST:PORT", "u@127.0.0.1:80": "HOST:PORT",
	} {
		if dial, _, err := resolve(t.Context(), addr, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %q, %v; want an error with %q", addr, dial, err, want)
		}
	}
	if dial, _, err := resolve(t.Context(), "192.0.2.1:80", true); err != nil || dial != "192.0.2.1:80" {
		t.Errorf("allowed: %q, %v", dial, err)
	}
}

// What one request costs, in both clients: this one, and net/http's. The server's
// part is the same in both.
func BenchmarkClient(b *testing.B) {
	addr := on(b, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"status":"ok"}`) })
	b.Run("own", func(b *testing.B) {
		c := &client{addr: addr, timeout: 5 * time.Second}
		defer c.close()
		request := []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		began := ProcessCPU()
		for b.Loop() {
			if _, err := c.do(request, true); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric((ProcessCPU()-began)*1e6/float64(b.N), "cpu-µs/op")
	})
	b.Run("net-http", func(b *testing.B) {
		began := ProcessCPU()
		for b.Loop() {
			r, err := http.Get("http://" + addr + "/")
			if err != nil {
				b.Fatal(err)
			}
			io.Copy(io.Discard, r.Body)
			r.Body.Close()
		}
		b.ReportMetric((ProcessCPU()-began)*1e6/float64(b.N), "cpu-µs/op")
	})
}
