package compat

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// client is a tracker from npm. Each has a file in testdata/clients that makes its
// calls; docs/clients.md says the same in words.
type client struct {
	name string // of its file
	path string // it posts to
	// contentType and encoding are its requests' headers.
	contentType, encoding string
	// pause is the least that passes before it asks a server again that has answered 429
	// with "Retry-After: 2".
	pause time.Duration
	// window is the least time from a request that fails to the moment when the client gives
	// its calls up, as testdata/clients sets it up. An outage must be shorter.
	window time.Duration
}

// Retry windows, from the sources of the packages:
//
//   - Segment (plugins/segmentio/publisher.js, analytics-core backoff.js): 10 retries by default,
//     the n-th after min(60 s, r·0.5 s·2ⁿ) with r between 1 and 2, so 303 s at least. A 429
//     with Retry-After waits as long as asked, up to 300 s, and does not count.
//   - RudderStack (index.js, axios-retry exponentialDelay): the n-th retry after 0.1 s·2ⁿ, up to a
//     fifth more, or as long as Retry-After asks if that is longer. 3 retries by default, that is
//     1.4 s; with retryCount 10, as here, 204.6 s.
//   - PostHog (@posthog/core posthog-core-stateless.js, fetchWithRetry): 3 retries 3 s apart, and
//     Retry-After is not looked at. Then calls that got no answer at all stay in the queue (10,000
//     by default) for the next flush, those that got a 429 or 5xx are dropped.
//   - Snowplow (tracker-core newEmitter): no timer and no count; the next event or flush() tries
//     again with what is stored, up to 1,000 events by default.
var clients = []client{
	{"segment", "/v1/batch", "application/json", "", 2 * time.Second, 303 * time.Second},
	{"rudderstack", "/v1/batch", "application/x-www-form-urlencoded", "gzip", 2 * time.Second, 204600 * time.Millisecond},
	{"posthog", "/batch/", "application/json", "gzip", 3 * time.Second, 9 * time.Second},
	{"snowplow", "/com.snowplowanalytics.snowplow/tp2", "application/json; charset=UTF-8", "", 0, time.Hour},
}

// packages installs the clients once and returns the folder that node finds them in.
var packages = sync.OnceValues(func() (string, error) {
	if _, err := exec.LookPath("node"); err != nil {
		return "", err
	}
	var why strings.Builder
	install := exec.Command(filepath.Join(root, "deploy/services/npm.sh"))
	install.Stderr = &why
	out, err := install.Output()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, why.String())
	}
	return filepath.Join(strings.TrimSpace(string(out)), "node_modules"), nil
})

// needPackages skips a test where the packages cannot be had.
func needPackages(t *testing.T) {
	t.Helper()
	if _, err := packages(); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("CI=true needs node and the npm registry: %v", err)
		}
		t.Skipf("NOT TESTED WITH THE CLIENTS FROM NPM: %v", err)
	}
}

// eachClient runs a test with every client, at the same time.
func eachClient(t *testing.T, test func(*testing.T, client)) {
	t.Helper()
	needPackages(t)
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			test(t, c)
		})
	}
}

// application is a running node process that uses a client.
type application struct {
	t     *testing.T
	lines chan string // of its standard output, closed at its end
	in    io.WriteCloser
	lost  []string // why calls were given up
	asked int      // requests begun
}

// run starts testdata/clients/run.js, which explains the scenarios.
func (c client) run(t *testing.T, scenario, url, key string, env ...string) *application {
	t.Helper()
	modules, err := packages()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*waitLong+time.Duration(setting(t, "KILLS", 3))*20*time.Second)
	cmd := exec.CommandContext(ctx, "node", "testdata/clients/run.js", c.name, scenario, url, key)
	cmd.Env = append(append(os.Environ(), "NODE_PATH="+modules, "NO_PROXY=127.0.0.1"), env...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	a := &application{t: t, lines: make(chan string, 10_000)}
	if a.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var ended sync.WaitGroup
	t.Cleanup(func() {
		cancel()
		ended.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", c.name, said.String())
		}
	})
	ended.Go(func() {
		defer close(a.lines)
		defer cmd.Wait()
		for lines := bufio.NewScanner(out); lines.Scan(); {
			select {
			case a.lines <- lines.Text():
			case <-ctx.Done():
			}
		}
	})
	return a
}

// until reads what the application says up to the line with the prefix.
func (a *application) until(prefix string) {
	a.t.Helper()
	for line := range a.lines {
		if why, ok := strings.CutPrefix(line, "! "); ok {
			a.lost = append(a.lost, why)
		}
		if strings.HasPrefix(line, "> ") {
			a.asked++
		}
		if strings.HasPrefix(line, prefix) {
			return
		}
		if strings.HasPrefix(line, "= ") {
			a.t.Fatalf("the application said %q and not yet %q", line, prefix)
		}
	}
	a.t.Fatalf("the application ended before it said %q", prefix)
}

// view lets the application view n more products, each of 10 people another.
func (a *application) view(n int) {
	a.t.Helper()
	if _, err := fmt.Fprintln(a.in, n); err != nil {
		a.t.Fatal(err)
	}
}

// writeKey is the only one that a guarded server takes.
const writeKey = "write-key-of-the-shop"

// guarded are the arguments of a server that has keys; the source of what comes with
// writeKey is "shop".
func guarded(t *testing.T) []string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kindred.yaml")
	if err := os.WriteFile(path, []byte("http:\n  keys:\n    - {name: shop, secret: "+writeKey+", scopes: [ingest]}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return []string{"--config", path}
}

// posts are the requests to the client's path, checked to be what it is known to send.
func (c client) posts(t *testing.T, track *tap) []asked {
	t.Helper()
	posts := track.requests(c.path)
	if all := track.requests(""); len(all) != len(posts) {
		t.Errorf("%d of %d requests went elsewhere than to %s", len(all)-len(posts), len(all), c.path)
	}
	for _, p := range posts {
		if got, enc := p.header.Get("Content-Type"), p.header.Get("Content-Encoding"); p.method != http.MethodPost || got != c.contentType || enc != c.encoding {
			t.Errorf("got a %s of %q, encoding %q; the client is known to post %q, %q", p.method, got, enc, c.contentType, c.encoding)
		}
	}
	return posts
}

func TestAWrongKeyIsRefusedAndNothingOfItKept(t *testing.T) {
	t.Parallel()
	eachClient(t, func(t *testing.T, c client) {
		s := serve(t, guarded(t)...)
		track := tapOn(t, s)
		a := c.run(t, "views", track.URL, "another-key")
		a.view(5)
		a.until("= 5")
		for _, p := range c.posts(t, track) {
			if p.status != http.StatusUnauthorized {
				t.Errorf("got a %d, want 401", p.status)
			}
		}
		if len(a.lost) == 0 || slices.ContainsFunc(a.lost, func(why string) bool { return !strings.Contains(why, "401") && !strings.Contains(why, "Unauthorized") }) {
			t.Errorf("the application heard %q, want that it is unauthorized", a.lost)
		}
		if events := s.events("shop"); len(events) != 0 {
			t.Errorf("the log holds %d events", len(events))
		}
	})
}

func TestClientsWaitAsLongAsAnOverloadedServerAsks(t *testing.T) {
	t.Parallel()
	eachClient(t, func(t *testing.T, c client) {
		s := serve(t)
		track := tapOn(t, s)
		track.set(overloaded("2"))
		a := c.run(t, "views", track.URL, "shop")
		a.view(5)
		track.await("a refusal", func(all []asked) bool {
			return slices.ContainsFunc(all, func(a asked) bool { return a.status == http.StatusTooManyRequests })
		})
		track.set(nil)
		a.until("= 5")
		posts := c.posts(t, track)
		again := slices.IndexFunc(posts, func(a asked) bool { return a.status == http.StatusOK })
		if again < 1 {
			t.Fatalf("the statuses are %v, want 429 and then 200", statuses(posts))
		}
		if pause := posts[again].at.Sub(posts[0].at); pause < c.pause {
			t.Errorf("the next try came after %v, want %v at least", pause, c.pause)
		}
		if len(a.lost) > 0 {
			t.Errorf("the client gave up: %v", a.lost)
		}
		if events := s.events("shop"); len(events) != 5 {
			t.Errorf("the log holds %d events, want 5", len(events))
		}
	})
}

func statuses(all []asked) (list []int) {
	for _, a := range all {
		list = append(list, a.status)
	}
	return list
}
