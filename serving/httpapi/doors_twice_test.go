package httpapi_test

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"testing"
	"time"
)

// Whoever delivers may do so again, since an answer can be lost on its way: the second time counts
// for nothing, and what is new counts.
func TestWhatIsDeliveredTwiceCountsOnce(t *testing.T) {
	base64 := base64.StdEncoding.EncodeToString
	view := func(item string) string { // no messageId: the door has to name it
		return `{"type":"track","event":"Product Viewed","userId":"ann","properties":{"product_id":"` + item + `"}}`
	}
	for _, door := range []struct {
		name string
		// send is a delivery about the item, the n-th of its sender.
		send    func(o *opened, item string, n int) (method, path, body string, headers []string)
		traits  bool // it tells of traits, not of views
		repeats int
	}{
		{"a webhook", func(_ *opened, item string, _ int) (string, string, string, []string) {
			return "POST", "/v1/webhooks/keyed", view(item), []string{"X-API-Key", "ingest-secret"}
		}, false, 3},
		{"Pub/Sub", func(o *opened, item string, n int) (string, string, string, []string) {
			token := o.token(o.t, "k1", "https://track.example.com", o.clock.Now().Add(time.Hour))
			return "POST", "/v1/pubsub/bus", fmt.Sprintf(`{"message":{"data":%q,"messageId":"m%d"},"subscription":"s"}`, base64([]byte(view(item))), n), []string{"Authorization", token}
		}, false, 3},
		{"Firehose", func(_ *opened, item string, n int) (string, string, string, []string) {
			body := fmt.Sprintf(`{"requestId":"r%d","timestamp":1795217500000,"records":[{"data":%q},{"data":%q}]}`, n, base64([]byte(view(item))), base64([]byte(view(item+"-2"))))
			return "POST", "/v1/firehose", body, []string{"X-Amz-Firehose-Request-Id", fmt.Sprint("r", n), "X-Amz-Firehose-Access-Key", "ingest-secret"}
		}, false, 3},
		{"Debezium", func(o *opened, item string, n int) (string, string, string, []string) {
			body := fmt.Sprintf(`{"payload":{"after":{"id":"ann","plan":%q},"op":"u","ts_ms":%d,"source":{"name":"shop","db":"shop","schema":"public","table":"customers","lsn":%d}}}`, item, o.clock.Now().UnixMilli(), n)
			return "POST", "/v1/debezium/shopdb", body, []string{"X-API-Key", "admin-secret"}
		}, true, 3},
		{"a feed", func(_ *opened, item string, _ int) (string, string, string, []string) {
			return "POST", "/v1/feeds/people", "<people><person><id>ann</id><plan>" + item + "</plan></person></people>", []string{"X-API-Key", "ingest-secret"}
		}, true, 3},
		{"a pixel", func(_ *opened, item string, _ int) (string, string, string, []string) {
			return "GET", "/pixel/v1/track?" + url.Values{"writeKey": {"ingest-secret"}, "event": {"Product Viewed"}, "userId": {"ann"}, "product_id": {item}}.Encode(), "", nil
		}, false, 3},
		{"Avro", func(_ *opened, item string, n int) (string, string, string, []string) {
			return "POST", "/v1/batch", string(avroCall(t, "ann", fmt.Sprint("a", n), item)), []string{"Content-Type", "application/avro", "X-API-Key", "ingest-secret"}
		}, false, 3},
	} {
		t.Run(door.name, func(t *testing.T) {
			o := openDoors(t, true)
			deliver := func(item string, n int) person {
				t.Helper()
				method, path, body, headers := door.send(o, item, n)
				if got, answer := o.send(method, path, body, headers...); got != 200 {
					t.Fatalf("%s %s: %d %s", method, path, got, answer)
				}
				return o.person("ann")
			}
			first := deliver("lamp", 1)
			for range door.repeats {
				o.clock.Advance(time.Minute)
				if again := deliver("lamp", 1); again.Session != first.Session || again.Counts["views_7d"] != first.Counts["views_7d"] {
					t.Fatalf("after a second delivery: %+v, want %+v", again, first)
				}
			}
			other := deliver("desk", 2)
			if other.Session.Events != 2*first.Session.Events {
				t.Errorf("after another delivery: %+v; want twice the events of %+v", other, first)
			}
			if views := other.Counts["views_7d"]; door.traits && other.Traits["plan"] != "desk" || !door.traits && views != 2*first.Counts["views_7d"] || !door.traits && views == 0 {
				t.Errorf("the profile is %+v", other)
			}
		})
	}
}
