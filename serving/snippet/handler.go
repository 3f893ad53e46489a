package snippet

import (
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// The pages' script is minified and committed: go generate makes it of the folder page.
//
//go:generate sh -c "../../deploy/services/minify.sh page/kindred.js >kindred.min.js.new && mv kindred.min.js.new kindred.min.js"
//go:embed kindred.min.js
var script []byte

//go:embed vendored/analytics-next/*.gz
var vendored embed.FS

// library is the folder of analytics.js among the embedded files.
const library = "vendored/analytics-next/"

// prelude goes before analytics.js. The library learns where it came from out of its
// script tag for https only and otherwise asks Segment's own host; with this it
// stays where the page got it. A page's own _cdn wins.
const prelude = `!function(s,i){if(s&&(i=s.src.indexOf("/analytics.js/v1/"))>0){` +
	`var k=s.getAttribute("data-global-segment-analytics-key")||"analytics",a=window[k]=window[k]||[];` +
	`a._cdn=a._cdn||s.src.slice(0,i)}}(document.currentScript);` + "\n"

// Deps are what the handler asks of its surroundings. Both may be nil.
type Deps struct {
	// Known reports whether a write key may be used; nil takes every key.
	Known func(key string) bool
	// Trusted reports whether the request comes from a proxy whose X-Forwarded-Proto
	// is believed; nil believes nobody.
	Trusted func(r *http.Request) bool
}

// Paths are what the handler answers, as patterns of http.ServeMux.
func Paths() []string {
	return []string{
		"/kindred.js",
		"/analytics.js/v1/{key}/analytics.min.js",
		"/analytics-next/bundles/{file}",
		"/v1/projects/{key}/settings",
	}
}

type server struct {
	cfg  Config
	deps Deps
}

// New returns the handler of Paths, for GET, HEAD and a page's OPTIONS. Any other
// path is not found, without a redirect: trackers take one for success.
func New(cfg Config, deps Deps) http.Handler {
	s := &server{cfg: cfg, deps: deps}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /kindred.js", s.serveAsset(pack(script)))
	mux.HandleFunc("GET /analytics.js/v1/{key}/analytics.min.js", s.serveAsset(pack(append([]byte(prelude), mustUnpack("standalone.js.gz")...))))
	mux.HandleFunc("GET /analytics-next/bundles/{file}", s.serveChunk())
	mux.HandleFunc("GET /v1/projects/{key}/settings", s.serveSettings)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Access-Control-Allow-Origin", "*") // scripts and settings are public
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		h.Set("X-Content-Type-Options", "nosniff")
		p := r.URL.EscapedPath()
		if path.Clean(p) != p { // the mux would answer with a redirect
			http.NotFound(w, r)
			return
		}
		if r.Method == http.MethodOptions {
			h.Set("Access-Control-Allow-Methods", "GET, OPTIONS")
			h.Set("Access-Control-Max-Age", "86400")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// serveAsset sends a script whose name stays while its content changes.
func (s *server) serveAsset(a asset) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.keep(w, "public", s.cfg.MaxAge)
		a.serve(w, r)
	}
}

// serveChunk sends the parts that analytics.js loads when it needs them. Their names
// carry a hash of their content.
func (s *server) serveChunk() http.HandlerFunc {
	chunks := map[string]asset{}
	names, err := fs.Glob(vendored, library+"*.bundle.*.js.gz")
	if err != nil || len(names) == 0 {
		panic(fmt.Sprintf("snippet: no chunks of analytics.js are embedded: %v", err))
	}
	for _, name := range names {
		base := path.Base(name)
		packed, err := vendored.ReadFile(name)
		if err != nil {
			panic("snippet: " + err.Error()) // an embedded file is missing: a mistake in this package
		}
		chunks[strings.TrimSuffix(base, ".gz")] = newAsset(packed, mustUnpack(base))
	}
	return func(w http.ResponseWriter, r *http.Request) {
		a, ok := chunks[r.PathValue("file")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		a.serve(w, r)
	}
}

// keep says how long the answer may be kept, and by whom.
func (s *server) keep(w http.ResponseWriter, who string, maxAge time.Duration) {
	w.Header().Set("Cache-Control", who+", max-age="+strconv.Itoa(int(maxAge.Seconds())))
}
