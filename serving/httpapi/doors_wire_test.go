package httpapi_test

import (
	"context"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/hamba/avro/v2"
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protowire"

	"kindred/serving/ingest/door"
	"kindred/serving/ingest/secret"
	"kindred/serving/ingest/tail"
)

const doorsYAML = `
max_bytes: 1000000
max_calls: 100
webhooks:
  - source: crm
    form: plain
    secrets: ["${CRM_SECRET}"]
    headers: [X-Topic]
    rules:
      - when: headers["x-topic"] == "customer"
        calls: '{"type": "identify", "userId": body.id, "traits": {"plan": body.plan}}'
      - when: has(body.orders)
        calls: body.orders.map(o, {"type":"track","event":"Order Completed","userId":body.id,"properties":{"order_id":o}})
  - source: pays
    form: stripe
    secrets: ["pay-secret"]
  - source: keyed
pubsub:
  - {source: bus, audience: "https://track.example.com", email: push@example.com, keys: "https://issuer.example/keys"}
debezium:
  - source: shopdb
    tables:
      - {name: public.customers, rows: users, key: id, columns: {email: email, plan: plan}}
      - {name: public.products, rows: items, key: sku, columns: {name: title, price: price}}
feeds:
  - {feed: google}
  - {feed: people, rows: users, key: id, record: people/person}
avro: {registry: "https://schemas.example"}
`

const avroSchema = `{"type":"record","name":"Call","fields":[{"name":"type","type":"string"},{"name":"event","type":"string"},{"name":"userId","type":"string"},{"name":"messageId","type":"string"}]}`

// issuer stands for who signs Pub/Sub's tokens and for the schema registry.
type issuer struct {
	key  *rsa.PrivateKey
	away error
	gets int
}

func (i *issuer) get(_ context.Context, address, _ string, _ int64) ([]byte, error) {
	if i.gets++; i.away != nil {
		return nil, i.away
	}
	switch address {
	case "https://issuer.example/keys":
		n := base64.RawURLEncoding.EncodeToString(i.key.N.Bytes())
		e := base64.RawURLEncoding.EncodeToString(big.NewInt(int64(i.key.E)).Bytes())
		return fmt.Appendf(nil, `{"keys":[{"kty":"RSA","kid":"k1","n":%q,"e":%q}]}`, n, e), nil
	case "https://schemas.example/schemas/ids/7":
		return json.Marshal(map[string]string{"schema": avroSchema})
	case "https://schemas.example/schemas/ids/9":
		return json.Marshal(map[string]string{"schema": viewSchema})
	}
	return nil, door.ErrNoSchema
}

func (i *issuer) token(t testing.TB, kid, audience string, expires time.Time) string {
	part := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	text := part(`{"alg":"RS256","kid":"`+kid+`"}`) + "." + part(fmt.Sprintf(`{"iss":"https://accounts.google.com","aud":%q,"email":"push@example.com","email_verified":true,"exp":%d}`, audience, expires.Unix()))
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, i.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + text + "." + base64.RawURLEncoding.EncodeToString(sig)
}

// opened is a server with named doors, on a real connection.
type opened struct {
	*house
	*issuer
	base string
}

// openDoors is with the doors of doorsYAML; change may change more.
func openDoors(t testing.TB, keys bool, change ...func(*overrides)) *opened {
	t.Helper()
	cfg := door.Default()
	if err := yaml.Unmarshal([]byte(doorsYAML), &cfg); err != nil {
		t.Fatal(err)
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	i := &issuer{key: key}
	doors, err := door.Open(cfg, secret.Source{Env: func(n string) (string, bool) { return "hush", n == "CRM_SECRET" }, File: os.ReadFile}, i.get)
	if err != nil {
		t.Fatal(err)
	}
	h := open(t, func(o *overrides) {
		if keys {
			withKeys(o)
		}
		o.doors, o.tail = doors, tail.New(tail.Default(), time.Now)
		for _, c := range change {
			c(o)
		}
	})
	s := httptest.NewServer(h.handler)
	t.Cleanup(s.Close)
	return &opened{h, i, s.URL}
}

// post sends a body over the wire.
func (o *opened) post(path, body string, headers ...string) (int, string) {
	o.t.Helper()
	return o.send("POST", path, body, headers...)
}

// send sends a request over the wire.
func (o *opened) send(method, path, body string, headers ...string) (int, string) {
	o.t.Helper()
	r, err := http.NewRequest(method, o.base+path, strings.NewReader(body))
	if err != nil {
		o.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		o.t.Fatal(err)
	}
	defer a.Body.Close()
	b, _ := io.ReadAll(a.Body)
	return a.StatusCode, string(b)
}

func (o *opened) want(status int, path, body string, headers ...string) string {
	o.t.Helper()
	got, answer := o.post(path, body, headers...)
	if got != status {
		o.t.Fatalf("POST %s %s: %d %s, want %d", path, body, got, answer, status)
	}
	return answer
}

// person is what is known of a user.
type person struct {
	Traits   map[string]any
	Counts   map[string]int
	Items    int
	Sessions int
	Session  struct{ Events int }
}

func (o *opened) person(user string) (p person) {
	o.t.Helper()
	o.do("GET", "/v1/profiles/"+user, "", "X-API-Key", "reader-secret").want(http.StatusOK).into(&p)
	return p
}

func hexMAC(secret, text string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(text))
	return hex.EncodeToString(m.Sum(nil))
}

// protoBatch is a kindred.v1.Batch of one track call.
func protoBatch(user string) []byte {
	var call []byte
	call = protowire.AppendVarint(protowire.AppendTag(call, 1, protowire.VarintType), 1)
	call = protowire.AppendString(protowire.AppendTag(call, 3, protowire.BytesType), user)
	call = protowire.AppendString(protowire.AppendTag(call, 7, protowire.BytesType), "Seen")
	return protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), call)
}

func avroBatch(t testing.TB, user string) []byte {
	b, err := avro.Marshal(avro.MustParse(avroSchema), map[string]any{"type": "track", "event": "Seen", "userId": user, "messageId": "a1"})
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{0, 0, 0, 0, 7}, b...)
}

// viewSchema is a newer schema of calls: other fields, another order.
const viewSchema = `{"type":"record","name":"View","fields":[{"name":"messageId","type":"string"},{"name":"userId","type":"string"},{"name":"type","type":"string","default":"track"},{"name":"event","type":"string","default":"Product Viewed"},
	{"name":"properties","type":{"type":"record","name":"Properties","fields":[{"name":"product_id","type":"string"}]}}]}`

// avroCall is a view of an item by viewSchema.
func avroCall(t testing.TB, user, id, item string) []byte {
	b, err := avro.Marshal(avro.MustParse(viewSchema), map[string]any{"type": "track", "event": "Product Viewed", "userId": user, "messageId": id, "properties": map[string]any{"product_id": item}})
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{0, 0, 0, 0, 9}, b...)
}
