package ingest_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"kindred/data"
	"kindred/serving/ingest"
	"kindred/serving/ingest/clean"
	"kindred/serving/ingest/stage"
)

// BenchmarkAccept is a batch of 100 product views of 532 bytes, of a hundred
// people, taken apart, parsed, enriched, routed and sealed for a log that keeps
// nothing; one op is one batch. The second is the same with the clean-up that a
// server does by default.
func BenchmarkAccept(b *testing.B) { benchmarkAccept(b) }

func BenchmarkAcceptCleaned(b *testing.B) {
	c, err := clean.New(clean.Default())
	if err != nil {
		b.Fatal(err)
	}
	benchmarkAccept(b, c)
}

func benchmarkAccept(b *testing.B, stages ...stage.Stage) {
	var calls []string
	x := index{}
	for i := range 100 {
		calls = append(calls, fmt.Sprintf(`{"type":"track","event":"Product Viewed","messageId":"ajs-next-1763600438503-7f3c2a9d-5b1e-4c8a-9f60-2d1e8b7a4c%02d",`+
			`"userId":"user-%06d","anonymousId":"5f0c8a1e-3b7d-4e92-a6c4-91d2e8f7b0%02d","timestamp":"2026-11-20T11:59:58.503Z",`+
			`"properties":{"product_id":"lamp","price":59.9,"currency":"EUR","category":"shoes"},`+
			`"context":{"page":{"path":"/p/48213","url":"https://shop.example/p/48213"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64; rv:14)",`+
			`"locale":"en-GB","library":{"name":"analytics.js","version":"2.1.0"},"timezone":"US"}}`, i, i, i))
		x[fmt.Sprintf("anon/5f0c8a1e-3b7d-4e92-a6c4-91d2e8f7b0%02d", i)] = data.NewProfileID(data.IDUser, fmt.Sprintf("user-%06d", i))
		x[fmt.Sprintf("user/user-%06d", i)] = data.NewProfileID(data.IDUser, fmt.Sprintf("user-%06d", i))
	}
	raw := []byte(`{"batch":[` + strings.Join(calls, ",") + `],"sentAt":"2026-11-20T11:59:59.000Z"}`)
	s, _ := bytesService(&bytesLog{off: true}, x, stages...)
	from := ingest.Caller{Source: "shop", Client: true, IP: netip.MustParseAddr("203.0.113.7"), UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:14)"}
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		body, err := ingest.ParseBody(raw, "", 1<<20, 100)
		if err == nil {
			_, err = s.Accept(b.Context(), body, from)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(100*b.N), "ns/event")
}
