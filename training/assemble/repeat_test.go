package assemble

import (
	"testing"
	"time"

	"kindred/data"
)

func TestAMessageThatTheLogHoldsTwiceCountsOnce(t *testing.T) {
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	view := func(item string, at time.Time) data.Interaction {
		return data.Interaction{Item: data.ItemID(item), Kind: data.View, At: at}
	}
	b := NewBuilder()
	b.Add("ann", view("lamp", at))
	b.Add("ann", view("desk", at)) // same moment, another item
	rating := view("lamp", at)
	rating.Kind, rating.Value = data.Rating, 4
	b.Add("ann", rating)           // between the message and its repeat
	b.Add("ann", view("lamp", at)) // the repeat
	b.Add("bob", view("lamp", at)) // another person
	b.Add("ann", view("lamp", at.Add(time.Millisecond)))
	b.Add("cid", view("lamp", time.Time{}))
	b.Add("cid", view("lamp", time.Time{})) // without times nobody can tell
	table, err := b.Table()
	if err != nil {
		t.Fatal(err)
	}
	if dropped := table.DropRepeats(); dropped != 1 || len(table.Acts) != 7 {
		t.Errorf("dropped %d, kept %d; want 1, 7: %+v", dropped, len(table.Acts), table.Acts)
	}
}
