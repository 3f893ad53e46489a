package stream

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"kindred/data"
	"kindred/data/event"
	"kindred/features"
	"kindred/model/cluster"
	"kindred/model/popular"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start runs a worker until the test ends, and fails if it does not end well.
func start(t *testing.T, opt Options) *Worker {
	t.Helper()
	w, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v, want nil when asked to stop", err)
		}
	})
	return w
}

func (m *memory) profile(t *testing.T, id data.ProfileID) data.Profile {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	p := data.Profile{ID: id}
	if b, ok := m.states[data.PartitionOf(string(id), int32(len(m.log)))].profiles[id]; ok {
		if err := p.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func ofUser(id string) data.ProfileID { return data.NewProfileID(data.IDUser, id) }

// ticks counts the ticks in the log.
func (m *memory) ticks(t *testing.T) (n int) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, log := range m.log {
		for _, r := range log {
			if e, err := event.Open(r.Value); err == nil && e.Name == data.SysTick {
				n++
			}
		}
	}
	return n
}

func TestAnAppendedEventIsFoldedAtOnceAndWaitFoldedSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(2)
		w := start(t, options(m, time.Now))
		synctest.Wait()
		begin := time.Now()
		r := m.send(view("m1", "ann", "", begin, "lamp1"))[0]
		if err := w.WaitFolded(t.Context(), r.Partition, r.Offset); err != nil {
			t.Fatal(err)
		}
		if p := m.profile(t, ofUser("ann")); len(p.History) != 1 {
			t.Errorf("history %v, want the lamp", p.History)
		}
		if took := time.Since(begin); took != 0 {
			t.Errorf("it took %v of waiting; the log should wake the loop", took)
		}
		if got := w.Folded(r.Partition); got != r.Offset+1 {
			t.Errorf("Folded = %d, want %d", got, r.Offset+1)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if err := w.WaitFolded(ctx, r.Partition, r.Offset+1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("waiting for what never comes = %v, want deadline exceeded", err)
		}
	})
}

func TestATickIsWrittenOnlyWhenATimerIsDueAndNobodyWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(2)
		start(t, options(m, time.Now))
		begin := time.Now()
		m.send(view("m1", "ann", "", begin, "lamp1"))
		time.Sleep(30*time.Minute - time.Millisecond)
		synctest.Wait()
		if p := m.profile(t, ofUser("ann")); p.Session.Closed || m.ticks(t) != 0 {
			t.Fatalf("before the gap passed: closed %v, %d ticks", p.Session.Closed, m.ticks(t))
		}
		time.Sleep(time.Millisecond)
		synctest.Wait()
		if p := m.profile(t, ofUser("ann")); !p.Session.Closed || m.ticks(t) != 1 {
			t.Fatalf("after the gap passed: closed %v, %d ticks; want true, 1", p.Session.Closed, m.ticks(t))
		}
		time.Sleep(48 * time.Hour)
		synctest.Wait()
		if n := m.ticks(t); n != 1 {
			t.Errorf("an idle partition without timers got %d more ticks", n-1)
		}
	})
}

func TestAtMostOneTickASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(1)
		start(t, options(m, time.Now))
		for i := range 40 { // sessions that end 100 ms apart
			m.send(view("m"+strconv.Itoa(i), data.UserID("u"+strconv.Itoa(i)), "", time.Now(), "lamp1"))
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		for i := range 40 {
			if p := m.profile(t, ofUser("u"+strconv.Itoa(i))); !p.Session.Closed {
				t.Errorf("the session of u%d never ended", i)
			}
		}
		if n := m.ticks(t); n < 4 || n > 6 {
			t.Errorf("%d ticks for four seconds of endings, want about one a second", n)
		}
	})
}

func TestARecordThatCarriesTimePastTheTimerSparesTheTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(1)
		start(t, options(m, time.Now))
		m.send(view("m1", "ann", "", time.Now(), "lamp1"))
		time.Sleep(29 * time.Minute)
		m.send(view("m2", "bob", "", time.Now().Add(2*time.Minute), "lamp1")) // stamped by a clock ahead of ours
		synctest.Wait()
		if p := m.profile(t, ofUser("ann")); !p.Session.Closed {
			t.Error("the session did not end by the record's time")
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if n := m.ticks(t); n != 0 {
			t.Errorf("%d ticks, want none", n)
		}
	})
}

func TestAReplacedOwnerStartsOverFromWhatIsStored(t *testing.T) {
	m := newMemory(1)
	now := func() time.Time { return noon }
	first, _ := New(options(m, now))
	second, _ := New(options(m, now))
	m.send(view("m1", "ann", "", noon, "lamp1"))
	if err := first.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.send(view("m2", "ann", "", noon, "lamp2"))
	if err := second.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.send(view("m3", "ann", "", noon, "lamp3"))
	if err := first.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := m.profile(t, ofUser("ann")); len(p.History) != 3 || p.Version != 3 {
		t.Errorf("%d items after %d events, want 3 after 3", len(p.History), p.Version)
	}
	if s := first.Stats()[0]; s.Stale != 1 || s.Lag != 0 {
		t.Errorf("stale %d lag %d, want 1 and 0", s.Stale, s.Lag)
	}
}

func TestPoisonBecomesADeadLetterAndASkipThatReplayHeeds(t *testing.T) {
	m := newMemory(1)
	panics := 2
	opt := options(m, func() time.Time { return noon.Add(time.Hour) })
	opt.Clusterers = func(context.Context, string) (*cluster.Model, error) {
		if panics > 0 {
			panics--
			panic("boom")
		}
		return nil, nil
	}
	w, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.PublishModel(t.Context(), "m-1"); err != nil {
		t.Fatal(err)
	}
	m.send(view("m1", "ann", "", noon, "lamp1"), view("m2", "ann", "", noon, "lamp2"))
	if err := m.Append(t.Context(), []data.Record{{Value: []byte("no event")}}); err != nil {
		t.Fatal(err)
	}
	m.send(view("m3", "ann", "", noon, "lamp3"))
	if err := w.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	p := m.profile(t, ofUser("ann"))
	if len(p.History) != 2 || len(m.dead) != 2 {
		t.Fatalf("%d items and %d dead letters, want 2 and 2", len(p.History), len(m.dead))
	}
	if s := w.Stats()[0]; s.Poisoned != 2 || s.Outcomes[features.Applied] != 5 { // marker, two views, two skips
		t.Errorf("poisoned %d applied %d, want 2 and 5", s.Poisoned, s.Outcomes[features.Applied])
	}
	into := newMemory(1)
	if err := Replay(t.Context(), ReplayOptions{Log: m, Target: into, Partitions: 1}); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(into.dump(), m.dump()) {
		t.Error("the replay folded what the stream had skipped:", differ(m.dump(), into.dump()))
	}
}

func TestAMarkerMakesTheModelLiveOnce(t *testing.T) {
	m := newMemory(2)
	w, _ := New(options(m, func() time.Time { return noon }))
	for range 2 {
		if err := w.PublishModel(t.Context(), "m-7"); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	restarted, _ := New(options(m, func() time.Time { return noon }))
	if err := restarted.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	for p, s := range w.Stats() {
		if s.Models != "m-7" || m.End(int32(p)) != 1 {
			t.Errorf("partition %d: live %q after %d records, want m-7 after 1", p, s.Models, m.End(int32(p)))
		}
	}
	if err := w.PublishModel(t.Context(), ""); err == nil {
		t.Error("an empty version was published")
	}
}

func TestAModelIsPublishedOverAMarkerThatIsNotFoldedYet(t *testing.T) {
	m := newMemory(1)
	first, _ := New(options(m, func() time.Time { return noon }))
	if err := errors.Join(first.PublishModel(t.Context(), "m-1"), first.CatchUp(t.Context()), first.PublishModel(t.Context(), "m-2")); err != nil {
		t.Fatal(err)
	}
	second, _ := New(options(m, func() time.Time { return noon })) // after a crash and a rollback
	if err := second.parts[0].load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(second.PublishModel(t.Context(), "m-1"), second.CatchUp(t.Context())); err != nil {
		t.Fatal(err)
	}
	if live := second.Stats()[0].Models; live != "m-1" {
		t.Errorf("%s is live, want m-1, which was published last", live)
	}
}

func TestAFailedPublicationIsNoReasonToLeaveTheNextOneOut(t *testing.T) {
	m := newMemory(1)
	w, _ := New(options(m, func() time.Time { return noon }))
	if err := errors.Join(w.PublishModel(t.Context(), "m-1"), w.CatchUp(t.Context())); err != nil {
		t.Fatal(err)
	}
	m.failAppend = func() error { return errCrash } // after the record is in the log
	if err := w.PublishModel(t.Context(), "m-2"); !errors.Is(err, errCrash) {
		t.Fatalf("PublishModel = %v, want the log's failure", err)
	}
	m.failAppend = nil
	if err := errors.Join(w.PublishModel(t.Context(), "m-1"), w.CatchUp(t.Context())); err != nil {
		t.Fatal(err)
	}
	if live := w.Stats()[0].Models; live != "m-1" {
		t.Errorf("%s is live, want m-1, which was published last", live)
	}
}

// narrow is a log that takes only so many bytes at once.
type narrow struct {
	*memory
	most int
}

func (n narrow) Append(ctx context.Context, recs []data.Record) error {
	bytes := 0
	for _, r := range recs {
		if bytes += len(r.Value); bytes > n.most {
			return errors.New("larger than the whole append queue")
		}
	}
	return n.memory.Append(ctx, recs)
}

func TestABatchThatEmitsMoreThanTheLogTakesAtOnceIsFolded(t *testing.T) {
	m := newMemory(2)
	opt := options(m, func() time.Time { return noon })
	opt.Log, opt.BatchRecords = narrow{m, 6 << 20}, 64
	w, _ := New(opt)
	m.send(view("m0", "ann", "d1", noon, "lamp0"))
	for i := range 8 { // routed to the device, as before anybody knew whose it is
		e := view("m"+strconv.Itoa(i+1), "", "d1", noon, data.ItemID("lamp"+strconv.Itoa(i)))
		e.Profile = data.NewProfileID(data.IDAnonymous, "d1")
		e.Props = append(append([]byte(`{"a":"`), bytes.Repeat([]byte("a"), 900_000)...), `"}`...)
		m.send(e)
	}
	if err := w.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p := m.profile(t, ofUser("ann")); p.Version != 9 { // the absorb, then the eight
		t.Errorf("%d records were folded into ann, want 9", p.Version)
	}
}

func TestPopularityFollowsTheStreamAndSurvivesARestart(t *testing.T) {
	m := newMemory(2)
	now := func() time.Time { return noon }
	w, _ := New(options(m, now))
	m.send(view("m1", "ann", "", noon, "lamp1"), view("m2", "bob", "", noon, "lamp1"), view("m3", "eve", "", noon, "desk2"))
	if err := w.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	restarted, _ := New(options(m, now))
	m.send(view("m4", "zoe", "", noon, "desk3"))
	if err := restarted.CatchUp(t.Context()); err != nil {
		t.Fatal(err)
	}
	top := restarted.Popularity().Top(features.ItemCounter, popular.ByPopularity, noon.UnixMilli(), 2, nil)
	if len(top) != 2 || top[0].Key != "i/lamp1" || top[0].Score != 2 || top[1].Key != "i/desk2" {
		t.Errorf("top = %v, want i/lamp1 with 2, then i/desk2", top)
	}
}

func TestFlushReturnsWhereItsRecordsAre(t *testing.T) {
	m := newMemory(2)
	w, _ := New(options(m, func() time.Time { return noon }))
	r := m.send(view("m1", "ann", "", noon, "lamp1"))[0]
	offsets, err := w.Flush(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if offsets[r.Partition] != 1 || offsets[1-r.Partition] != 0 {
		t.Errorf("offsets %v", offsets)
	}
}

func TestAFailingStoreIsTriedAgainAndAClosedOneEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(1)
		failures := 3
		m.failSave = func() error {
			if failures--; failures >= 0 {
				return errors.New("disk full")
			}
			return nil
		}
		w := start(t, options(m, time.Now))
		r := m.send(view("m1", "ann", "", time.Now(), "lamp1"))[0]
		if err := w.WaitFolded(t.Context(), r.Partition, r.Offset); err != nil {
			t.Fatal(err)
		}
		if s := w.Stats()[0]; s.Failures != 3 {
			t.Errorf("%d failures counted, want 3", s.Failures)
		}
	})
	m := newMemory(1)
	m.failSave = func() error { return data.ErrClosed }
	w, _ := New(options(m, time.Now))
	m.send(view("m1", "ann", "", noon, "lamp1"))
	if err := w.Run(t.Context()); !errors.Is(err, data.ErrClosed) {
		t.Errorf("Run on a closed store = %v, want closed", err)
	}
}

func TestNewRefusesOptionsThatMakeNoSense(t *testing.T) {
	m := newMemory(1)
	for name, opt := range map[string]Options{
		"no log":            {State: m, Partitions: 1},
		"no partitions":     {Log: m, State: m},
		"negative batch":    {Log: m, State: m, Partitions: 1, BatchRecords: -1},
		"a bad session gap": {Log: m, State: m, Partitions: 1, Features: features.Config{SessionGap: 1}},
	} {
		if _, err := New(opt); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
