package compat

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// waitLong is how long a browser may take for what a test waits for; machines are busy.
const waitLong = 60 * time.Second

// tap is the tracker's host as browsers see it: the server behind it, the scripts
// before it, and a memory of what was asked. It can be out of order.
type tap struct {
	*httptest.Server
	t *testing.T

	mu      sync.Mutex
	changed *sync.Cond
	fault   http.HandlerFunc // answers tracking calls instead of the server; nil: none
	refused string           // the event that makes a request a bad one
	asked   []asked
}

// asked is one request and its answer's status; 0 for none.
type asked struct {
	method, path string
	header       http.Header
	calls        []call
	at           time.Time
	status       int
}

// call is what the tests read of a tracking call.
type call struct {
	Type, Event, MessageID string
	Properties             map[string]any
}

// tapOn puts a tap before the server.
func tapOn(t *testing.T, s *server) *tap {
	t.Helper()
	behind, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	tp := &tap{t: t}
	tp.changed = sync.NewCond(&tp.mu)
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(behind)
		r.Out.Host = r.In.Host // pages find their settings' host in it
	}}
	tp.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { tp.handle(w, r, proxy) }))
	t.Cleanup(tp.Close)
	return tp
}

func (tp *tap) handle(w http.ResponseWriter, r *http.Request, next http.Handler) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the page went away while it sent
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	tp.mu.Lock()
	fault, refused := tp.fault, tp.refused
	i := len(tp.asked)
	tp.asked = append(tp.asked, asked{r.Method, r.URL.Path, r.Header.Clone(), callsOf(body), time.Now(), 0})
	tp.mu.Unlock()
	if fault != nil && r.Method == http.MethodPost {
		next = fault
	}
	if slices.ContainsFunc(callsOf(body), func(c call) bool { return c.Event != "" && c.Event == refused }) {
		next = http.HandlerFunc(badRequest)
	}
	answer := &statusWriter{ResponseWriter: w}
	defer func() {
		tp.mu.Lock()
		tp.asked[i].status = answer.status
		tp.changed.Broadcast()
		tp.mu.Unlock()
	}()
	next.ServeHTTP(answer, r)
}

// statusWriter remembers the status.
type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

func callsOf(body []byte) []call {
	var b struct {
		call
		Batch []call
	}
	if json.Unmarshal(body, &b) != nil {
		return nil
	}
	if b.Type != "" {
		return []call{b.call}
	}
	return b.Batch
}

// unreachable is a fault: the connection ends without an answer.
func unreachable(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// overloaded is the fault of a server that takes no more for the given seconds.
func overloaded(seconds string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Access-Control-Expose-Headers", "Retry-After")
		w.Header().Set("Retry-After", seconds)
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

// set makes the tap fail tracking calls, or with nil work again.
func (tp *tap) set(fault http.HandlerFunc) {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	tp.fault = fault
}

// badRequest is the answer to what no retry can mend.
func badRequest(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	w.WriteHeader(http.StatusBadRequest)
}

// refuse makes requests that hold a call of this event bad ones.
func (tp *tap) refuse(event string) {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	tp.refused = event
}

// requests are those to the path so far; "" is all.
func (tp *tap) requests(path string) []asked {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	var found []asked
	for _, a := range tp.asked {
		if path == "" || a.path == path {
			found = append(found, a)
		}
	}
	return found
}

// await waits until ok holds of the requests so far.
func (tp *tap) await(what string, ok func([]asked) bool) {
	tp.t.Helper()
	timer := time.AfterFunc(waitLong, tp.changed.Broadcast)
	defer timer.Stop()
	end := time.Now().Add(waitLong)
	tp.mu.Lock()
	defer tp.mu.Unlock()
	for !ok(tp.asked) {
		if !time.Now().Before(end) {
			var seen strings.Builder
			for _, a := range tp.asked {
				seen.WriteString("\n" + a.method + " " + a.path + " " + http.StatusText(a.status) + " " + a.header.Get("Access-Control-Request-Headers"))
				for _, c := range a.calls {
					seen.WriteString("\n    " + c.Type + " " + c.Event)
				}
			}
			tp.t.Fatalf("waited in vain for %s; so far:%s", what, seen.String())
		}
		tp.changed.Wait()
	}
}

// awaitTaken waits until calls with all of the names were taken in.
func (tp *tap) awaitTaken(names ...string) {
	tp.t.Helper()
	tp.await(strings.Join(names, ", "), func(all []asked) bool {
		taken := taken(all)
		return !slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(taken, n) })
	})
}

// taken are the names of the calls that the server acknowledged: a track's event, or
// the type.
func taken(all []asked) (names []string) {
	for _, a := range all {
		if a.status != http.StatusOK {
			continue
		}
		for _, c := range a.calls {
			if names = append(names, c.Type); c.Event != "" {
				names[len(names)-1] = c.Event
			}
		}
	}
	return names
}
