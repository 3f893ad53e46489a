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
