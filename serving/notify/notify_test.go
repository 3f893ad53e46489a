package notify

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kindred/data"
	"kindred/serving/changes"
)

// TestDeliveredThroughFailures posts to a server that refuses, hangs, redirects, drops
// connections, takes a change and then fails, and asks to wait, each at random.
func TestDeliveredThroughFailures(t *testing.T) {
	for _, batch := range []int{1, 7} {
		t.Run(fmt.Sprint("batch ", batch), func(t *testing.T) {
			r := newReceiver(t)
			var mu sync.Mutex
			rng := rand.New(rand.NewPCG(1, uint64(batch)))
			elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
			defer elsewhere.Close()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				mu.Lock()
				what := rng.IntN(40)
				mu.Unlock()
				switch {
				case what < 6:
					w.WriteHeader(http.StatusInternalServerError)
				case what < 8:
					http.Redirect(w, req, elsewhere.URL, http.StatusTemporaryRedirect)
				case what < 10:
					w.Header().Set("Retry-After", "0")
					w.WriteHeader(http.StatusTooManyRequests)
				case what < 11:
					io.Copy(io.Discard, req.Body)
					<-req.Context().Done() // hangs
				case what < 13:
					panic(http.ErrAbortHandler)
				case what < 16:
					r.take(req)
					w.WriteHeader(http.StatusBadGateway) // it was taken all the same
				default:
					r.take(req)
				}
			}))
			defer server.Close()
			w := newWorld(3)
			n := w.fill(20, 10)
			h := hook("hook", server.URL)
			h.Batch = batch
			d, stop := w.start(t, configOf(h))
			defer stop()
			await(t, "all delivered", func() bool { return d.Status()[0].Delivered == uint64(n) })
			stop()
			r.inOrder(w)
			if len(w.letters) > 0 {
				t.Errorf("%d dead letters", len(w.letters))
			}
			if s := d.Status()[0]; s.Seconds.Count != uint64(n) || s.Failed == 0 {
				t.Errorf("status %+v", s)
			}
		})
	}
}

// TestKilledProcessRepeatsAndLosesNothing ends dispatchers whose last places are lost.
func TestKilledProcessRepeatsAndLosesNothing(t *testing.T) {
	r := newReceiver(t)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { r.take(req) }))
	defer server.Close()
	w := newWorld(2)
	cfg := configOf(hook("hook", server.URL))
	n := 0
	for round := range 4 {
		n += w.fill(10, 5)
		at := r.count() + 20
		_, stop := w.start(t, cfg)
		await(t, "some delivered", func() bool { return r.count() >= at })
		w.mu.Lock()
		w.frozen = round%2 == 0
		w.mu.Unlock()
		stop()
		w.frozen = false
	}
	_, stop := w.start(t, cfg)
	defer stop()
	await(t, "all delivered", func() bool { return r.count() >= n })
	stop()
	r.inOrder(w)
}

func TestSlowWebhookHoldsUpNoOther(t *testing.T) {
	r := newReceiver(t)
	fast := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { r.take(req) }))
	defer fast.Close()
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
		io.Copy(io.Discard, req.Body)
		<-req.Context().Done()
	}))
	defer slow.Close()
	w := newWorld(1)
	h := hook("slow", slow.URL)
	h.Timeout = time.Minute
	d, stop := w.start(t, configOf(h, hook("fast", fast.URL)))
	n := w.fill(10, 60) // more than a page
	await(t, "the fast one has all", func() bool { return r.count() == n })
	if s := d.Status()[0]; s.Delivered != 0 {
		t.Errorf("the slow one has %d", s.Delivered)
	}
	stop()
	if at := w.places["notify/slow"]; at != "-" {
		t.Errorf("the slow one's place is %s", at)
	}
	if at := w.places["notify/fast"]; at != fmt.Sprint(n-1) {
		t.Errorf("the fast one's place is %s of %d", at, n)
	}
}

// TestRefusedForGoodIsADeadLetterThatCanBeSentAgain also sees that who asks to wait is left alone.
func TestRefusedForGoodIsADeadLetterThatCanBeSentAgain(t *testing.T) {
	r := newReceiver(t)
	var mu sync.Mutex
	asked, healed := map[string]int{}, false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		key := req.Header.Get("Idempotency-Key")
		asked[key]++
		switch {
		case key == "0/0/0" && !healed:
			w.WriteHeader(http.StatusUnprocessableEntity)
		case key == "0/1/0" && !healed:
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			r.take(req)
		}
	}))
	defer server.Close()
	w := newWorld(1)
	h := hook("hook", server.URL)
	h.Attempts = 3
	d, stop := w.start(t, configOf(h))
	defer stop()
	for _, who := range []string{"a", "b", "c"} {
		w.add(0, entered(who, "s"))
	}
	await(t, "two dead and one delivered", func() bool { s := d.Status()[0]; return s.Dead == 2 && s.Delivered == 1 })
	mu.Lock()
	if asked["0/0/0"] != 1 || asked["0/1/0"] != 3 {
		t.Errorf("asked %v", asked)
	}
	mu.Unlock()
	if _, err := d.Replay(t.Context(), "nobody", 0, 10); err == nil {
		t.Error("an unknown webhook is replayed")
	}
	if got, err := d.Replay(t.Context(), "hook", 0, 1); err != nil || got.Tried != 1 || got.Failed != 1 || !got.More {
		t.Errorf("replay before it heals: %+v, %v", got, err)
	}
	mu.Lock()
	healed = true
	mu.Unlock()
	if got, err := d.Replay(t.Context(), "hook", 0, 10); err != nil || got.Delivered != 2 || got.More {
		t.Errorf("replay: %+v, %v", got, err)
	}
	if len(w.letters) != 0 || r.count() != 3 {
		t.Errorf("%d letters left, %d changes came", len(w.letters), r.count())
	}
}

func TestRetryAfterQuietsTheWholeWebhook(t *testing.T) {
	now := time.Unix(1000, 0)
	var waits []time.Duration
	tg := &target{cfg: DefaultWebhook(), deps: &Deps{Now: func() time.Time { return now }, Sleep: func(_ context.Context, d time.Duration) error {
		waits, now = append(waits, d), now.Add(d)
		return nil
	}}, turns: make(chan struct{}, 1), seconds: changes.NewHistogram()}
	for header, want := range map[string]time.Duration{"7": 7 * time.Second, "": 0, "-1": 0, "soon": 0, "86400": 5 * time.Minute, now.Add(time.Minute).UTC().Format(http.TimeFormat): time.Minute} {
		now, waits, tg.quiet = time.Unix(1000, 0), nil, time.Time{}
		tg.heard(&message{}, &refusal{429, retryAfter(header, now)})
		if err := tg.turn(t.Context()); err != nil {
			t.Fatal(err)
		}
		<-tg.turns
		if sum := time.Duration(0); want > 0 && (len(waits) != 1 || waits[0] != want) || want == 0 && len(waits) > 0 {
			t.Errorf("%q: waited %v (%v), want %v", header, waits, sum, want)
		}
	}
}

func TestOnlyWhatIsWantedIsSent(t *testing.T) {
	r := newReceiver(t)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { r.take(req) }))
	defer server.Close()
	w := newWorld(1)
	h := hook("hook", server.URL)
	h.Segments, h.Events, h.Parallel = []string{"mine"}, []string{"segment_entered", "merged"}, 1
	d, stop := w.start(t, configOf(h))
	defer stop()
	w.add(0, entered("a", "other"))
	w.add(0, entered("a", "mine"))
	w.add(0, entered("a", "named")) // its rule names the webhook
	w.add(0, data.Change{At: time.Now(), Profile: "a", Type: "segment_exited", From: "mine"})
	w.add(0, data.Change{At: time.Now(), Profile: "a", Type: "merged", From: "a", To: "b"})
	await(t, "three delivered, two skipped", func() bool { s := d.Status()[0]; return s.Delivered == 3 && s.Skipped == 2 })
	stop()
	var got []string
	for _, v := range r.took["a"] {
		got = append(got, v.Type+" "+v.Segment+v.To)
	}
	if want := []string{"segment_entered mine", "segment_entered named", "merged b"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestWebhookBeginsNow(t *testing.T) {
	r := newReceiver(t)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) { r.take(req) }))
	defer server.Close()
	w := newWorld(1)
	w.add(0, entered("a", "before"))
	h := hook("hook", server.URL)
	h.From = "now"
	d, stop := w.start(t, configOf(h))
	defer stop()
	await(t, "a place", func() bool { return d.Status()[0].Place == "0" })
	w.add(0, entered("a", "behind"))
	await(t, "one", func() bool { return d.Status()[0].Delivered > 0 })
	stop()
	if len(r.took["a"]) != 1 || r.took["a"][0].Segment != "behind" {
		t.Errorf("got %v", r.took["a"])
	}
}

// TestPrivateNetworksAreNotAsked posts to an address whose name would lead inside.
func TestPrivateNetworksAreNotAsked(t *testing.T) {
	for _, url := range []string{"https://10.0.0.1/", "https://169.254.169.254/latest", "https://[fd00::1]/"} {
		h := hook("hook", url)
		tg := &target{cfg: h, deps: &Deps{Now: time.Now}, client: client(h)}
		if err := tg.post(t.Context(), &message{}); err == nil || !strings.Contains(err.Error(), "not a public address") {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func TestSignature(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	header := Sign(at, []byte("{}"), "new-secret", "old-secret")
	if want := "t=1700000000,v1="; !strings.HasPrefix(header, want) || strings.Count(header, "v1=") != 2 {
		t.Errorf("the header is %s", header)
	}
	for _, c := range []struct {
		header, body, secret string
		now                  time.Time
		ok                   bool
	}{
		{header, "{}", "new-secret", at, true},
		{header, "{}", "old-secret", at.Add(time.Minute), true},
		{header, "{}", "no-secret", at, false},
		{header, "{} ", "new-secret", at, false},
		{header, "{}", "new-secret", at.Add(time.Hour), false},
		{strings.Replace(header, "t=17", "t=18", 1), "{}", "new-secret", at.Add(100_000_000 * time.Second), false},
		{"", "{}", "new-secret", at, false},
		{"t=1700000000", "{}", "new-secret", at, false},
	} {
		if err := Verify(c.header, []byte(c.body), c.secret, c.now, 5*time.Minute); (err == nil) != c.ok {
			t.Errorf("Verify(%q, %q, %q) = %v", c.header, c.body, c.secret, err)
		}
	}
	// As printf '1700000000.{}' | openssl dgst -sha256 -hmac new-secret says it.
	if got, want := Sign(at, []byte("{}"), "new-secret"), "t=1700000000,v1=8f23e039c29d75c9afe5314154dce1b3439df09c82c0f57875c1407a328f6841"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestConfig(t *testing.T) {
	good := configOf(hook("hook", "https://example.com/in?key=abc"))
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	shown := fmt.Sprint(good.Masked())
	if strings.Contains(shown, testSecret) || strings.Contains(shown, "abc") {
		t.Errorf("shown: %s", shown)
	}
	if good.Webhooks[0].Secret != testSecret {
		t.Error("masking changed the configuration")
	}
	for name, change := range map[string]func(*Webhook){
		"name": func(w *Webhook) { w.Name = "A b" }, "http": func(w *Webhook) { w.URL = "http://example.com/" },
		"no address": func(w *Webhook) { w.URL = "" }, "password": func(w *Webhook) { w.URL = "https://a:b@example.com/" },
		"no secret": func(w *Webhook) { w.Secret = "" }, "short secret": func(w *Webhook) { w.Secret = "short" },
		"events": func(w *Webhook) { w.Events = []string{"segment_change"} }, "no events": func(w *Webhook) { w.Events = nil },
		"from": func(w *Webhook) { w.From = "then" }, "batch": func(w *Webhook) { w.Batch = 0 }, "parallel": func(w *Webhook) { w.Parallel = 0 },
		"timeout": func(w *Webhook) { w.Timeout = 0 }, "attempts": func(w *Webhook) { w.Attempts = 0 }, "back-off": func(w *Webhook) { w.BackoffMax = 0 },
		"network": func(w *Webhook) { w.AllowPrivate = []string{"10.0.0.0"} },
	} {
		w := hook("hook", "https://example.com/")
		change(&w)
		if configOf(w).Validate() == nil {
			t.Errorf("%s: no objection", name)
		}
	}
	if configOf(hook("a", "https://example.com/"), hook("a", "https://example.com/")).Validate() == nil {
		t.Error("two webhooks have one name")
	}
}
