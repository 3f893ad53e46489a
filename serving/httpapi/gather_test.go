package httpapi_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"kindred/serving/httpapi"
)

// TestAListArrivesWhole: on connections that send a long answer in one piece every
// protocol gets what a handler without any connection writes, one answer after another.
func TestAListArrivesWhole(t *testing.T) {
	h := open(t, nil).stock().publish("m-1", 1)
	var bulk strings.Builder
	for i := range 60 {
		fmt.Fprintf(&bulk, `{"id":"extra-%02d","title":"%s"}`+"\n", i, strings.Repeat("long title ", 20))
	}
	h.do("POST", "/v1/items/bulk", bulk.String(), "Content-Type", "application/x-ndjson").want(200)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- httpapi.Serve(ctx, httpapi.NewServer(httpapi.Default(), h.handler, slog.New(slog.DiscardHandler)), l, 10*time.Second)
	}()
	defer func() {
		stop()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}()

	varying := regexp.MustCompile(`"(request_id|generated_at)":"[^"]*"`)
	same := func(b []byte) string { return varying.ReplaceAllString(string(b), "") }
	want := map[int]string{}
	for _, n := range []int{1, 20, 60} {
		b := h.do("GET", fmt.Sprint("/v1/recommendations/ann?n=", n), "").want(200).Body.Bytes()
		want[n] = same(b)
		if long := len(b) > 4<<10; long != (n > 1) {
			t.Fatalf("n=%d is %d bytes; the test wants short and long answers", n, len(b))
		}
	}
	check := func(t *testing.T, n int, r *http.Response) {
		t.Helper()
		b, err := io.ReadAll(r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != 200 || same(b) != want[n] || r.ContentLength != int64(len(b)) {
			t.Fatalf("n=%d: %v, status %d, %d bytes, Content-Length %d; want the answer of the handler", n, err, r.StatusCode, len(b), r.ContentLength)
		}
	}
	order := []int{60, 1, 20, 20, 60, 1}
	for _, proto := range []string{"HTTP/1.1", "HTTP/1.0"} {
		t.Run(proto, func(t *testing.T) {
			c, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			c.SetDeadline(time.Now().Add(30 * time.Second))
			for _, n := range order { // all at once
				fmt.Fprintf(c, "GET /v1/recommendations/ann?n=%d %s\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n", n, proto)
			}
			from := bufio.NewReader(c)
			for _, n := range order {
				r, err := http.ReadResponse(from, nil)
				if err != nil {
					t.Fatal(err)
				}
				check(t, n, r)
			}
		})
	}
	t.Run("HTTP/2", func(t *testing.T) {
		protocols := new(http.Protocols)
		protocols.SetUnencryptedHTTP2(true)
		client := &http.Client{Transport: &http.Transport{Protocols: protocols}}
		defer client.CloseIdleConnections()
		answers := make(chan *http.Response, len(order))
		for _, n := range order { // beside each other on one connection
			go func() {
				r, err := client.Get(fmt.Sprintf("http://%s/v1/recommendations/ann?n=%d", l.Addr(), n))
				if err != nil {
					t.Error(err)
				}
				answers <- r
			}()
		}
		for range order {
			r := <-answers
			if r == nil {
				continue
			}
			if r.ProtoMajor != 2 {
				t.Errorf("spoke %s", r.Proto)
			}
			var n int
			fmt.Sscan(r.Request.URL.Query().Get("n"), &n)
			check(t, n, r)
		}
	})
}
