package recommend_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"kindred/data"
	"kindred/serving/recommend"
)

// TestAnAnswerAppendedIsTheAnswerWritten: made, kept or made anew each time, the JSON
// is that of the answer in values.
func TestAnAnswerAppendedIsTheAnswerWritten(t *testing.T) {
	for _, none := range []bool{false, true} {
		a, s := newAsked(t, none)
		plain := recommend.New(uncached(), recommend.Deps{
			People: a, Snapshots: a.live, Counters: a.counters, Now: func() time.Time { return noon },
		})
		use(a.counters, "thing", 3)
		for i, asked := range []data.UserID{"", "", `a "quoted"`, "é"} {
			req := a.req
			req.ID, req.Asked, req.N = fmt.Sprint("r-", i), asked, 2+i/2
			want := recommendation(t, plain, req)
			if asked != "" && want.User != asked || asked == "" && want.User != "ann" {
				t.Errorf("the answer is for %q", want.User)
			}
			b, err := want.AppendJSON([]byte("before"))
			if err != nil {
				t.Fatal(err)
			}
			for range 4 { // made, kept, and kept as written
				got, err := s.AppendRecommendation(t.Context(), []byte("before"), req)
				if err != nil || string(got) != string(b) {
					t.Fatalf("%v\n%s\nwant\n%s", err, got, b)
				}
			}
		}
		if c := s.Cache(); none == (c.Hits > 0) {
			t.Errorf("no model: %v, cache %+v", none, c)
		}
	}
}

// TestAnswersAppendedAtOnceAreNotMixed: what an answer stands in is lent out to one at a time.
func TestAnswersAppendedAtOnceAreNotMixed(t *testing.T) {
	shop := newBig(t, 500, 8)
	plain := shop.service(t, 20)
	for name, s := range map[string]*recommend.Service{"made": plain, "kept": shop.kept(t, 20)} {
		var want [64]string
		for i := range want {
			a := recommendation(t, plain, recommend.Request{IDs: data.IDs{User: person(i)}, N: 5 + i%7})
			b, err := a.AppendJSON(nil)
			if err != nil {
				t.Fatal(err)
			}
			want[i] = string(b)
		}
		var wait sync.WaitGroup
		for worker := range 8 {
			wait.Go(func() {
				for i := range 4 * len(want) {
					i = (i + 8*worker) % len(want)
					got, err := s.AppendRecommendation(context.Background(), nil, recommend.Request{IDs: data.IDs{User: person(i)}, N: 5 + i%7})
					if err != nil || string(got) != want[i] {
						t.Errorf("%s: %v\n%s\nwant\n%s", name, err, got, want[i])
						return
					}
				}
			})
		}
		wait.Wait()
	}
}

func TestAnAppendedAnswerFailsLikeAnAnswer(t *testing.T) {
	a, s := newAsked(t, false)
	a.req.Components = []string{"magic"}
	_, want := s.Recommend(t.Context(), a.req)
	if b, err := s.AppendRecommendation(t.Context(), nil, a.req); err == nil || err.Error() != want.Error() || b != nil {
		t.Errorf("%q, %v; want %v", b, err, want)
	}
}

// TestAnErasedPersonsAnswersAreForgotten: theirs, in both generations, and nobody else's.
func TestAnErasedPersonsAnswersAreForgotten(t *testing.T) {
	a, s := newAsked(t, false)
	ask := func(id data.ProfileID, n int) {
		a.person.Profile.ID, a.req.N = id, n
		recommendation(t, s, a.req)
	}
	for n := range 3 {
		ask("p-1", n+1)
	}
	for range 3 { // so that one is kept as written, too
		if _, err := s.AppendRecommendation(t.Context(), nil, a.req); err != nil {
			t.Fatal(err)
		}
	}
	hits := s.Cache().Hits
	ask("p-11", 1)
	s.Forget("p-2")
	full := s.Cache()
	s.Forget("p-1")
	left := s.Cache()
	if full.Entries != 4 || left.Entries != 1 || left.Bytes <= 0 || left.Bytes >= full.Bytes {
		t.Errorf("cache %+v, then %+v; want one of four answers", full, left)
	}
	ask("p-11", 1)
	if s.Cache().Hits != hits+1 {
		t.Error("another person's answer was forgotten")
	}
	ask("p-1", 1)
	if c := s.Cache(); c.Hits != hits+1 || c.Entries != 2 {
		t.Errorf("cache %+v; want the erased person's answer made anew", c)
	}
	s.Forget("p-1")
	s.Forget("p-11")
	if c := s.Cache(); c.Entries != 0 || c.Bytes != 0 {
		t.Errorf("cache %+v; want it empty", c)
	}
}

// BenchmarkHit appends one kept answer again and again.
func BenchmarkHit(b *testing.B) {
	shop := newBig(b, 1000, 16)
	s := shop.kept(b, 100)
	ctx, memory := context.Background(), []byte(nil)
	req := recommend.Request{ID: "r-1", IDs: data.IDs{User: person(1)}, N: 10}
	b.ReportAllocs()
	for b.Loop() {
		var err error
		if memory, err = s.AppendRecommendation(ctx, memory[:0], req); err != nil {
			b.Fatal(err)
		}
	}
}

// TestAHitAllocatesLittle: an answer that is kept is copied.
func TestAHitAllocatesLittle(t *testing.T) {
	s := newBig(t, 1000, 16).kept(t, 100)
	req, memory := recommend.Request{ID: "r-1", IDs: data.IDs{User: person(1)}, N: 10}, []byte(nil)
	hit := func() {
		var err error
		if memory, err = s.AppendRecommendation(context.Background(), memory[:0], req); err != nil {
			t.Fatal(err)
		}
	}
	hit()
	if got := testing.AllocsPerRun(100, hit); got > mostHitAllocations {
		t.Errorf("a hit makes %v allocations, want at most %d", got, mostHitAllocations)
	}
}
