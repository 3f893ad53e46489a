package assemble

import (
	"testing"

	"kindred/data"
)

func TestMergedPeopleAreOneAndDeletedOnesNobody(t *testing.T) {
	l := NewLinks([]data.Link{
		{From: "b", To: "c", At: at(2), Partition: 1, Offset: 5}, // out of order on purpose
		{From: "a", To: "b", At: at(1), Partition: 0, Offset: 3},
		{From: "old", To: "gone", At: at(1), Partition: 2, Offset: 1},
		{From: "gone", To: "", At: at(3), Partition: 3, Offset: 10},
		{From: "later", To: "gone", At: at(4), Partition: 2, Offset: 9},
		{From: "c", To: "a", At: at(9), Partition: 1, Offset: 9}, // would close a circle
	})
	for _, tc := range []struct {
		name string
		in   data.Interaction
		want data.ProfileID
		ok   bool
	}{
		{"never linked", data.Interaction{Profile: "x"}, "x", true},
		{"merged twice over", data.Interaction{Profile: "a"}, "c", true},
		{"merged once", data.Interaction{Profile: "b"}, "c", true},
		{"where they lead", data.Interaction{Profile: "c"}, "c", true},
		{"deleted, before", data.Interaction{Profile: "gone", Partition: 3, Offset: 9}, "", false},
		{"deleted, at the record", data.Interaction{Profile: "gone", Partition: 3, Offset: 10}, "", false},
		{"came back after", data.Interaction{Profile: "gone", Partition: 3, Offset: 11}, "gone", true},
		{"merged into who was deleted", data.Interaction{Profile: "old", Partition: 2, Offset: 0}, "", false},
		{"merged after the deletion", data.Interaction{Profile: "later", Partition: 2, Offset: 8}, "gone", true},
	} {
		if got, ok := l.Person(tc.in); got != tc.want || ok != tc.ok {
			t.Errorf("%s: Person = %q, %v; want %q, %v", tc.name, got, ok, tc.want, tc.ok)
		}
	}
}

// TestAnUndoneMergeIsNoLink: what an unmerge says, a link to itself, ends the link before
// it and none after it, and takes along what was merged into the one that left.
func TestAnUndoneMergeIsNoLink(t *testing.T) {
	merged := []data.Link{{From: "d", To: "bob", At: at(1)}, {From: "bob", To: "ann", At: at(2)}, {From: "e", To: "ann", At: at(2)}}
	apart := data.Link{From: "bob", To: "bob", At: at(3)}
	again := data.Link{From: "bob", To: "ann", At: at(4)}
	erased := data.Link{From: "ann", To: "", At: at(5), Partition: 1}
	for _, tc := range []struct {
		name  string
		links []data.Link
		want  map[data.ProfileID]data.ProfileID // "" is nobody
	}{
		{"merged", merged, map[data.ProfileID]data.ProfileID{"d": "ann", "bob": "ann", "e": "ann"}},
		{"undone", append(merged[:3:3], apart), map[data.ProfileID]data.ProfileID{"d": "bob", "bob": "bob", "e": "ann"}},
		{"merged again", append(merged[:3:3], apart, again), map[data.ProfileID]data.ProfileID{"d": "ann", "bob": "ann", "e": "ann"}},
		{"erased after it was undone", append(merged[:3:3], apart, erased), map[data.ProfileID]data.ProfileID{"d": "bob", "bob": "bob", "e": "", "ann": ""}},
		{"erased while merged", append(merged[:3:3], erased), map[data.ProfileID]data.ProfileID{"d": "", "bob": "", "e": "", "ann": ""}},
	} {
		for range 20 { // the order of a map must not matter
			l := NewLinks(tc.links)
			for id, want := range tc.want {
				if got, ok := l.Person(data.Interaction{Profile: id}); got != want || ok != (want != "") {
					t.Fatalf("%s: %s is %q, %v; want %q", tc.name, id, got, ok, want)
				}
			}
		}
	}
}
