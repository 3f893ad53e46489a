package poll

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"kindred/serving/ingest/secret"
)

// crm is the other side, without a network.
type crm struct {
	http.HandlerFunc
	asked []string
}

func (c *crm) RoundTrip(r *http.Request) (*http.Response, error) {
	c.asked = append(c.asked, r.URL.RequestURI())
	w := httptest.NewRecorder()
	c.HandlerFunc(w, r)
	return w.Result(), nil
}

// house is our side: a store in memory, and the calls that were taken.
type house struct {
	mu    sync.Mutex
	saved map[string][]byte
	calls []json.RawMessage
	ids   map[string]int
	fail  error
}

func (h *house) LoadCursor(_ context.Context, name string) ([]byte, error) { return h.saved[name], nil }

func (h *house) SaveCursor(_ context.Context, name string, state []byte) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.saved == nil {
		h.saved = map[string][]byte{}
	}
	h.saved[name] = state
	return nil
}

func (h *house) accept(_ context.Context, source string, calls []json.RawMessage) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.fail != nil {
		return 0, h.fail
	}
	if h.ids == nil {
		h.ids = map[string]int{}
	}
	for _, c := range calls {
		var call struct{ MessageID, UserID string }
		json.Unmarshal(c, &call)
		h.ids[call.MessageID]++
		h.calls = append(h.calls, c)
	}
	return 0, nil
}

func (h *house) users() (out []string) {
	for _, c := range h.calls {
		var call struct{ UserID string }
		json.Unmarshal(c, &call)
		out = append(out, call.UserID)
	}
	return out
}

func connector(t testing.TB, other http.RoundTripper, h *house, change func(*Config)) *Poller {
	t.Helper()
	cfg := Default()
	cfg.Name, cfg.URL = "crm", "https://crm.example/people"
	if change != nil {
		change(&cfg)
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	p, err := New(cfg, Deps{Accept: h.accept, Store: h, Client: &http.Client{Transport: other}, Secrets: secret.System(), Now: time.Now, Jitter: func() float64 { return 0.5 }})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPagesAreFollowedAndTheirPlaceIsKept(t *testing.T) {
	// Six people, two a page.
	page := func(w http.ResponseWriter, n int, rest string) {
		var list []string
		for i := 2 * n; i < 2*n+2 && i < 6; i++ {
			list = append(list, fmt.Sprintf(`{"id":"u%d","at":"2026-11-0%dT00:00:00Z"}`, i, 9-i))
		}
		fmt.Fprintf(w, `{"list":[%s]%s}`, strings.Join(list, ","), rest)
	}
	number := func(s string) (n int) { fmt.Sscan(s, &n); return n }
	tests := map[string]struct {
		change func(*Config)
		answer http.HandlerFunc
		asked  []string // of two runs
	}{
		"link": {
			func(c *Config) { c.Pages = "link" },
			func(w http.ResponseWriter, r *http.Request) {
				n := number(r.URL.Query().Get("p"))
				if n < 2 {
					w.Header().Add("Link", `</people?p=0>; rel="first"; title="a, <b>; rel=next"`)
					w.Header().Add("Link", fmt.Sprintf(`</people?p=%d>; title=x; rel="last next"`, n+1))
				}
				page(w, n, "")
			},
			[]string{"/people", "/people?p=1", "/people?p=2", "/people", "/people?p=1", "/people?p=2"},
		},
		"address in the body, greatest time remembered": {
			func(c *Config) {
				c.URL, c.Pages, c.NextPath = "https://crm.example/people?since={cursor}", "body", "next"
				c.Cursor, c.CursorStart, c.Fields.Updated = "updated", "2020-01-01", "at"
			},
			func(w http.ResponseWriter, r *http.Request) {
				n := number(r.URL.Query().Get("p"))
				rest := ""
				if n < 2 {
					rest = fmt.Sprintf(`,"next":"https://crm.example/people?p=%d"`, n+1)
				}
				page(w, n, rest)
			},
			[]string{"/people?since=2020-01-01", "/people?p=1", "/people?p=2", "/people?since=2026-11-09T00%3A00%3A00Z", "/people?p=1", "/people?p=2"},
		},
		"token in the body": {
			func(c *Config) { c.URL, c.Pages, c.NextPath = "https://crm.example/people?t={page}", "body", "next" },
			func(w http.ResponseWriter, r *http.Request) {
				n := number(r.URL.Query().Get("t"))
				rest := `,"next":null`
				if n < 2 {
					rest = fmt.Sprintf(`,"next":%d`, n+1)
				}
				page(w, n, rest)
			},
			[]string{"/people?t=", "/people?t=1", "/people?t=2", "/people?t=", "/people?t=1", "/people?t=2"},
		},
		"number": {
			func(c *Config) { c.URL, c.Pages = "https://crm.example/people?n={page}", "number" },
			func(w http.ResponseWriter, r *http.Request) { page(w, number(r.URL.Query().Get("n"))-1, "") },
			[]string{"/people?n=1", "/people?n=2", "/people?n=3", "/people?n=4", "/people?n=1", "/people?n=2", "/people?n=3", "/people?n=4"},
		},
		"cursor that moves on": {
			func(c *Config) {
				c.URL, c.Cursor, c.CursorPath = "https://crm.example/people?after={cursor}", "body", "cursor"
			},
			func(w http.ResponseWriter, r *http.Request) {
				n := number(r.URL.Query().Get("after"))
				page(w, n, fmt.Sprintf(`,"cursor":%d`, min(n+1, 3)))
			},
			[]string{"/people?after=", "/people?after=1", "/people?after=2", "/people?after=3", "/people?after=3"},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			other, h := &crm{HandlerFunc: test.answer}, new(house)
			change := func(c *Config) { c.Records = "list"; test.change(c) }
			p := connector(t, other, h, change)
			for range 2 {
				if err := p.Once(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(other.asked, test.asked) {
				t.Errorf("asked %q\nwant  %q", other.asked, test.asked)
			}
			if got := h.users(); !slices.Equal(got, []string{"u0", "u1", "u2", "u3", "u4", "u5"}) {
				t.Errorf("users %v", got)
			}
			// One page a run, each by a new process: the same people, none left out.
			again := &house{}
			for range 8 {
				if err := connector(t, other, again, func(c *Config) { change(c); c.MaxPages = 1 }).Once(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if len(again.ids) != 6 {
				t.Errorf("%d people, page by page, want 6", len(again.ids))
			}
			for id := range again.ids {
				if h.ids[id] != 1 {
					t.Errorf("id %s is another one than before", id)
				}
			}
		})
	}
}

// At every request and every handing over something may fail: in the end everybody is there, and the place is never ahead.
func TestNothingIsLostWhereverARunFails(t *testing.T) {
	for failing := range 11 { // a run has ten steps
		step := 0
		fails := func() bool { step++; return step == failing }
		other := &crm{}
		other.HandlerFunc = func(w http.ResponseWriter, r *http.Request) {
			if fails() {
				http.Error(w, "no", http.StatusBadGateway)
				return
			}
			n := 0
			fmt.Sscan(r.URL.Query().Get("n"), &n)
			if n > 3 {
				fmt.Fprint(w, `[]`)
				return
			}
			fmt.Fprintf(w, `[{"id":"a%d"},{"id":"b%d"},{"id":"c%d"}]`, n, n, n)
		}
		h := new(house)
		var p *Poller
		open := func() {
			p = connector(t, other, h, func(c *Config) {
				c.URL, c.Pages, c.MaxCalls = "https://crm.example/people?n={page}", "number", 2
			})
			accept := p.deps.Accept
			p.deps.Accept = func(ctx context.Context, source string, calls []json.RawMessage) (int, error) {
				if fails() {
					return 0, errors.New("full")
				}
				return accept(ctx, source, calls)
			}
		}
		open()
		err := p.Once(t.Context())
		if (err != nil) != (failing >= 1) {
			t.Errorf("step %d: %v", failing, err)
		}
		open() // a new process
		if err := p.Once(t.Context()); err != nil {
			t.Errorf("step %d, again: %v", failing, err)
		}
		if len(h.ids) != 9 {
			t.Errorf("step %d: %d people, want 9", failing, len(h.ids))
		}
	}
}

func TestAnUnchangedListIsNotReadAgain(t *testing.T) {
	conditional := 0
	other := &crm{HandlerFunc: func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("If-None-Match") == `"v1"` && r.Header.Get("If-Modified-Since") != "" {
			conditional++
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("ETag", `"v1"`)
		w.Header().Set("Last-Modified", "Sat, 21 Nov 2026 12:00:00 GMT")
		fmt.Fprint(w, `[{"id":"ann","n":1}]`)
	}}
	h := new(house)
	for range 3 {
		if err := connector(t, other, h, nil).Once(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if conditional != 2 || len(h.calls) != 1 {
		t.Errorf("%d answers without a list, %d calls; want 2 and 1", conditional, len(h.calls))
	}
	if err := connector(t, other, h, func(c *Config) { c.Fields.Traits = map[string]string{"number": "n"} }).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(h.ids) != 2 {
		t.Error("with other fields the list was not read again")
	}
}

func TestAFailureIsTriedAgainLaterAndLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		other := &crm{HandlerFunc: func(w http.ResponseWriter, r *http.Request) {
			at = append(at, time.Since(start))
			switch len(at) {
			case 1, 2, 3:
				http.Error(w, "no", http.StatusInternalServerError)
			case 4:
				w.Header().Set("Retry-After", "100")
				w.WriteHeader(http.StatusTooManyRequests)
			case 5:
				w.Header().Set("Retry-After", "100000000")
				w.WriteHeader(http.StatusServiceUnavailable)
			case 6:
				fmt.Fprint(w, "<html>")
			default:
				fmt.Fprint(w, `[{"id":"ann"}]`)
			}
		}}
		h := new(house)
		p := connector(t, other, h, func(c *Config) { c.BackoffMin, c.BackoffMax, c.Interval = 4*time.Second, 10*time.Minute, time.Hour })
		ctx, cancel := context.WithCancel(t.Context())
		var result error
		var wg sync.WaitGroup
		wg.Go(func() { result = p.Run(ctx) })
		time.Sleep(10 * time.Second)
		if s := p.Status(); s.Failures != 3 || !strings.Contains(s.LastError, "500") || !s.NextRun.Equal(start.Add(21*time.Second)) {
			t.Errorf("%+v", s)
		}
		time.Sleep(3 * time.Hour)
		cancel()
		wg.Wait()
		if result != nil {
			t.Errorf("Run: %v, want nil", result)
		}
		// Three quarters of 4, 8 and 16 seconds; 100 s; 10 minutes; three quarters of 128 s; then hourly.
		var want []time.Duration
		sum := time.Duration(0)
		for _, d := range []time.Duration{0, 3, 6, 12, 100, 600, 96, 3600, 3600} {
			sum += d * time.Second
			want = append(want, sum)
		}
		if !slices.Equal(at, want) {
			t.Errorf("asked at %v\nwant     %v", at, want)
		}
		if s := p.Status(); s.Failures != 0 || s.LastError != "" || s.Unchanged == 0 || s.Sent != 1 || s.Running {
			t.Errorf("%+v", s)
		}
	})
}

func TestAPageThatIsGoneBeginsTheListAnew(t *testing.T) {
	gone := false
	other := &crm{HandlerFunc: func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.RawQuery == "":
			w.Header().Set("Link", `<?p=2>; rel=next`)
		case gone:
			w.WriteHeader(http.StatusGone)
			return
		}
		fmt.Fprint(w, `[]`)
	}}
	h := new(house)
	one := func(c *Config) { c.Pages, c.MaxPages = "link", 1 }
	if err := connector(t, other, h, one).Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	gone = true
	if err := connector(t, other, h, one).Once(t.Context()); err == nil {
		t.Fatal("no error for a page that is gone")
	}
	gone = false
	p := connector(t, other, h, func(c *Config) { c.Pages = "link" })
	if err := p.Once(t.Context()); err != nil || !slices.Equal(other.asked, []string{"/people", "/people?p=2", "/people", "/people?p=2"}) {
		t.Errorf("%v, asked %q", err, other.asked)
	}
}

func TestBadAnswersAreErrorsWithoutSecrets(t *testing.T) {
	t.Setenv("KEY", "s3cret")
	for body, want := range map[string]string{
		`{"a":1}`: "is no list", `[1,`: "no JSON", `[` + strings.Repeat(`1,`, 600) + `1]`: "more than 1000 bytes", `[]x`: "no JSON", ``: "no JSON",
	} {
		other := &crm{HandlerFunc: func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, body) }}
		h := new(house)
		p := connector(t, other, h, func(c *Config) {
			c.MaxBodyBytes, c.URL, c.SecretHeaders = 1000, "https://crm.example/people?key=s3cret", map[string]string{"X-Key": "KEY"}
		})
		if err := p.Once(t.Context()); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
		if h.saved != nil {
			t.Error("a place was saved")
		}
	}
	if _, err := New(Config{Name: "x", SecretHeaders: map[string]string{"X": "NOT_SET_AT_ALL"}}, Deps{Secrets: secret.System()}); err == nil || !strings.Contains(err.Error(), "NOT_SET_AT_ALL") {
		t.Errorf("%v", err)
	}
}
