package door

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"testing"
	"time"
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestFirehoseRecordsBecomeCalls(t *testing.T) {
	body := fmt.Sprintf(`{"requestId":"r1","timestamp":1795348800000,"records":[{"data":%q},{"data":%q},{"data":%q},{"data":%q},{"data":"?"},{"data":%q},7]}`,
		b64(`{"type":"track","event":"a","userId":"u"}`),
		b64("{\"type\":\"track\",\"event\":\"b\",\"userId\":\"u\",\"messageId\":\"own\"}\n{\"type\":\"track\",\"event\":\"c\",\"userId\":\"u\"}\n"),
		b64(`{"type":"track","event":"d","userId":"u"}{"type":"track","event":"d","userId":"u"}`),
		b64(`{"batch":[{"type":"track","event":"e","userId":"u","context":{"a":1}}],"sentAt":"2026-11-22T11:00:00Z","context":{"a":2,"b":3}}`),
		b64(`{"type":"track","event":"f","userId":"u"} broken`))
	f, err := Firehose([]byte(body), "r1", `{"commonAttributes":{"stream":"s"}}`, DefaultLimits())
	if err != nil || f.ID != "r1" || !f.At.Equal(noon) || string(f.Context) != `{"firehose":{"stream":"s"}}` {
		t.Fatalf("%+v, %v", f, err)
	}
	if len(f.Calls) != 7 || len(f.Rejected) != 3 {
		t.Fatalf("%d calls, %d rejected: %s", len(f.Calls), len(f.Rejected), f.Calls)
	}
	ids := map[string]bool{}
	for _, raw := range f.Calls {
		o, _ := parseObject(raw)
		ids[o.text("messageId")] = true
	}
	if len(ids) != 7 || !ids["own"] {
		t.Errorf("ids: %v; twins in one delivery are two calls", ids)
	}
	if o, _ := parseObject(f.Calls[5]); string(o.get("context")) != `{"a":1,"b":3}` || o.text("sentAt") == "" {
		t.Errorf("a batch inside a record: %s", f.Calls[5])
	}
	again, err := Firehose([]byte(body), "r1", "", DefaultLimits())
	if err != nil || fmt.Sprintf("%s", again.Calls) != fmt.Sprintf("%s", f.Calls) {
		t.Error("a retry of the same request gives other calls")
	}
	other, _ := Firehose([]byte(strings.Replace(body, "r1", "r2", 1)), "", "", DefaultLimits())
	if string(other.Calls[0]) == string(f.Calls[0]) {
		t.Error("another request gives the same id")
	}
	for _, body := range []string{``, `{}`, `{"requestId":"x","records":[]}`, `{"requestId":"r1"}`, `{"requestId":"r1","records":{}}`} {
		if _, err := Firehose([]byte(body), "r1", "", DefaultLimits()); err == nil && body != `{"requestId":"r1","records":[]}` {
			t.Errorf("%q was taken", body)
		}
	}
	same(t, string(FirehoseAnswer("r1", noon, "")), `{"requestId":"r1","timestamp":1795348800000}`)
	same(t, string(FirehoseAnswer("r1", noon, "no")), `{"requestId":"r1","timestamp":1795348800000,"errorMessage":"no"}`)
}

func TestPubSubMessagesBecomeCalls(t *testing.T) {
	const call = `{"type":"track","event":"a","userId":"u"}`
	wrapped := `{"message":{"data":"` + b64(call) + `","messageId":"m1","message_id":"m1","publishTime":"2026-11-22T11:00:00Z","attributes":{"origin":"crm"}},"subscription":"projects/p/subscriptions/s","deliveryAttempt":2}`
	m, err := PubSub([]byte(wrapped), noHeader, DefaultLimits())
	first := one(t, m.Batch, err)
	if m.ID != "m1" || m.Subscription != "projects/p/subscriptions/s" || string(m.Context) != `{"pubsub":{"origin":"crm"}}` {
		t.Errorf("%+v", m)
	}
	h := headers("x-goog-pubsub-message-id", "m1", "x-goog-pubsub-subscription-name", "projects/p/subscriptions/s", "x-goog-pubsub-publish-time", "2026-11-22T11:00:00Z")
	u, err := PubSub([]byte(call), h, DefaultLimits())
	if unwrapped := one(t, u.Batch, err); unwrapped != first {
		t.Errorf("unwrapped %s, wrapped %s", unwrapped, first)
	}
	o, _ := parseObject([]byte(first))
	if o.text("timestamp") != "2026-11-22T11:00:00Z" || len(o.text("messageId")) != 32 {
		t.Errorf("%s", first)
	}
	own, err := PubSub([]byte(`{"type":"track","event":"a","userId":"u","messageId":"x","timestamp":"2026-11-22T10:00:00Z"}`), h, DefaultLimits())
	if o, _ := parseObject([]byte(one(t, own.Batch, err))); o.text("messageId") != "x" || o.text("timestamp") != "2026-11-22T10:00:00Z" {
		t.Errorf("the call's own id and time do not stand: %s", own.Calls)
	}
	bare, err := PubSub([]byte(call), noHeader, DefaultLimits())
	same(t, one(t, bare.Batch, err), call)
	for _, body := range []string{``, `{"message":{"data":"?","messageId":"m"}}`, `{"message":{"messageId":"m"}}`} {
		if _, err := PubSub([]byte(body), noHeader, DefaultLimits()); err == nil {
			t.Errorf("%q was taken", body)
		}
	}
}

func TestDebeziumRowsBecomeTraitsAndItems(t *testing.T) {
	tables := []Table{
		{Name: "public.customers", Rows: RowsUsers, Key: "id", Columns: map[string]string{"email": "email", "created": "created_at", "born": "birthday", "credit": "credit", "prefs": "prefs"}},
		{Name: "products", Rows: RowsItems, Key: "sku", Columns: map[string]string{"name": "title", "price": "price", "cat": "category", "off": "hidden", "colour": "colour"}},
	}
	source := func(table string, lsn int) string {
		return fmt.Sprintf(`{"version":"2.7","connector":"postgresql","name":"shop","ts_ms":1795345200000,"db":"shop","schema":"public","table":%q,"lsn":%d,"txId":7}`, table, lsn)
	}
	schema := `{"type":"struct","fields":[{"field":"after","type":"struct","fields":[{"field":"id","type":"int64"},{"field":"created","type":"int64","name":"io.debezium.time.MicroTimestamp"},{"field":"born","type":"int32","name":"io.debezium.time.Date"},{"field":"credit","type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"2"}},{"field":"prefs","type":"string","name":"io.debezium.data.Json"}]}]}`
	payload := `{"before":null,"after":{"id":7,"email":"ann@example.com","secret":"x","created":1795345200123456,"born":3653,"credit":"/zg=","prefs":"{\"a\":[1]}"},"source":` + source("customers", 99) + `,"op":"u","ts_ms":%d}`
	take := func(body string) Changes {
		t.Helper()
		c, err := Debezium([]byte(body), tables, DefaultLimits())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	c := take(`{"schema":` + schema + `,"payload":` + fmt.Sprintf(payload, 1795345200999) + `}`)
	call := callsOf(t, c.Batch, nil)[0]
	same(t, string(call.get("traits")), `{"email":"ann@example.com","created_at":"2026-11-22T11:00:00.123456Z","birthday":"1980-01-02","credit":-2.00,"prefs":{"a":[1]}}`)
	if call.text("userId") != "7" || call.text("type") != "identify" || call.text("timestamp") != "1795345200000" {
		t.Errorf("%s", call.bytes())
	}
	again := take(fmt.Sprintf(payload, 1795345999999)) // delivered later, without its schema
	if o := callsOf(t, again.Batch, nil)[0]; o.text("messageId") != call.text("messageId") {
		t.Error("the same change has two ids")
	}
	if o := callsOf(t, take(strings.ReplaceAll(fmt.Sprintf(payload, 0), `"lsn":99`, `"lsn":100`)).Batch, nil)[0]; o.text("messageId") == call.text("messageId") {
		t.Error("another place in the log has the same id")
	}
	snapshot := func(id string) string {
		return `{"after":{"id":"` + id + `"},"source":{"name":"shop","db":"shop","table":"products","file":"f","pos":4,"row":0,"snapshot":"true"},"op":"r"}`
	}
	two, err := Debezium([]byte(snapshot("a")+snapshot("b")), []Table{{Name: "shop.products", Rows: RowsUsers, Key: "id"}}, DefaultLimits())
	if calls := callsOf(t, two.Batch, err); calls[0].text("messageId") == calls[1].text("messageId") {
		t.Error("rows of a snapshot share an id")
	}

	items := take(`[{"after":{"sku":"p1","name":"Lamp","price":"9.99","cat":"light","off":0,"colour":"red","cost":1},"source":` + source("products", 1) + `,"op":"c"},
		{"before":{"sku":"p2"},"source":` + source("products", 2) + `,"op":"d"},
		{"before":{"id":8},"source":` + source("customers", 3) + `,"op":"d"},
		null, {"op":"t","source":` + source("products", 4) + `}, {"op":"c","after":{"x":1},"source":` + source("orders", 5) + `}]`)
	if len(items.Items) != 2 || !items.Items[1].Deleted || items.Items[1].Item.ID != "p2" || items.Skipped != 3 || len(items.Deleted) != 1 || items.Deleted[0] != "8" {
		t.Fatalf("%+v", items)
	}
	got, _ := json.Marshal(items.Items[0].Item)
	same(t, string(got), `{"id":"p1","title":"Lamp","price":9.99,"categories":["light"],"attributes":{"colour":"red"}}`)

	for _, bad := range []string{`{"op":"x"}`, `7`, `{"op":"u","source":` + source("customers", 1) + `}`, `{"op":"c","after":{"id":null},"source":` + source("customers", 1) + `}`,
		`{"op":"c","after":{"sku":"p","price":-1},"source":` + source("products", 1) + `}`, `{"op":"c","after":{"sku":"p","price":[]},"source":` + source("products", 1) + `}`} {
		if c := take(bad); len(c.Rejected) != 1 {
			t.Errorf("%s was not rejected: %+v", bad, c)
		}
	}
	mongo := take(`{"op":"c","after":"{\"sku\":\"p\",\"name\":\"N\"}","source":{"name":"m","db":"d","collection":"products","ord":1,"ts_ms":1}}`)
	if len(mongo.Items) != 1 || mongo.Items[0].Item.Title != "N" {
		t.Errorf("MongoDB's document: %+v", mongo)
	}
}

func sign(h func() hash.Hash, secret, text string) []byte {
	mac := hmac.New(h, []byte(secret))
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func TestSignaturesOfTheUsualForms(t *testing.T) {
	const body = `{"a":1}`
	at := strconv.FormatInt(noon.Unix(), 10)
	old := strconv.FormatInt(noon.Add(-time.Hour).Unix(), 10)
	hexOf := func(h func() hash.Hash, text string) string { return hex.EncodeToString(sign(h, "s2", text)) }
	for form, good := range map[string]Header{
		"plain":   headers("X-Signature", hexOf(sha256.New, body)),
		"github":  headers("X-Hub-Signature-256", "sha256="+hexOf(sha256.New, body)),
		"shopify": headers("X-Shopify-Hmac-Sha256", base64.StdEncoding.EncodeToString(sign(sha256.New, "s2", body))),
		"stripe":  headers("Stripe-Signature", "t="+at+",v1=00,v0=zz,v1="+hexOf(sha256.New, at+"."+body)+",v1=00"),
		"slack":   headers("X-Slack-Signature", "v0="+hexOf(sha256.New, "v0:"+at+":"+body), "X-Slack-Request-Timestamp", at),
		"segment": headers("X-Signature", hexOf(sha1.New, body)),
	} {
		s := Forms()[form]
		if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), "secrets") {
			t.Errorf("%s without secrets: %v", form, err)
		}
		s.Secrets = []string{"s1", "s2"}
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", form, err)
		}
		if err := s.Verify(good, []byte(body), noon); err != nil {
			t.Errorf("%s: %v", form, err)
		}
		if s.Verify(good, []byte(body+" "), noon) == nil {
			t.Errorf("%s: another body was accepted", form)
		}
		if s.Verify(noHeader, []byte(body), noon) == nil {
			t.Errorf("%s: no signature was accepted", form)
		}
		if s.Secrets = []string{"s1"}; s.Verify(good, []byte(body), noon) == nil {
			t.Errorf("%s: another secret was accepted", form)
		}
		if s.Secrets = []string{"s2"}; s.Tolerance > 0 {
			if s.Verify(good, []byte(body), noon.Add(time.Hour)) == nil || s.Verify(good, []byte(body), noon.Add(-time.Hour)) == nil {
				t.Errorf("%s: an old signature was accepted", form)
			}
		}
	}
	stripe := Forms()["stripe"]
	stripe.Secrets = []string{"s2"}
	if stripe.Verify(headers("Stripe-Signature", "t="+at+",v1="+hexOf(sha256.New, old+"."+body)), []byte(body), noon) == nil {
		t.Error("a fresh time over an old signature was accepted")
	}
	s512 := Signature{Header: "H", Algorithm: "sha512", Encoding: "hex", Signed: "{body}", Secrets: []string{"s2"}}
	if err := s512.Verify(headers("H", hexOf(sha512.New, body)), []byte(body), noon); err != nil {
		t.Error(err)
	}
	for field, broken := range map[string]func(*Signature){
		"header": func(s *Signature) { s.Header = "" }, "algorithm": func(s *Signature) { s.Algorithm = "md5" }, "encoding": func(s *Signature) { s.Encoding = "x" },
		"signed": func(s *Signature) { s.Signed = "{timestamp}" }, "tolerance": func(s *Signature) { s.Tolerance = 0 }, "timestamp_list": func(s *Signature) { s.List = "" },
		"timestamp_header": func(s *Signature) { s.TimestampHeader = "x" }, "secrets[0]": func(s *Signature) { s.Secrets = []string{""} },
	} {
		s := stripe
		broken(&s)
		if err := s.Validate(); err == nil || !strings.HasPrefix(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestWebhooksAreMappedAndNamed(t *testing.T) {
	w := Webhook{Source: "shop", IDHeader: "X-Delivery"}
	twice := func(doc json.RawMessage, _ Header) ([]json.RawMessage, error) {
		o, err := fieldsOf(doc)
		if err != nil {
			return nil, err
		}
		call := `{"type":"track","event":"x","userId":"` + o.text("who") + `"}`
		return []json.RawMessage{json.RawMessage(call), json.RawMessage(call)}, nil
	}
	ids := func(body, typ string, h Header) (out []string) {
		b, err := w.Calls([]byte(body), typ, h, twice, DefaultLimits())
		for _, o := range callsOf(t, b, err) {
			out = append(out, o.text("messageId"))
		}
		return out
	}
	first := ids(`{"who":"u"}`, "application/json", headers("X-Delivery", "1"))
	if len(first) != 2 || first[0] == first[1] {
		t.Fatalf("%v", first)
	}
	if again := ids(`{"who":"u", "attempt":2}`, "", headers("X-Delivery", "1")); again[0] != first[0] {
		t.Error("the same delivery has two ids")
	}
	if hashed := ids(`{"who":"u"}`, "", noHeader); hashed[0] == first[0] || hashed[0] != ids(`{"who":"u"}`, "", noHeader)[0] || hashed[0] == ids(`{"who":"v"}`, "", noHeader)[0] {
		t.Error("without the header the body does not name the delivery")
	}
	if got := ids("who=u", "application/x-www-form-urlencoded", noHeader); len(got) != 2 {
		t.Error("a form was not read")
	}
	for _, body := range []string{"no", `{"a":1`, ``} {
		if b, err := w.Calls([]byte(body), "", noHeader, twice, DefaultLimits()); err != nil || len(b.Rejected) != 1 {
			t.Errorf("%q: %v, %+v", body, err, b)
		}
	}
	b, err := w.Calls([]byte(`{}`), "", noHeader, func(json.RawMessage, Header) ([]json.RawMessage, error) { return nil, errors.New("no rule") }, DefaultLimits())
	if err != nil || len(b.Rejected) != 1 || !strings.Contains(b.Rejected[0].Reason, "no rule") {
		t.Errorf("%v, %+v", err, b)
	}
	b, err = w.Calls([]byte(`{"batch":[{"type":"track"},{"type":"page"}]}`), "", noHeader, AsCall, DefaultLimits())
	if len(callsOf(t, b, err)) != 2 {
		t.Error("a batch is not passed through")
	}
}
