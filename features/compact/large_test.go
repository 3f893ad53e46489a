package compact

import (
	"bytes"
	"fmt"
	"testing"

	"kindred/data"
)

func TestLargeTraitsStayWhole(t *testing.T) {
	s := NewStore(shape)
	id := data.NewProfileID(data.IDUser, "ann")
	r := s.Add(id)
	p := data.Profile{ID: id, Version: 1}
	for i := range 3 {
		p.Traits = append(p.Traits, data.Trait{Name: fmt.Sprint("t", i), Value: append(append([]byte{'"'}, bytes.Repeat([]byte("x"), 30000)...), '"'), At: 5, Source: "m"})
	}
	want, _ := p.AppendBinary(nil)
	*s.Open(r) = p
	s.Close(r)
	got, err := s.AppendBinary(nil, r)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatal("differs", err, len(got), len(want))
	}
}

func TestLongListsOfRecentEventsStayWhole(t *testing.T) {
	s := NewStore(shape)
	id := data.NewProfileID(data.IDUser, "ann")
	r := s.Add(id)
	p := data.Profile{ID: id, Version: 1}
	for i := range 9000 {
		p.Recent = append(p.Recent, data.RecentEvent{ID: fmt.Sprint(i), Name: "x", At: int64(100000 - i)})
	}
	want, _ := p.AppendBinary(nil)
	*s.Open(r) = p
	s.Close(r)
	got, err := s.AppendBinary(nil, r)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatal("differs", err, len(got), len(want))
	}
}
