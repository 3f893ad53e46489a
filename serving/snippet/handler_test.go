package snippet

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

func get(t *testing.T, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestScriptsAreServedWithTheirCaching(t *testing.T) {
	h := New(Default(), Deps{})
	const chunk = "/analytics-next/bundles/ajs-destination.bundle.40628baed746e9904edc.js"
	tests := []struct {
		path, contentType, cache, body string
		status                         int
	}{
		{"/kindred.js", "text/javascript", "public, max-age=300", "Product Added", 200},
		{"/analytics.js/v1/WK1/analytics.min.js", "text/javascript", "public, max-age=300", "__WRITE_KEY__", 200},
		{chunk, "text/javascript", "public, max-age=31536000, immutable", "webpackChunk", 200},
		{"/v1/projects/WK1/settings", "application/json", "private, max-age=300", `"apiKey":"WK1"`, 200},
		{"/analytics-next/bundles/none.bundle.00.js", "text/plain", "", "404", 404},
		{"/analytics-next/bundles/standalone.js", "text/plain", "", "404", 404},
		{"/analytics.js/v1/WK1/analytics.classic.js", "text/plain", "", "404", 404},
		{"/analytics.js/v1/../v1/WK1/analytics.min.js", "text/plain", "", "404", 404},
		{"/v1/projects//settings", "text/plain", "", "404", 404},
		{"/v1/projects/WK1/settings/", "text/plain", "", "404", 404},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			w := get(t, h, tt.path)
			got := w.Header()
			if w.Code != tt.status || !strings.HasPrefix(got.Get("Content-Type"), tt.contentType) || got.Get("Cache-Control") != tt.cache || !strings.Contains(w.Body.String(), tt.body) {
				t.Errorf("got %d %s, Cache-Control %q; want %d %s, %q and %q in the body",
					w.Code, got.Get("Content-Type"), got.Get("Cache-Control"), tt.status, tt.contentType, tt.cache, tt.body)
			}
			if got.Get("Access-Control-Allow-Origin") != "*" || got.Get("Cross-Origin-Resource-Policy") != "cross-origin" {
				t.Errorf("pages of other origins may not read it: %v", got)
			}
		})
	}
}

func TestScriptsArePackedAndAskedForOnce(t *testing.T) {
	h := New(Default(), Deps{})
	for _, p := range []string{"/kindred.js", "/analytics.js/v1/WK1/analytics.min.js"} {
		plain, packed := get(t, h, p), get(t, h, p, "Accept-Encoding", "gzip, br")
		if packed.Header().Get("Content-Encoding") != "gzip" || plain.Header().Get("Content-Encoding") != "" {
			t.Errorf("%s: Content-Encoding %q with gzip accepted, %q without", p, packed.Header().Get("Content-Encoding"), plain.Header().Get("Content-Encoding"))
		}
		if got, err := gunzip(packed.Body.Bytes()); err != nil || !bytes.Equal(got, plain.Body.Bytes()) {
			t.Errorf("%s: the packed body does not unpack to the plain one: %v", p, err)
		}
		if plain.Header().Get("ETag") == packed.Header().Get("ETag") {
			t.Errorf("%s: both forms have the ETag %s", p, plain.Header().Get("ETag"))
		}
		again := get(t, h, p, "Accept-Encoding", "gzip", "If-None-Match", packed.Header().Get("ETag"))
		if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
			t.Errorf("%s: asked again: %d with %d bytes, want 304 without any", p, again.Code, again.Body.Len())
		}
	}
}

func TestPagesMayAskBeforeTheyAsk(t *testing.T) {
	r := httptest.NewRequest(http.MethodOptions, "/v1/projects/WK1/settings", nil)
	r.Header.Set("Origin", "https://shop.example")
	w := httptest.NewRecorder()
	New(Default(), Deps{}).ServeHTTP(w, r)
	if w.Code != http.StatusNoContent || w.Header().Get("Access-Control-Allow-Methods") != "GET, OPTIONS" {
		t.Errorf("got %d %v, want 204 with the allowed methods", w.Code, w.Header())
	}
}

func TestSettingsNameTheServerAsThePageReachesIt(t *testing.T) {
	trusted := Deps{Trusted: func(*http.Request) bool { return true }}
	fixed := Default()
	fixed.APIHost, fixed.Protocol = "events.example/t", "https"
	tests := []struct {
		name           string
		cfg            Config
		deps           Deps
		tls            bool
		forwarded      string
		host, protocol string
	}{
		{"plain", Default(), Deps{}, false, "", "track.example:8080/v1", "http"},
		{"TLS", Default(), Deps{}, true, "", "track.example:8080/v1", "https"},
		{"a stranger's X-Forwarded-Proto", Default(), Deps{}, false, "https", "track.example:8080/v1", "http"},
		{"a trusted proxy's", Default(), trusted, false, "https", "track.example:8080/v1", "https"},
		{"a trusted proxy's nonsense", Default(), trusted, false, "javascript", "track.example:8080/v1", "http"},
		{"configured", fixed, Deps{}, false, "", "events.example/t/v1", "https"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/v1/projects/WK1/settings", nil)
			r.Host = "track.example:8080"
			if tt.tls {
				r.TLS = &tls.ConnectionState{}
			}
			if tt.forwarded != "" {
				r.Header.Set("X-Forwarded-Proto", tt.forwarded)
			}
			w := httptest.NewRecorder()
			New(tt.cfg, tt.deps).ServeHTTP(w, r)
			var got settings
			if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			d := got.Integrations["Segment.io"]
			if d.APIHost != tt.host || d.Protocol != tt.protocol || got.Metrics.Host != tt.host || got.Metrics.Protocol != tt.protocol {
				t.Errorf("got %s://%s, metrics %s://%s; want %s://%s", d.Protocol, d.APIHost, got.Metrics.Protocol, got.Metrics.Host, tt.protocol, tt.host)
			}
		})
	}
}

func TestSettingsCarryTheConfiguration(t *testing.T) {
	cfg := Default()
	cfg.BatchSize, cfg.BatchWait, cfg.MaxRetries, cfg.MaxBackoff, cfg.MaxRetryAfter = 7, 250*time.Millisecond, 3, 20*time.Second, 90*time.Second
	want := `{"apiKey":"WK1","apiHost":"example.com/v1","protocol":"http",` +
		`"deliveryStrategy":{"strategy":"batching","config":{"size":7,"timeout":250}},` +
		`"httpConfig":{"rateLimitConfig":{"maxRetryCount":3,"maxRetryInterval":90},"backoffConfig":{"maxRetryCount":3,"maxBackoffInterval":20}}}`
	if got := get(t, New(cfg, Deps{}), "/v1/projects/WK1/settings").Body.String(); !strings.Contains(got, want) {
		t.Errorf("got %s\nwant in it %s", got, want)
	}
	cfg.BatchSize = 1
	if got := get(t, New(cfg, Deps{}), "/v1/projects/WK1/settings").Body.String(); !strings.Contains(got, `"deliveryStrategy":{"strategy":"standard","config":{"keepalive":true}}`) {
		t.Errorf("a batch size of 1 gives %s, want one call at a time", got)
	}
}

func TestUnknownWriteKeysGetNoSettings(t *testing.T) {
	h := New(Default(), Deps{Known: func(key string) bool { return key == "WK1" }})
	if got := get(t, h, "/v1/projects/WK1/settings").Code; got != 200 {
		t.Errorf("a known key: %d, want 200", got)
	}
	if got := get(t, h, "/v1/projects/WK2/settings").Code; got != 404 {
		t.Errorf("an unknown key: %d, want 404", got)
	}
}

func TestPathsAreWhatIsAnswered(t *testing.T) {
	fill := strings.NewReplacer("{key}", "WK1", "{file}", "ajs-destination.bundle.40628baed746e9904edc.js")
	for _, p := range Paths() {
		if got := get(t, New(Default(), Deps{}), fill.Replace(p)).Code; got != 200 {
			t.Errorf("%s: %d, want 200", p, got)
		}
	}
}

// TestVendoredFilesAreWhatTheirListSays compares every embedded file of another
// project with the checksum in vendored/README.md.
func TestVendoredFilesAreWhatTheirListSays(t *testing.T) {
	list, err := os.ReadFile("vendored/README.md")
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(vendored, library+"*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		sum := sha256.Sum256(mustUnpack(path.Base(name)))
		row := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(strings.TrimPrefix(name, "vendored/")) + ` \|.*\| ` + hex.EncodeToString(sum[:]) + ` \|$`)
		if !row.Match(list) {
			t.Errorf("%s has SHA-256 %x, which vendored/README.md does not list for it", name, sum)
		}
	}
	if len(names) != 9 {
		t.Errorf("checked %d files, want 9", len(names))
	}
}

// TestEveryChunkThatTheLibraryNamesIsServed reads the chunks' names where the library
// makes them: {10:"name",…}[t]||t)+".bundle."+{10:"hash",…}[t]+".js".
func TestEveryChunkThatTheLibraryNamesIsServed(t *testing.T) {
	source := string(mustUnpack("standalone.js.gz"))
	made := regexp.MustCompile(`\(\{([^}]*)\}\[t\]\|\|t\)\+"\.bundle\."\+\{([^}]*)\}\[t\]\+"\.js"`).FindStringSubmatch(source)
	if made == nil {
		t.Fatal("the library no longer makes its chunks' names as it did; look for .bundle. in standalone.js")
	}
	pair := regexp.MustCompile(`(\d+):"([^"]*)"`)
	names := map[string]string{}
	for _, p := range pair.FindAllStringSubmatch(made[1], -1) {
		names[p[1]] = p[2]
	}
	h, chunks := New(Default(), Deps{}), pair.FindAllStringSubmatch(made[2], -1)
	for _, p := range chunks {
		name := p[1]
		if names[name] != "" {
			name = names[name]
		}
		if w := get(t, h, "/analytics-next/bundles/"+name+".bundle."+p[2]+".js"); w.Code != 200 {
			t.Errorf("chunk %s.bundle.%s.js: %d, want 200", name, p[2], w.Code)
		}
	}
	if len(chunks) != 8 {
		t.Errorf("the library names %d chunks, want 8", len(chunks))
	}
}

// maxScript is the promise of issue and checklist: at most 5 kB for a page to load.
const maxScript = 5000

func TestOurScriptIsSmall(t *testing.T) {
	w := get(t, New(Default(), Deps{}), "/kindred.js", "Accept-Encoding", "gzip")
	if got := w.Body.Len(); got > maxScript {
		t.Errorf("kindred.js has %d bytes compressed, want at most %d", got, maxScript)
	} else {
		t.Logf("kindred.js has %d bytes compressed", got)
	}
}

func TestOurScriptIsMadeOfItsSource(t *testing.T) {
	names, err := filepath.Glob("page/*.js")
	if err != nil || len(names) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	source := sha256.New()
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(b)
	}
	sum := source.Sum(nil)
	if want := "//kindred.js " + hex.EncodeToString(sum[:8]) + "\n"; !bytes.HasPrefix(script, []byte(want)) {
		t.Errorf("kindred.min.js begins with %.40q, want %q: run go generate ./serving/snippet", script, want)
	}
	got, err := exec.Command("../../deploy/services/minify.sh", "page/kindred.js").Output()
	if err != nil {
		if exit, ok := err.(*exec.ExitError); ok {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI=true needs esbuild from npm: %v", err)
		}
		t.Skipf("NOT COMPARED WITH WHAT ESBUILD MAKES: %v", err)
	}
	if !bytes.Equal(got, script) {
		t.Error("kindred.min.js is not what esbuild makes of the folder page: run go generate ./serving/snippet")
	}
}
