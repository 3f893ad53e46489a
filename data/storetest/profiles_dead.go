package storetest

import (
	"testing"
	"time"

	"kindred/data"
)

func testDead(t *testing.T, open OpenProfiles) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	letters := func(n int) (out []data.DeadLetter) {
		for i := range n {
			out = append(out, data.DeadLetter{
				At: at, Source: "web", Reason: string(rune('a' + i)), Kind: "call", Raw: []byte("{}"),
				Call: &data.DeadCall{Type: data.Track, Sent: 7, Context: []byte(`{"a":1}`), Client: true, IP: "203.0.113.0/24", UserAgent: "x", Hints: map[string]string{"sec-ch-ua": "y"}},
			})
		}
		return out
	}

	t.Run("a settled dead letter is gone, one that failed again has a new reason and its number", func(t *testing.T) {
		s := open.fresh(t)
		all := letters(3)
		must(t, s.AppendDead(t.Context(), all))
		again := all[2]
		again.Reason, again.Tried = "worse", at.Add(time.Hour)
		must(t, s.SettleDead(t.Context(), []uint64{all[0].Seq}, []data.DeadLetter{again}))
		got, err := s.DeadLetters(t.Context(), 0, 10)
		must(t, err)
		equal(t, "letters", []data.DeadLetter{all[1], again}, got)
		must(t, s.SettleDead(t.Context(), nil, nil))
	})

	t.Run("a dead letter that is gone does not come back", func(t *testing.T) {
		s := open.fresh(t)
		all := letters(2)
		must(t, s.AppendDead(t.Context(), all))
		must(t, s.SettleDead(t.Context(), []uint64{all[1].Seq, all[1].Seq + 9}, nil))
		must(t, s.SettleDead(t.Context(), []uint64{all[1].Seq}, all[1:]))
		got, err := s.DeadLetters(t.Context(), 0, 10)
		must(t, err)
		equal(t, "letters", all[:1], got)
		more := letters(1)
		must(t, s.AppendDead(t.Context(), more))
		if more[0].Seq <= all[1].Seq {
			t.Errorf("the number %d was given twice", more[0].Seq)
		}
	})
}
