package event

import (
	"encoding/json"
	"testing"
	"time"

	"kindred/data"
)

// segmentCall is a track call of 532 bytes as a shop's page sends it.
const segmentCall = `{"type":"track","event":"Product Viewed","messageId":"ajs-next-1763600438503-7f3c2a9d-5b1e-4c8a-9f60-2d1e8b7a4c35",` +
	`"userId":"user-184467","anonymousId":"5f0c8a1e-3b7d-4e92-a6c4-91d2e8f7b03a","timestamp":"2026-11-20T11:59:58.503Z",` +
	`"properties":{"product_id":"sku-48213","price":59.9,"currency":"EUR","category":"shoes"},` +
	`"context":{"page":{"path":"/p/48213","url":"https://shop.example/p/48213"},"userAgent":"Mozilla/5.0 (X11; Linux x86_64; rv:1)",` +
	`"locale":"en-GB","library":{"name":"analytics.js","version":"2.1.0"},"timezone":"US"}}`

// jsonEvent is what encoding/json needs to read the fields of a canonical event.
type jsonEvent struct {
	V       int             `json:"v"`
	ID      string          `json:"id"`
	Source  string          `json:"source"`
	Space   string          `json:"tenant"`
	Env     string          `json:"env"`
	Type    string          `json:"type"`
	Name    string          `json:"name"`
	IDs     data.IDs        `json:"ids"`
	Profile string          `json:"profile"`
	Times   data.Times      `json:"t"`
	Props   json.RawMessage `json:"props"`
	Items   []data.EventItem
	Value   float64         `json:"value"`
	Ctx     json.RawMessage `json:"ctx"`
}

func benchmarkRecord(b testing.TB) []byte {
	c, err := ParseCall([]byte(segmentCall), "")
	if err != nil {
		b.Fatal(err)
	}
	in := intake()
	in.Env, in.SentAt = "prod", noon
	e, err := c.Canonical(in)
	if err != nil {
		b.Fatal(err)
	}
	e.Profile = data.NewProfileID(data.IDUser, string(e.IDs.User))
	return Seal(e)
}

func BenchmarkOpen(b *testing.B) {
	record := benchmarkRecord(b)
	run := func(name string, one func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(record)))
			b.ReportAllocs()
			for b.Loop() {
				if err := one(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	var d Decoder
	var e data.Event
	run("decoder", func() error { err := d.Open(record, &e); d.Reset(); return err })
	run("general", func() error { _, err := Open(record); return err })
	run("encoding-json", func() error { var e jsonEvent; return json.Unmarshal(record[2:], &e) })
}

// jsonCall is what encoding/json needs to read the same fields of a call.
type jsonCall struct {
	Type        string          `json:"type"`
	Event       string          `json:"event"`
	MessageID   string          `json:"messageId"`
	UserID      string          `json:"userId"`
	AnonymousID string          `json:"anonymousId"`
	Timestamp   time.Time       `json:"timestamp"`
	Context     json.RawMessage `json:"context"`
	Properties  struct {
		ProductID string  `json:"product_id"`
		Price     float64 `json:"price"`
		Category  string  `json:"category"`
	} `json:"properties"`
}

func BenchmarkCall(b *testing.B) {
	raw, in := []byte(segmentCall), intake()
	in.Env, in.SentAt = "prod", noon
	run := func(name string, one func() error) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			for b.Loop() {
				if err := one(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	var p Parser
	var e data.Event
	out := make([]byte, 0, 4096)
	run("parser", func() error { err := p.Event(raw, "", &in, &e); p.Reset(); return err })
	run("parser+seal", func() error { err := p.Event(raw, "", &in, &e); out = p.Seal(out[:0], &e); p.Reset(); return err })
	run("general", func() error {
		c, err := ParseCall(raw, "")
		if err == nil {
			e, err = c.Canonical(in)
		}
		return err
	})
	run("general+seal", func() error {
		c, err := ParseCall(raw, "")
		if err == nil {
			e, err = c.Canonical(in)
			Seal(e)
		}
		return err
	})
	run("encoding-json", func() error { var c jsonCall; return json.Unmarshal(raw, &c) })
}

func BenchmarkInstant(b *testing.B) {
	text := []byte("2026-11-20T11:59:58.503Z")
	b.Run("own", func(b *testing.B) {
		for b.Loop() {
			instantMS(text)
		}
	})
	b.Run("time", func(b *testing.B) {
		for b.Loop() {
			_, _ = time.Parse(time.RFC3339, string(text))
		}
	})
}
