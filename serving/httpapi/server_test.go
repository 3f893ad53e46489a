package httpapi_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"go.uber.org/goleak"

	"kindred/serving/httpapi"
)

func TestAStopLetsRequestsInFlightFinish(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	started, finish := make(chan struct{}), make(chan struct{})
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(started)
		<-finish
		io.WriteString(w, "done")
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := httpapi.NewServer(httpapi.Default(), handler, slog.New(slog.DiscardHandler))
	if server.ReadHeaderTimeout == 0 || server.IdleTimeout == 0 {
		t.Error("the server has no timeouts")
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- httpapi.Serve(ctx, server, l, 10*time.Second) }()
	answer := make(chan string, 1)
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	go func() {
		r, err := client.Get("http://" + l.Addr().String())
		if err != nil {
			answer <- err.Error()
			return
		}
		defer r.Body.Close()
		b, _ := io.ReadAll(r.Body)
		answer <- string(b)
	}()
	<-started
	stop()
	close(finish)
	if got := <-answer; got != "done" {
		t.Errorf("the request in flight got %q, want done", got)
	}
	if err := <-served; err != nil {
		t.Errorf("Serve = %v, want nil", err)
	}
}

func TestAStopDoesNotWaitForever(t *testing.T) {
	started, finish := make(chan struct{}), make(chan struct{})
	defer close(finish)
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { close(started); <-finish })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	server := httpapi.NewServer(httpapi.Default(), handler, slog.New(slog.DiscardHandler))
	go func() { served <- httpapi.Serve(ctx, server, l, time.Millisecond) }()
	go http.Get("http://" + l.Addr().String())
	<-started
	stop()
	if err := <-served; err == nil {
		t.Error("Serve = nil, want to hear that a request was cut off")
	}
}
