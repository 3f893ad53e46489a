package recommend_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"kindred/data"
	"kindred/model/popular"
	"kindred/serving/live"
	"kindred/serving/online"
	"kindred/serving/recommend"
)

// looking is a store of people that looks around while it is read.
type looking func() error

func (a looking) Read(context.Context, data.IDs) (online.Person, error) {
	return online.Person{}, a()
}

// TestListsCountWhileTheyAreMade, also those that fail.
func TestListsCountWhileTheyAreMade(t *testing.T) {
	var s *recommend.Service
	during, failure := 0, error(nil)
	s = recommend.New(recommend.Default(), recommend.Deps{
		People:    looking(func() error { during = s.Making(); return failure }),
		Snapshots: live.New(live.Default(), live.Deps{}), Counters: popular.NewLive(popular.Default()), Now: time.Now,
	})
	for _, failure = range []error{nil, errors.New("no store")} {
		during = 0
		_, err := s.AppendRecommendation(t.Context(), nil, recommend.Request{N: 1})
		if during != 1 || s.Making() != 0 || !errors.Is(err, failure) {
			t.Errorf("%d lists while one was made and %d after it, %v; want 1, 0, %v", during, s.Making(), err, failure)
		}
	}
}
