package dashboard

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
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

func TestPagesAreServedWithAPolicy(t *testing.T) {
	h := New(fstest.MapFS{"e1/report.html": {Data: []byte("<h1>good</h1>")}, "secret": {Data: []byte("x")}})
	tests := []struct {
		path, contentType, body string
		status                  int
	}{
		{"/", "text/html", "<title>Kindred</title>", 200},
		{"/assets/app.js", "text/javascript", "recommend", 200},
		{"/assets/style.css", "text/css", "--accent", 200},
		{"/assets/icon.svg", "image/svg+xml", "<svg", 200},
		{"/docs", "text/html", "/docs/start.js", 200},
		{"/docs/start.js", "text/javascript", "/openapi.json", 200},
		{"/docs/swagger-ui.js", "text/javascript", "SwaggerUIBundle", 200},
		{"/docs/swagger-ui.css", "text/css", ".swagger-ui", 200},
		{"/reports/e1", "text/html", "<h1>good</h1>", 200},
		{"/reports/e2", "text/plain", "no report", 404},
		{"/reports/..%2Fsecret", "text/plain", "no report", 404},
		{"/elsewhere", "text/plain", "404", 404},
		{"/assets/../secret", "text/plain", "404", 404},
		{"/reports//e1", "text/plain", "404", 404},
	}
	for _, tt := range tests {
		t.Run(tt.path, func(t *testing.T) {
			w := get(t, h, tt.path)
			if w.Code != tt.status || !strings.HasPrefix(w.Header().Get("Content-Type"), tt.contentType) || !strings.Contains(w.Body.String(), tt.body) {
				t.Errorf("got %d %s, want %d %s with %q in the body", w.Code, w.Header().Get("Content-Type"), tt.status, tt.contentType, tt.body)
			}
			if policy := w.Header().Get("Content-Security-Policy"); tt.status == 200 && !strings.HasPrefix(policy, "default-src 'none'") {
				t.Errorf("Content-Security-Policy = %q", policy)
			}
		})
	}
}

func TestNoReportsWithoutAPlaceForThem(t *testing.T) {
	if w := get(t, New(nil), "/reports/e1"); w.Code != 404 {
		t.Errorf("got %d, want 404", w.Code)
	}
}

func TestAssetsArePackedForThoseWhoTakeIt(t *testing.T) {
	w := get(t, New(nil), "/docs/swagger-ui.css", "Accept-Encoding", "gzip, br")
	if got := w.Header().Get("Content-Encoding"); got != "gzip" {
		t.Fatalf("Content-Encoding = %q, want gzip", got)
	}
	if plain, err := gunzip(w.Body.Bytes()); err != nil || !strings.Contains(string(plain), ".swagger-ui") {
		t.Errorf("the packed body does not unpack to the style sheet: %v", err)
	}
}

// TestVendoredFilesAreWhatTheirListSays compares every embedded file of another
// project with the checksum in vendored/README.md.
func TestVendoredFilesAreWhatTheirListSays(t *testing.T) {
	list, err := os.ReadFile("vendored/README.md")
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	err = fs.WalkDir(vendored, "vendored", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		packed, err := vendored.ReadFile(path)
		if err != nil {
			return err
		}
		plain, err := gunzip(packed)
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(path, "vendored/")
		sum := sha256.Sum256(plain)
		row := regexp.MustCompile(`(?m)^\| ` + regexp.QuoteMeta(name) + ` \|.*\| ` + hex.EncodeToString(sum[:]) + ` \|$`)
		if !row.Match(list) {
			t.Errorf("%s has SHA-256 %x, which vendored/README.md does not list for it", name, sum)
		}
		checked++
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if checked != 2 {
		t.Errorf("checked %d files, want 2", checked)
	}
}

// TestPagesAskNobodyElse holds the pages to what this server serves.
func TestPagesAskNobodyElse(t *testing.T) {
	err := fs.WalkDir(page, "page", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := page.ReadFile(path)
		if err != nil {
			return err
		}
		text := strings.ReplaceAll(string(body), "http://www.w3.org/2000/svg", "") // a namespace, not an address
		if found := regexp.MustCompile(`https?://[^\s"']+`).FindString(text); found != "" {
			t.Errorf("%s refers to %s", path, found)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
