package httpapi_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestASignedWebhookChangesAProfileAndAnUnsignedOneIsCounted(t *testing.T) {
	o := openDoors(t, true)
	const body = `{"id": 1234567, "plan": "gold", "orders": ["o1","o2"]}`
	for _, sig := range []string{"", hexMAC("wrong", body), hexMAC("hush", body+" ")} {
		if answer := o.want(401, "/v1/webhooks/crm", body, "X-Topic", "customer", "X-Signature", sig); !strings.Contains(answer, "ignature") {
			t.Errorf("the refusal does not say why: %s", answer)
		}
	}
	if got := o.do("GET", "/v1/profiles/1234567", "", "X-API-Key", "reader-secret").Code; got != 404 {
		t.Fatalf("an unsigned webhook made a profile: %d", got)
	}
	for range 2 { // the second is a duplicate
		o.want(200, "/v1/webhooks/crm", body, "X-Topic", "customer", "X-Signature", hexMAC("hush", body))
	}
	if p := o.person("1234567"); p.Traits["plan"] != "gold" {
		t.Errorf("the profile is %+v", p)
	}
	r := o.do("GET", "/v1/debug/sources", "", "X-API-Key", "admin-secret").want(200)
	var list struct {
		Sources []struct {
			Source string
			Doors  []struct {
				Door                               string
				Accepted, Unauthorized, Unreadable uint64
			}
		}
	}
	r.into(&list)
	found := false
	for _, s := range list.Sources {
		if s.Source == "crm" && len(s.Doors) == 1 && s.Doors[0].Accepted == 2 && s.Doors[0].Unauthorized == 3 {
			found = true
		}
	}
	if !found || len(list.Sources) < 6 {
		t.Errorf("sources: %s; want every door, crm with 2 accepted and 3 unauthorized", r.Body)
	}
	if m := o.do("GET", "/metrics", "", "X-API-Key", "reader-secret").Body.String(); !strings.Contains(m, `kindred_door_requests_total{door="webhook",outcome="unauthorized",source="crm"} 3`) {
		t.Error("the metrics do not count the wrong signatures")
	}
	if got, _ := o.post("/v1/webhooks/nobody", body); got != 404 {
		t.Errorf("a webhook that is not set up: %d, want 404", got)
	}
}

func TestAStripeSignatureIsNotGoodForEver(t *testing.T) {
	o := openDoors(t, false)
	const body = `{"type":"track","userId":"ann","event":"Paid","messageId":"p1"}`
	sign := func(at time.Time) string {
		return fmt.Sprintf("t=%d,v1=%s", at.Unix(), hexMAC("pay-secret", fmt.Sprintf("%d.%s", at.Unix(), body)))
	}
	o.want(401, "/v1/webhooks/pays", body, "Stripe-Signature", sign(o.clock.Now().Add(-time.Hour)))
	o.want(200, "/v1/webhooks/pays", body, "Stripe-Signature", sign(o.clock.Now()))
	o.person("ann")
}

func TestWithoutASignatureAWebhookNeedsAWriteKey(t *testing.T) {
	o := openDoors(t, true)
	const body = `{"type":"track","userId":"ann","event":"Seen"}`
	o.want(401, "/v1/webhooks/keyed", body)
	o.want(403, "/v1/webhooks/keyed?writeKey=reader-secret", body)
	o.want(200, "/v1/webhook/keyed?writeKey=ingest-secret", body)
	o.person("ann")
}

func TestWhatAWebhooksRulesCannotMapIsADeadLetterWithItsBytes(t *testing.T) {
	o := openDoors(t, false)
	for _, body := range []string{`{"plan":"gold"}`, `no JSON`, "\xff\x00"} {
		o.want(200, "/v1/webhooks/crm", body, "X-Topic", "customer", "X-Signature", hexMAC("hush", body))
	}
	letters, err := o.store.DeadLetters(t.Context(), 0, 10)
	if err != nil || len(letters) != 3 || letters[0].Source != "crm" || string(letters[2].Raw) != "\xff\x00" || !strings.Contains(letters[0].Reason, "rules[0].calls") {
		t.Errorf("%v, %+v; want three letters of crm with their bytes, the first of rules[0].calls", err, letters)
	}
}

func TestPubSubPushesNeedTheIssuersToken(t *testing.T) {
	o := openDoors(t, true)
	push := `{"message":{"data":"` + base64.StdEncoding.EncodeToString([]byte(`{"type":"identify","userId":"ann","traits":{"plan":"gold"}}`)) + `","messageId":"m1"},"subscription":"s"}`
	in := o.clock.Now().Add(time.Hour)
	o.issuer.away = errors.New("connection refused")
	o.want(429, "/v1/pubsub/bus", push, "Authorization", o.token(t, "k1", "https://track.example.com", in))
	o.issuer.away = nil
	o.clock.Advance(2 * time.Minute)
	o.want(401, "/v1/pubsub/bus", push)
	o.want(401, "/v1/pubsub/bus", push, "Authorization", o.token(t, "k1", "https://elsewhere.example", in))
	o.want(401, "/v1/pubsub/bus", push, "Authorization", o.token(t, "k1", "https://track.example.com", o.clock.Now().Add(-time.Hour)))
	for range 5 {
		o.want(401, "/v1/pubsub/bus", push, "Authorization", o.token(t, "k9", "https://track.example.com", in))
	}
	if o.gets > 3 {
		t.Errorf("tokens of unknown keys made us ask %d times", o.gets)
	}
	for range 2 {
		o.want(200, "/v1/pubsub/bus", push, "Authorization", o.token(t, "k1", "https://track.example.com", in))
	}
	if p := o.person("ann"); p.Traits["plan"] != "gold" {
		t.Errorf("the profile is %+v", p)
	}
}

func TestADebeziumStreamUpdatesTraitsAndItems(t *testing.T) {
	o := openDoors(t, true)
	change := func(table, op, after string, lsn int) string {
		side := "after"
		if op == "d" {
			side = "before"
		}
		return fmt.Sprintf(`{"payload":{%q:%s,"op":%q,"ts_ms":%d,"source":{"name":"shop","db":"shop","schema":"public","table":%q,"lsn":%d}}}`, side, after, op, o.clock.Now().UnixMilli()+int64(lsn)-1000, table, lsn)
	}
	o.want(403, "/v1/debezium/shopdb", change("customers", "c", `{"id":"ann"}`, 1), "X-API-Key", "ingest-secret") // it may change the catalog
	o.want(200, "/v1/debezium/shopdb", change("customers", "c", `{"id":"ann","plan":"free"}`, 1)+"\n"+change("customers", "u", `{"id":"ann","plan":"gold","secret":"x"}`, 2), "X-API-Key", "admin-secret")
	o.want(200, "/v1/debezium/shopdb", "["+change("products", "c", `{"sku":"lamp","name":"Lamp","price":"9.5"}`, 3)+","+change("products", "c", `{"sku":"desk","name":"Desk"}`, 4)+","+
		change("products", "d", `{"sku":"desk"}`, 5)+","+change("products", "c", `{"sku":"`+strings.Repeat("x", 300)+`"}`, 6)+"]", "X-API-Key", "admin-secret")
	if p := o.person("ann"); p.Traits["plan"] != "gold" || p.Traits["secret"] != nil {
		t.Errorf("the profile is %+v", p)
	}
	var it struct {
		Title string
		Price float64
	}
	o.do("GET", "/v1/items/lamp", "", "X-API-Key", "reader-secret").want(200).into(&it)
	if it.Title != "Lamp" || it.Price != 9.5 {
		t.Errorf("the item is %+v", it)
	}
	o.do("GET", "/v1/items/desk", "", "X-API-Key", "reader-secret").want(404)
	if letters, _ := o.store.DeadLetters(t.Context(), 0, 10); len(letters) != 1 || len(letters[0].Raw) == 0 {
		t.Errorf("the item with a long id: %+v", letters)
	}
}

func TestXMLFeedsFillTheCatalogAndTraits(t *testing.T) {
	o := openDoors(t, true)
	const items = `<rss><channel><item><id>lamp</id><title>Lamp</title><price>9.50 EUR</price></item><item><title>no id</title></item></channel></rss>`
	o.want(403, "/v1/feeds/google", items, "X-API-Key", "ingest-secret")
	o.want(200, "/v1/feeds/google", items, "X-API-Key", "admin-secret", "Content-Type", "application/xml")
	o.do("GET", "/v1/items/lamp", "", "X-API-Key", "reader-secret").want(200)
	if letters, _ := o.store.DeadLetters(t.Context(), 0, 10); len(letters) != 1 || !strings.Contains(letters[0].Reason, "id") {
		t.Errorf("%+v", letters)
	}
	if answer := o.want(400, "/v1/feeds/google", "<rss>\n<channel><item><id>desk</id></item></chan", "X-API-Key", "admin-secret"); !strings.Contains(answer, "line 2") {
		t.Errorf("a broken feed: %s, want the line", answer)
	}
	o.do("GET", "/v1/items/desk", "", "X-API-Key", "reader-secret").want(404)
	o.want(200, "/v1/feeds/people", `<people><person><id>ann</id><plan>gold</plan></person></people>`, "X-API-Key", "ingest-secret")
	if p := o.person("ann"); p.Traits["plan"] != "gold" {
		t.Errorf("the profile is %+v", p)
	}
}

func TestBatchesComeAsProtobufAndAvro(t *testing.T) {
	o := openDoors(t, true)
	o.want(401, "/v1/batch", string(protoBatch("eve")), "Content-Type", "application/x-protobuf")
	o.want(200, "/v1/batch", string(protoBatch("ann")), "Content-Type", "application/x-protobuf", "X-API-Key", "ingest-secret")
	o.want(400, "/v1/batch", "\xff\xff", "Content-Type", "application/x-protobuf", "X-API-Key", "ingest-secret")
	o.person("ann")
	bob := string(avroBatch(t, "bob"))
	o.issuer.away = errors.New("connection refused")
	o.want(429, "/v1/batch", bob, "Content-Type", "application/avro", "X-API-Key", "ingest-secret")
	o.issuer.away = nil
	o.want(200, "/v1/batch", bob, "Content-Type", "application/avro", "X-API-Key", "ingest-secret")
	o.person("bob")
	o.want(400, "/v1/batch", "\x00\x00\x00\x00\x08x", "Content-Type", "application/avro", "X-API-Key", "ingest-secret")
}

func TestPostHogsNewRouteAndBoundsOfNamedDoors(t *testing.T) {
	o := openDoors(t, true)
	o.want(200, "/i/v0/e/", `{"api_key":"ingest-secret","event":"viewed","distinct_id":"ann","properties":{}}`, "Origin", "https://shop.example")
	o.person("ann")
	if answer := o.want(400, "/v1/webhooks/keyed?writeKey=ingest-secret", strings.Repeat("x", 1_000_001)); !strings.Contains(answer, "too large") {
		t.Errorf("%s", answer)
	}
	if got, _ := o.post("/v1/webhooks/keyed", "{}", "Origin", "https://shop.example"); got != 403 {
		t.Errorf("a page of another origin at a webhook: %d, want 403", got)
	}
}

// Any bytes at any door get 2xx or 4xx with a reason.
func FuzzDoors(f *testing.F) {
	o := openDoors(f, false)
	call := `{"type":"track","userId":"ann","event":"Seen"}`
	for _, seed := range []string{call, batch(call), "", "[]", "{", "\xff", `{"id":1,"orders":[1,{}]}`, string(protoBatch("ann")), string(avroBatch(f, "ann")), "<rss><channel><item><id>a</id></item></channel></rss>",
		`{"message":{"data":"e30=","messageId":"1"}}`, `{"op":"c","after":{"id":1},"source":{"table":"customers","schema":"public"}}`, `{"op":"u","after":{"sku":"a","price":1e400},"source":{"table":"products","schema":"public"}}`, `{"requestId":"r1","records":[{"data":"e30="}]}`} {
		f.Add([]byte(seed))
	}
	token := o.token(f, "k1", "https://track.example.com", o.clock.Now().Add(time.Hour))
	f.Fuzz(func(t *testing.T, body []byte) {
		at := fmt.Sprint(o.clock.Now().Unix())
		for _, r := range [][]string{
			{"/v1/webhooks/crm", "X-Signature", hexMAC("hush", string(body)), "X-Topic", "customer"},
			{"/v1/webhooks/pays", "Stripe-Signature", "t=" + at + ",v1=" + hexMAC("pay-secret", at+"."+string(body))},
			{"/v1/webhooks/keyed", "Content-Type", "application/x-www-form-urlencoded"}, {"/v1/pubsub/bus", "Authorization", token},
			{"/v1/debezium/shopdb"}, {"/v1/feeds/google"}, {"/v1/feeds/people"}, {"/v1/firehose", "X-Amz-Firehose-Request-Id", "r1"},
			{"/v1/batch", "Content-Type", "application/x-protobuf"}, {"/v1/batch", "Content-Type", "application/avro"}, {"/i/v0/e/"}, {"/beacon/v1/batch"}, {"/v1/merge"}, {"/com.snowplowanalytics.snowplow/tp2"},
		} {
			q := httptest.NewRequest("POST", r[0], bytes.NewReader(body))
			q.Host = "127.0.0.1:8080"
			for i := 1; i+1 < len(r); i += 2 {
				q.Header.Set(r[i], r[i+1])
			}
			w := httptest.NewRecorder()
			o.handler.ServeHTTP(w, q)
			if c := w.Code; c != 200 && (c < 400 || c > 499 || !strings.Contains(strings.ToLower(w.Body.String()), `message":"`)) {
				t.Fatalf("%s %q: %d %s", r[0], body, c, w.Body)
			}
		}
	})
}
