package embedded

import (
	"testing"
	"time"

	"kindred/data"
)

func TestADeadLettersNumberIsNotGivenTwiceAfterAStart(t *testing.T) {
	dir := t.TempDir()
	var last uint64
	for range 3 {
		s, err := Open(dir, Options{Partitions: 2})
		if err != nil {
			t.Fatal(err)
		}
		letters := []data.DeadLetter{{At: time.Unix(0, 0), Reason: "no"}}
		if err := s.AppendDead(t.Context(), letters); err != nil {
			t.Fatal(err)
		}
		if letters[0].Seq <= last {
			t.Errorf("the number %d was given again after %d", letters[0].Seq, last)
		}
		last = letters[0].Seq
		if err := s.SettleDead(t.Context(), []uint64{last}, nil); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
