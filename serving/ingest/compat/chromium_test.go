package compat

import (
	"context"
	"fmt"
	"html/template"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

func TestMain(m *testing.M) {
	code := m.Run()
	stopChromium()
	os.Exit(code)
}

// stopChromium ends the browser if one was started.
var stopChromium = func() {}

// chromium starts one headless Chromium for all tests of a run.
var chromium = sync.OnceValues(func() (context.Context, error) {
	out, err := exec.Command(root + "/deploy/services/chromium.sh").Output()
	if exit, ok := err.(*exec.ExitError); ok {
		return nil, fmt.Errorf("%w: %s", err, exit.Stderr)
	} else if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "kindred-chromium-")
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(strings.TrimSpace(string(out))), chromedp.UserDataDir(dir), chromedp.WSURLReadTimeout(waitLong),
		chromedp.DisableGPU, chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("no-proxy-server", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox refuses to run as root
	}
	allocator, stopAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(allocator)
	stopChromium = func() {
		stop()
		stopAllocator()
		os.RemoveAll(dir)
	}
	return ctx, chromedp.Do(ctx)
})

// visitor is a tab of a browser profile.
type visitor struct {
	t   *testing.T
	ctx context.Context
}

// visit opens a tab in a new profile, in which nothing is stored yet.
func visit(t *testing.T) *visitor {
	t.Helper()
	ctx, err := chromium()
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI=true needs Chromium: %v", err)
		}
		t.Skipf("NOT TESTED IN A BROWSER: %v", err)
	}
	return tab(t, ctx, chromedp.WithNewBrowserContext())
}

// tab opens another tab in the same profile.
func (v *visitor) tab() *visitor { return tab(v.t, v.ctx) }

func tab(t *testing.T, parent context.Context, options ...chromedp.ContextOption) *visitor {
	t.Helper()
	ctx, stop := chromedp.NewContext(parent, options...)
	t.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil { // the tab lives as long as this context
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(ctx, 2*waitLong)
	t.Cleanup(cancel)
	return &visitor{t, ctx}
}

// do runs actions in the tab.
func (v *visitor) do(actions ...chromedp.Action[chromedp.Void]) {
	v.t.Helper()
	if err := chromedp.Do(v.ctx, actions...); err != nil {
		v.t.Fatal(err)
	}
}

// open goes to a page and waits until its load event.
func (v *visitor) open(url string) {
	v.t.Helper()
	v.do(chromedp.Navigate(url))
}

// run runs JavaScript in the page, as the body of an async function.
func (v *visitor) run(js string) {
	v.t.Helper()
	v.do(chromedp.Evaluate[chromedp.Void]("(async () => {"+js+"\n})()", chromedp.EvalAwaitPromise))
}

// until waits until a JavaScript expression is true.
func (v *visitor) until(js string) {
	v.t.Helper()
	if _, err := chromedp.Run(v.ctx, chromedp.Poll[bool]("!!("+js+")", chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(waitLong))); err != nil {
		v.t.Fatalf("wait until %s: %v", js, err)
	}
}

// read is the value of a JavaScript expression.
func read[T any](v *visitor, js string) T {
	v.t.Helper()
	value, err := chromedp.Run(v.ctx, chromedp.Evaluate[T](js))
	if err != nil {
		v.t.Fatal(err)
	}
	return value
}

// setUp is what each browser test needs, which runs beside the others: a visitor with
// nothing stored, a server, the tap before it, and the address of the pages of testdata.
func setUp(t *testing.T, args ...string) (v *visitor, s *server, track *tap, pages string) {
	t.Helper()
	t.Parallel()
	v = visit(t)
	s = serve(t, args...)
	track = tapOn(t, s)
	return v, s, track, shop(t, track)
}

// shop serves the pages in testdata on an origin of their own; the tap's address is
// {{.Track}} in them, and what the address has after "?with=" {{.Options}}. Below /npm/
// are the packages from npm.
func shop(t *testing.T, track *tap) string {
	t.Helper()
	pages, err := template.ParseGlob("testdata/*.html")
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, ok := strings.CutPrefix(r.URL.Path, "/npm/"); ok {
			modules, err := packages()
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			http.ServeFile(w, r, filepath.Join(modules, filepath.FromSlash(name)))
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		values := struct {
			Track, TrackHost string
			Options          template.JS
		}{track.URL, strings.TrimPrefix(track.URL, "http://"), template.JS(r.URL.Query().Get("with"))}
		if err := pages.ExecuteTemplate(w, strings.TrimPrefix(r.URL.Path, "/"), values); err != nil {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
}
