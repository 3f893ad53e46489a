package main

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hamba/avro/v2"
	"go.yaml.in/yaml/v3"
)

// fenced are the blocks of a document in that language.
func fenced(t *testing.T, name, language string) (blocks []string) {
	t.Helper()
	doc, err := os.ReadFile("../../docs/" + name)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllStringSubmatch(string(doc), -1) {
		blocks = append(blocks, m[1])
	}
	return blocks
}

// merged joins documents of settings: lists are appended, maps are joined.
func merged(t *testing.T, blocks []string) map[string]any {
	t.Helper()
	var join func(into, from map[string]any)
	join = func(into, from map[string]any) {
		for name, v := range from {
			switch have := into[name].(type) {
			case map[string]any:
				join(have, v.(map[string]any))
			case []any:
				into[name] = append(have, v.([]any)...)
			default:
				into[name] = v
			}
		}
	}
	all := map[string]any{}
	for _, b := range blocks {
		var one map[string]any
		if err := yaml.Unmarshal([]byte(b), &one); err != nil {
			t.Fatalf("%v in\n%s", err, b)
		}
		join(all, one)
	}
	return all
}

// pushToken is a token of Pub/Sub's for the documented subscription, and the file of its issuer's keys.
func pushToken(t *testing.T, dir string) (token, keys string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString
	keys = filepath.Join(dir, "keys.json")
	set := fmt.Sprintf(`{"keys":[{"kty":"RSA","kid":"k1","n":%q,"e":%q}]}`, text(key.N.Bytes()), text(big.NewInt(int64(key.E)).Bytes()))
	if err := os.WriteFile(keys, []byte(set), 0o600); err != nil {
		t.Fatal(err)
	}
	token = text([]byte(`{"alg":"RS256","kid":"k1"}`)) + "." + text(fmt.Appendf(nil,
		`{"iss":"https://accounts.google.com","aud":"https://track.example.com","email":"push@PROJECT.iam.gserviceaccount.com","email_verified":true,"exp":%d}`, time.Now().Add(time.Hour).Unix()))
	sum := sha256.Sum256([]byte(token))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return token + "." + text(signature), keys
}

// avroDatum is a view in the single-object encoding by the schema in the file.
func avroDatum(t *testing.T, schemaFile string) []byte {
	t.Helper()
	text := `{"type":"record","name":"Call","fields":[{"name":"type","type":"string"},{"name":"event","type":"string"},{"name":"userId","type":"string"},{"name":"properties","type":{"type":"map","values":"string"}}]}`
	if err := os.WriteFile(schemaFile, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	schema := avro.MustParse(text)
	datum, err := avro.Marshal(schema, map[string]any{"type": "track", "event": "Product Viewed", "userId": "u9", "properties": map[string]string{"product_id": "lamp"}})
	if err != nil {
		t.Fatal(err)
	}
	print, err := schema.FingerprintUsing(avro.CRC64AvroLE)
	if err != nil {
		t.Fatal(err)
	}
	return append(append([]byte{0xc3, 1}, print...), datum...)
}

// TestTheDocumentsCommandsRun serves with the settings that docs/doors.md and docs/connectors.md print, and runs
// each curl command that they print: each door's takes something in, and nothing becomes a dead letter.
func TestTheDocumentsCommandsRun(t *testing.T) {
	for _, tool := range []string{"bash", "curl", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CI") == "true" {
				t.Fatalf("CI=true needs %s: %v", tool, err)
			}
			t.Skipf("NOT TESTED: %v", err)
		}
	}
	crm := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer crm-token" {
			http.Error(w, "who?", http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"data":{"contacts":[{"id":7,"external_id":"u10","updated_at":"2026-11-20T12:00:00Z","emails":[{"address":"u10@example.com"}],"plan":{"name":"gold"}}]}}`)
	}))
	defer crm.Close()
	dir := t.TempDir()
	token, keys := pushToken(t, dir)
	t.Setenv("CRM_SECRET", "crm-secret")
	t.Setenv("CRM_TOKEN", "crm-token")
	t.Setenv("TOKEN", token)

	// The server: the documents' settings, but for what is of another machine.
	settings := merged(t, slices.Concat(fenced(t, "doors.md", "yaml"), fenced(t, "connectors.md", "yaml")))
	settings["http"] = map[string]any{"keys": []any{
		map[string]any{"name": "shop", "secret": "site-key-0123456789", "scopes": []string{"ingest"}},
		map[string]any{"name": "ops", "secret": "admin-key-0123456789", "scopes": []string{"admin"}},
	}}
	settings["doors"].(map[string]any)["pubsub"].([]any)[0].(map[string]any)["keys"] = keys
	text, err := yaml.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	schema := filepath.Join(dir, "call.avsc")
	text = bytes.ReplaceAll(bytes.ReplaceAll(text, []byte("/etc/kindred/call.avsc"), []byte(schema)), []byte("https://crm.example.com"), []byte(crm.URL))
	files := map[string][]byte{"kindred.yaml": text, "call.avro": avroDatum(t, schema)}
	for name, from := range map[string]string{"batch.bin": "protobuf/batch.bin", "feed.xml": "xml/google.xml"} {
		if files[name], err = os.ReadFile("../../serving/ingest/door/testdata/" + from); err != nil {
			t.Fatal(err)
		}
	}
	for name, b := range files {
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := start(t, filepath.Join(dir, "data"), "--config", filepath.Join(dir, "kindred.yaml"))
	defer s.stop()
	read := func(path string) string {
		t.Helper()
		r, err := http.NewRequest("GET", s.base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-API-Key", "admin-key-0123456789")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		b, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != 200 {
			t.Fatalf("GET %s: %d %s %v", path, answer.StatusCode, b, err)
		}
		return string(b)
	}
	accepted := regexp.MustCompile(`(?m)^kindred_ingest_calls_total\{result="accepted"\} .*$`)
	state := func() string { return accepted.FindString(read("/metrics")) + read("/v1/items") }
	until(t, "the connector", func() bool { return strings.Contains(read("/v1/connectors"), `"sent":1`) })

	inPlace := strings.NewReplacer("https://track.example.com", s.base, "http://127.0.0.1:8080", s.base, "WRITE_KEY", "site-key-0123456789", "ADMIN_KEY", "admin-key-0123456789")
	routes := map[string]bool{}
	for _, doc := range []string{"doors.md", "connectors.md"} {
		for _, block := range fenced(t, doc, "sh") {
			if !strings.Contains(block, "curl ") {
				continue // gcloud, of another machine
			}
			before := state()
			script := exec.CommandContext(t.Context(), "bash", "-euc", "curl() { command curl -sS --fail-with-body --noproxy '*' \"$@\"; }\n"+inPlace.Replace(block))
			script.Dir = dir
			if out, err := script.CombinedOutput(); err != nil {
				t.Errorf("%s: %v: %s\n%s", doc, err, out, block)
			}
			route := regexp.MustCompile(`(?:example\.com|127\.0\.0\.1:8080)(/[a-z0-9/]*)`).FindStringSubmatch(block[strings.Index(block, "curl "):])[1]
			routes[route] = true
			if state() == before && route != "/v1/connectors" {
				t.Errorf("%s: nothing was taken in by\n%s", doc, block)
			}
		}
	}
	want := []string{"/batch/", "/beacon/v1/batch", "/i", "/pixel/v1/track", "/v1/batch", "/v1/connectors", "/v1/debezium/shop", "/v1/feeds/google", "/v1/firehose", "/v1/pubsub/shop", "/v1/webhooks/crm"}
	if got := slices.Sorted(maps.Keys(routes)); !slices.Equal(got, want) {
		t.Errorf("the documents show %q, want an example for each of %q", got, want)
	}
	if letters := read("/v1/dead-letters"); !strings.Contains(letters, `"dead_letters":[]`) {
		t.Errorf("dead letters: %s", letters)
	}
	for user, plan := range map[string]string{"7": "gold", "u8": "gold", "u10": "gold"} { // by webhook, Debezium and connector
		if p := read("/v1/profiles/" + user); !strings.Contains(p, `"plan":"`+plan+`"`) {
			t.Errorf("%s: %s", user, p)
		}
	}
}

// The tests that docs/doors.md names for the rows of the checklist are there.
func TestTheNamedTestsExist(t *testing.T) {
	doc, err := os.ReadFile("../../docs/doors.md")
	if err != nil {
		t.Fatal(err)
	}
	var code bytes.Buffer
	for _, dir := range []string{"cmd/kindred", "serving/httpapi", "serving/snippet", "serving/ingest/compat", "serving/ingest/door", "serving/ingest/poll"} {
		files, err := filepath.Glob("../../" + dir + "/*_test.go")
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v", dir, err)
		}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			code.Write(b)
		}
	}
	names := regexp.MustCompile(`\b(Test|Fuzz)[A-Z]\w+`).FindAllString(string(doc), -1)
	for _, name := range names {
		if !bytes.Contains(code.Bytes(), []byte("func "+name+"(")) {
			t.Errorf("docs/doors.md names %s, which is no test", name)
		}
	}
	if len(names) < 40 {
		t.Errorf("docs/doors.md names %d tests; the table is gone", len(names))
	}
}
