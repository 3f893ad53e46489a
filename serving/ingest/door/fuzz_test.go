package door

import (
	"bytes"
	"encoding/json"
	"net/url"
	"testing"
	"time"
	"unicode/utf8"

	"kindred/data"
	"kindred/data/event"
)

var fuzzLimits = Limits{Bytes: 1 << 16, Calls: 50}

// sound is what every door promises of what it gives: within the limits, each call a JSON object in
// UTF-8, each reject with a reason, the same for the same, and no panic in the readers behind.
func sound(t *testing.T, make func() (Batch, error)) {
	t.Helper()
	b, err := make()
	if err != nil {
		if err.Error() == "" {
			t.Error("an error without a reason")
		}
		return
	}
	if n := len(b.Calls) + len(b.Rejected); n > fuzzLimits.Calls {
		t.Errorf("%d records; the limit is %d", n, fuzzLimits.Calls)
	}
	size := 0
	for _, raw := range b.Calls {
		var v any
		if err := json.Unmarshal(raw, &v); err != nil || !utf8.Valid(raw) {
			t.Errorf("no JSON: %v: %q", err, raw)
		}
		size += len(raw)
		if call, err := event.ParseCall(raw, ""); err == nil {
			_, _ = call.Canonical(event.Intake{Received: noon, SentAt: b.SentAt, BatchContext: b.Context, NewID: func() string { return "x" }})
		}
	}
	if size > 4*fuzzLimits.Bytes+1<<20 {
		t.Errorf("%d bytes of calls", size)
	}
	for _, r := range b.Rejected {
		if r.Reason == "" {
			t.Error("a reject without a reason")
		}
	}
	again, err := make()
	if err != nil || len(again.Calls) != len(b.Calls) {
		t.Fatal("the second time is different")
	}
	for i := range b.Calls {
		if !bytes.Equal(b.Calls[i], again.Calls[i]) {
			t.Fatalf("the second time is different: %s and %s", b.Calls[i], again.Calls[i])
		}
	}
}

func FuzzTrackers(f *testing.F) {
	for _, name := range []string{"rudder/node-batch.json", "posthog/node-batch.json", "snowplow/node-tp2.json"} {
		f.Add(fixture(f, name))
	}
	f.Add([]byte(`{"type":"merge","mergeProperties":[{"type":"user_id","value":"a"},{"type":"email","value":"b"}]}`))
	f.Add([]byte(`data=eyJhIjoxfQ`))
	f.Fuzz(func(t *testing.T, body []byte) {
		sound(t, func() (Batch, error) { return Rudder(body, "k", fuzzLimits) })
		sound(t, func() (Batch, error) { return RudderMerge(body, fuzzLimits) })
		sound(t, func() (Batch, error) { return PostHog(body, url.Values{"_": {"1"}}, fuzzLimits) })
		sound(t, func() (Batch, error) { return Snowplow(body, true, fuzzLimits) })
		Document("application/x-www-form-urlencoded", body)
	})
}

func FuzzQueries(f *testing.F) {
	for _, line := range bytes.Split(fixture(f, "snowplow/node-gets.txt"), []byte("\n")) {
		f.Add(string(line))
	}
	f.Add("event=e&userId=u&properties.a.b=1&context={}&data=e30")
	f.Fuzz(func(t *testing.T, text string) {
		q, _ := url.ParseQuery(text)
		sound(t, func() (Batch, error) { return SnowplowGet(q, false, fuzzLimits) })
		sound(t, func() (Batch, error) { return Pixel(data.Track, q, fuzzLimits) })
	})
}

func FuzzStreams(f *testing.F) {
	f.Add([]byte(`{"requestId":"r","timestamp":1,"records":[{"data":"e30="}]}`), "Bearer x")
	f.Add([]byte(`{"message":{"data":"e30=","messageId":"m"},"subscription":"s"}`), "t=1,v1=00")
	f.Add([]byte(`{"schema":{"fields":[{"field":"after","fields":[{"field":"d","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}}]}]},"payload":{"op":"c","after":{"id":1,"d":"AQ=="},"source":{"table":"a","lsn":1}}}`), "sha256=00")
	f.Add([]byte(`{"op":"u","after":{"id":1,"price":"1.5","tags":"[\"a\"]","published":"2026-01-01"},"source":{"table":"b","lsn":1}}`), "")
	tables := []Table{{Name: "a", Rows: RowsUsers, Key: "id"}, {Name: "b", Rows: RowsItems, Key: "id"}}
	f.Fuzz(func(t *testing.T, body []byte, header string) {
		h := func(string) string { return header }
		sound(t, func() (Batch, error) {
			r, err := Firehose(body, "", header, fuzzLimits)
			return r.Batch, err
		})
		sound(t, func() (Batch, error) {
			m, err := PubSub(body, noHeader, fuzzLimits)
			return m.Batch, err
		})
		sound(t, func() (Batch, error) {
			c, err := Debezium(body, tables, fuzzLimits)
			for _, change := range c.Items {
				if b, err := json.Marshal(change.Item); err != nil || change.Item.ID == "" {
					t.Errorf("item %s: %v", b, err)
				}
			}
			return c.Batch, err
		})
		sound(t, func() (Batch, error) {
			return Webhook{Source: "s", IDHeader: "X"}.Calls(body, "application/x-www-form-urlencoded", h, AsCall, fuzzLimits)
		})
		for _, s := range Forms() {
			s.Secrets = []string{"a secret that no input knows"}
			if s.Verify(h, body, noon) == nil {
				t.Error("a forged signature was accepted")
			}
		}
	})
}

// What is taken is what the library reads, too.
func FuzzProtobuf(f *testing.F) {
	f.Add(fixtureRaw(f, "protobuf/batch.bin"))
	f.Fuzz(func(t *testing.T, body []byte) {
		sound(t, func() (Batch, error) { return Protobuf(body, fuzzLimits) })
		compareProto(t, body)
	})
}

func FuzzAvro(f *testing.F) {
	schema := fixture(f, "avro/call.avsc")
	f.Add(confluent(7, avroCall(f)))
	r := NewRegistry(nil)
	if err := r.Add(schema); err != nil {
		f.Fatal(err)
	}
	s := callSchema(f)
	r.byID[7] = s
	f.Fuzz(func(t *testing.T, body []byte) {
		sound(t, func() (Batch, error) { return Avro(t.Context(), body, r, time.Time{}, fuzzLimits) })
		_, _ = parseSchema(body)
	})
}

func FuzzXML(f *testing.F) {
	f.Add(fixture(f, "xml/google.xml"))
	f.Add([]byte(`<?xml version="1.0" encoding="latin1"?><a><b x="1">2</b></a>`))
	feeds := []Feed{DefaultFeed(), {Record: "a/b", MaxRecordBytes: 100}}
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, feed := range feeds {
			sound(t, func() (b Batch, err error) {
				err = XML(bytes.NewReader(doc), feed, fuzzLimits, func(o json.RawMessage) error {
					b.Calls = append(b.Calls, o)
					return nil
				})
				return b, err
			})
		}
	})
}
