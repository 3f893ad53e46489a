package dashboard

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed page
var page embed.FS

//go:embed vendored/swagger-ui/*.gz
var vendored embed.FS

// contentPolicy lets a page load only what this server serves. Swagger UI sets
// styles from its script, hence 'unsafe-inline' for styles alone.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
	"connect-src 'self'; font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// reportPolicy is for evaluation reports, which carry their style inside.
const reportPolicy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// New returns the handler of "/", "/assets/", "/docs", "/docs/" and "/reports/".
// reports holds one directory per evaluation with its report.html; nil means that
// there are none. Any other path is not found, without a redirect.
func New(reports fs.FS) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", servePage("page/index.html"))
	mux.HandleFunc("GET /assets/app.js", servePage("page/app.js"))
	mux.HandleFunc("GET /assets/style.css", servePage("page/style.css"))
	mux.HandleFunc("GET /assets/icon.svg", servePage("page/icon.svg"))
	mux.HandleFunc("GET /favicon.ico", servePage("page/icon.svg"))
	mux.HandleFunc("GET /docs", servePage("page/docs.html"))
	mux.HandleFunc("GET /docs/start.js", servePage("page/docs.js"))
	mux.HandleFunc("GET /docs/swagger-ui.js", serveVendored("swagger-ui-bundle.js.gz", "text/javascript; charset=utf-8"))
	mux.HandleFunc("GET /docs/swagger-ui.css", serveVendored("swagger-ui.css.gz", "text/css; charset=utf-8"))
	if reports != nil {
		mux.HandleFunc("GET /reports/{id}", serveReport(reports))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := r.URL.EscapedPath(); path.Clean(p) != p { // the mux would answer with a redirect
			http.NotFound(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

var contentTypes = map[string]string{
	"html": "text/html; charset=utf-8",
	"js":   "text/javascript; charset=utf-8",
	"css":  "text/css; charset=utf-8",
	"svg":  "image/svg+xml",
}

func servePage(name string) http.HandlerFunc {
	body, err := page.ReadFile(name)
	if err != nil {
		panic("dashboard: " + err.Error()) // an embedded file is missing: a mistake in this package
	}
	contentType := contentTypes[name[strings.LastIndex(name, ".")+1:]]
	return func(w http.ResponseWriter, _ *http.Request) {
		secure(w, contentPolicy)
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache")
		w.Write(body)
	}
}

// serveReport answers /reports/{id} with the evaluation's report page.
func serveReport(reports fs.FS) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("id") + "/report.html"
		body, err := fs.ReadFile(reports, name) // fs.FS refuses paths that climb
		if err != nil {
			http.Error(w, "There is no report of that evaluation.", http.StatusNotFound)
			return
		}
		secure(w, reportPolicy)
		w.Header().Set("Content-Type", contentTypes["html"])
		w.Write(body)
	}
}

func secure(w http.ResponseWriter, policy string) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
}
