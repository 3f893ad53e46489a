package ingest_test

import (
	"errors"
	"testing"

	"kindred/data"
	"kindred/data/event"
	"kindred/serving/ingest"
)

func FuzzParseBody(f *testing.F) {
	for _, seed := range []string{
		`{"batch":[{"type":"track","event":"Product Viewed","userId":"u","properties":{"product_id":"p"}}],"sentAt":"2026-11-20T23:30:38.503Z","writeKey":"WK1"}`,
		`{"batch":[]}`, `{"batch":[null,1,"x",{}],"context":{"ip":"1.2.3.4"}}`, `{"batch":{}}`, `[]`, `{"event":"x","userId":"u"}`, "\xff", `{"batch":[{]}`,
		` {"batch":[{"type":"identify","traits":{"a":1e999}}]} `,
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, b []byte, single bool) {
		typ := data.EventType("")
		if single {
			typ = data.Track
		}
		body, err := ingest.ParseBody(b, typ, 500_000, 100)
		if err != nil {
			var refused *ingest.BodyError
			if !errors.As(err, &refused) || refused.Reason == "" {
				t.Fatalf("refused with %v, want a BodyError", err)
			}
			return
		}
		if len(body.Calls) > 100 || single && len(body.Calls) != 1 {
			t.Fatalf("%d calls", len(body.Calls))
		}
		for _, raw := range body.Calls {
			event.ParseCall(raw, body.Type) // must not panic
		}
	})
}

func TestParseBodyTakesWhatTrackersSend(t *testing.T) {
	body, err := ingest.ParseBody([]byte(` {"batch":[{"a":1},{"b":2}],"sentAt":"2026-11-20T23:30:38.503Z","writeKey":"WK1","context":{"x":1}} `), "", 1000, 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(body.Calls) != 2 || string(body.Calls[1]) != `{"b":2}` || body.WriteKey != "WK1" || body.SentAt.IsZero() || string(body.Context) != `{"x":1}` {
		t.Errorf("body = %+v", body)
	}
	single, err := ingest.ParseBody([]byte(`{"event":"x","writeKey":7}`), data.Track, 1000, 10)
	if err != nil || len(single.Calls) != 1 || single.Type != data.Track || single.WriteKey != "" {
		t.Errorf("single = %+v, %v", single, err)
	}
}
