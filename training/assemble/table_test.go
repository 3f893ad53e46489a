package assemble

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
)

// at is a moment n minutes into the test.
func at(n int) time.Time { return time.UnixMilli(int64(n) * 60_000).UTC() }

// table builds a table of interactions, people called by their user ids.
func table(t *testing.T, acts ...data.Interaction) *Table {
	t.Helper()
	b := NewBuilder()
	for _, i := range acts {
		b.Add(Key(i), i)
	}
	out, err := b.Table()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestActsAreByPersonThenTimeThenItem(t *testing.T) {
	tab := table(t,
		data.Interaction{User: "bob", Item: "z", Kind: data.View, At: at(1)},
		data.Interaction{User: "ann", Item: "10", Kind: data.View, At: at(2)},
		data.Interaction{User: "ann", Item: "9", Kind: data.View, At: at(2)},
		data.Interaction{User: "ann", Item: "b", Kind: data.View, At: at(2)},
		data.Interaction{User: "ann", Item: "y", Kind: data.View},
		data.Interaction{User: "ann", Item: "x", Kind: data.View},
		data.Interaction{User: "ann", Item: "z", Kind: data.View, At: at(1)},
	)
	var got []string
	for _, a := range tab.Acts {
		got = append(got, tab.People.Key(a.Person)+" "+tab.Items.Key(a.Item))
	}
	// Untimed first as they came; at one moment numbers by value, then the rest.
	want := []string{"ann y", "ann x", "ann z", "ann 9", "ann 10", "ann b", "bob z"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestIDsThatAreNumbersAreInTheOrderOfTheNumbers(t *testing.T) {
	ordered := []string{"0", "00", "01", "1", "9", "10", "099", "100", "", "-1", "1a", "a"}
	for i, a := range ordered {
		for j, b := range ordered {
			want := 0
			if i < j {
				want = -1
			} else if i > j {
				want = 1
			}
			if got := compareIDs(a, b); got != want {
				t.Errorf("compareIDs(%q, %q) = %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestTheCatalogueHoldsItemsThatNobodyUsed(t *testing.T) {
	b := NewBuilder()
	b.Item("new")
	b.Add("ann", data.Interaction{Item: "old", Kind: data.View})
	tab, err := b.Table()
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"new", "old"}, tab.Items.Keys()); d != "" {
		t.Error(d)
	}
}

func TestAnEmptyIDIsAnError(t *testing.T) {
	b := NewBuilder()
	b.Add("ann", data.Interaction{Kind: data.View})
	if _, err := b.Table(); err == nil {
		t.Error("Table accepted an item without an id")
	}
}

func TestByPersonGivesEverybodyTheirOwn(t *testing.T) {
	acts := []Act{{Person: 1, Item: 4}, {Person: 1, Item: 5}, {Person: 3, Item: 6}}
	got := ByPerson(acts, 5)
	if d := cmp.Diff([]int{0, 2, 0, 1, 0}, []int{len(got[0]), len(got[1]), len(got[2]), len(got[3]), len(got[4])}); d != "" {
		t.Error(d)
	}
}
