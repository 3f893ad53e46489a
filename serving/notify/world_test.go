package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"kindred/data"
	"kindred/serving/changes"
	"kindred/serving/ingest/secret"
)

// world is a store of changes, places and dead letters that a test fills.
type world struct {
	mu       sync.Mutex
	parts    [][]data.Change
	ends     []int64
	grown    chan struct{}
	places   map[string]string
	frozen   bool // places are lost, as when the process is killed before it saves
	letters  []data.DeadLetter
	sequence uint64
}

func newWorld(partitions int) *world {
	return &world{parts: make([][]data.Change, partitions), ends: make([]int64, partitions), grown: make(chan struct{}), places: map[string]string{}}
}

// add publishes a change of a record of its own.
func (w *world) add(p int, c data.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	c.Partition, c.Offset = int32(p), w.ends[p]
	w.parts[p], w.ends[p] = append(w.parts[p], c), w.ends[p]+1
	close(w.grown)
	w.grown = make(chan struct{})
}

func (w *world) Changes(_ context.Context, p int32, offset int64, k int32, limit int) ([]data.Change, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []data.Change
	for _, c := range w.parts[p] {
		if changes.Of(c).Compare(changes.At{Offset: offset, K: k}) > 0 && len(out) < limit {
			out = append(out, c)
		}
	}
	return out, nil
}

func (w *world) End(p int32) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ends[p]
}

func (w *world) Folded(p int32) int64 { return w.End(p) }

func (w *world) WaitFolded(ctx context.Context, p int32, offset int64) error {
	return w.Wait(ctx, p, offset)
}

func (w *world) Wait(ctx context.Context, p int32, after int64) error {
	for {
		w.mu.Lock()
		end, grown := w.ends[p], w.grown
		w.mu.Unlock()
		if end > after {
			return nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (w *world) LoadCursor(_ context.Context, name string) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if s, ok := w.places[name]; ok {
		return []byte(s), nil
	}
	return nil, nil
}

func (w *world) SaveCursor(_ context.Context, name string, state []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.frozen {
		w.places[name] = string(state)
	}
	return nil
}

func (w *world) AppendDead(_ context.Context, l []data.DeadLetter) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, x := range l {
		w.sequence++
		x.Seq = w.sequence
		w.letters = append(w.letters, x)
	}
	return nil
}

func (w *world) DeadLetters(_ context.Context, after uint64, most int) (out []data.DeadLetter, _ error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.letters {
		if l.Seq > after && len(out) < most {
			out = append(out, l)
		}
	}
	return out, nil
}

func (w *world) SettleDead(_ context.Context, done []uint64, again []data.DeadLetter) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.letters = slices.DeleteFunc(w.letters, func(l data.DeadLetter) bool { return slices.Contains(done, l.Seq) })
	for _, a := range again {
		for i := range w.letters {
			if w.letters[i].Seq == a.Seq {
				w.letters[i] = a
			}
		}
	}
	return nil
}

// start runs a dispatcher, and a feed for it, until the returned function is called.
func (w *world) start(t *testing.T, cfg Config) (*Dispatcher, func()) {
	t.Helper()
	feed := changes.New(w, w, w, int32(len(w.parts)), time.Millisecond)
	d, err := New(cfg, Deps{Feed: feed, Places: w, Dead: w, Now: time.Now, Jitter: rand.Float64, Secrets: secret.Source{},
		Names: func(_ context.Context, _, segment string) ([]string, error) {
			if segment == "named" {
				return []string{"webhook:hook"}, nil
			}
			return nil, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	all.Go(func() { feed.Run(ctx) })
	all.Go(func() {
		if err := d.Run(ctx); err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return d, sync.OnceFunc(func() { stop(); all.Wait() })
}

const testSecret = "a secret of this test"

func hook(name, url string) Webhook {
	w := DefaultWebhook()
	w.Name, w.URL, w.Secret, w.Segments, w.From = name, url, testSecret, []string{"*"}, "start"
	w.BackoffMin, w.BackoffMax, w.Timeout, w.Attempts = time.Millisecond, 5*time.Millisecond, 50*time.Millisecond, 100
	return w
}

func configOf(hooks ...Webhook) Config {
	c := Default()
	c.Webhooks = hooks
	return c
}

func entered(profile, name string) data.Change {
	return data.Change{At: time.Now(), Profile: data.ProfileID(profile), Type: "segment_entered", To: name, Model: "r-1"}
}

// receiver takes requests as a careful one does: it checks signatures, and knows what it took by the key.
type receiver struct {
	t    *testing.T
	mu   sync.Mutex
	keys map[string]string         // Idempotency-Key -> body
	took map[data.ProfileID][]View // new to it, in order
	n    int
}

type View = changes.View

func newReceiver(t *testing.T) *receiver {
	return &receiver{t: t, keys: map[string]string{}, took: map[data.ProfileID][]View{}}
}

func (r *receiver) take(req *http.Request) {
	b, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	if err := Verify(req.Header.Get(SignatureHeader), b, testSecret, time.Now(), time.Minute); err != nil {
		r.t.Errorf("%s: %v", req.Header.Get(SignatureHeader), err)
	}
	var body Body
	if err := json.Unmarshal(b, &body); err != nil {
		r.t.Errorf("%q: %v", b, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	key := req.Header.Get("Idempotency-Key")
	before, again := r.keys[key]
	if again && before != string(b) {
		r.t.Errorf("the key %s came with %s and with %s", key, before, b)
	}
	r.keys[key] = string(b)
	if again {
		return
	}
	if len(body.Changes) == 1 && key != body.Changes[0].ID {
		r.t.Errorf("the key is %s, of the change %s", key, body.Changes[0].ID)
	}
	for _, c := range body.Changes {
		r.took[c.Profile] = append(r.took[c.Profile], c)
		r.n++
	}
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

// inOrder checks that each person's changes came in the order in which they were published.
func (r *receiver) inOrder(w *world) {
	r.t.Helper()
	want := map[data.ProfileID][]string{}
	for _, part := range w.parts {
		for _, c := range part {
			want[c.Profile] = append(want[c.Profile], changes.ID(&c))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for who, ids := range want {
		var got []string
		for _, c := range r.took[who] {
			got = append(got, c.ID)
		}
		if !slices.Equal(got, ids) {
			r.t.Errorf("%s: %v came, want %v", who, got, ids)
		}
	}
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

func (w *world) fill(people, each int) int {
	n := 0
	for i := range each {
		for p := range people {
			who := fmt.Sprint("p", p)
			w.add(p%len(w.parts), entered(who, fmt.Sprint("s", i)))
			n++
		}
	}
	return n
}
