package recommend_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
	"kindred/serving/recommend"
)

func TestADeletedItemIsNotListedForWhatWasCounted(t *testing.T) {
	for _, none := range []bool{true, false} {
		gone := letters
		gone.none, gone.deleted = none, []data.ItemID{"new"}
		s, counters, _ := open(t, gone, people{})
		use(counters, "new", 9)
		use(counters, "ghost", 1)
		for name, a := range map[string]recommend.Answer{
			"popular": s.Popular(recommend.ListRequest{N: 9}), "trending": s.Trending(recommend.ListRequest{N: 9}),
		} {
			if diff := cmp.Diff([]string{"ghost"}, ids(a)); diff != "" {
				t.Errorf("%s, without a model: %v (-want +got):\n%s", name, none, diff)
			}
		}
		a, err := s.Rank(t.Context(), recommend.RankRequest{Candidates: []data.ItemID{"ghost", "new"}})
		if err != nil || !slices.Equal(ids(a), []string{"new", "ghost"}) || !a.Items[0].Closed || a.Items[0].Unknown {
			t.Errorf("ranked: %+v, %v; want new closed before ghost unknown", a.Items, err)
		}
	}
}

func TestWithoutAModelNobodyIsShownWhatTheyExclude(t *testing.T) {
	ann := liker("p", "seen")
	ann.History = append(ann.History, data.HistoryItem{Item: "disliked", Kinds: 1 << data.Hide, Weight: -8})
	s, counters, _ := open(t, shop{none: true}, people{"ann": ann})
	for i, id := range []string{"seen", "disliked", "excluded", "recent", "fine"} {
		use(counters, id, float64(5-i))
	}
	req := recommend.Request{IDs: data.IDs{User: "ann"}, N: 9, Exclude: []data.ItemID{"excluded"}, Recent: []data.ItemID{"recent"}}
	for _, tt := range []struct {
		again bool
		want  []string
	}{{false, []string{"fine"}}, {true, []string{"seen", "recent", "fine"}}} {
		req.IncludeSeen = tt.again
		a, err := s.Recommend(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, ids(a)); diff != "" || a.Fallback != "no_model" {
			t.Errorf("seen included: %v, fallback %q (-want +got):\n%s", tt.again, a.Fallback, diff)
		}
	}
}

func TestWhoSawAllThatWasCountedGetsAnEmptyList(t *testing.T) {
	s, counters, _ := open(t, shop{none: true}, people{"ann": liker("p", "a")})
	use(counters, "a", 1)
	a, err := s.Recommend(t.Context(), recommend.Request{IDs: data.IDs{User: "ann"}, N: 9})
	if err != nil || a.Items == nil || len(a.Items) != 0 {
		t.Errorf("answer = %+v, %v; want an empty list", a, err)
	}
}
