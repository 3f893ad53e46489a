package lake

import (
	"testing"

	"kindred/data"
)

// TestLinksSayWhoIsWhomsPart: merges and deletions do; an unmerge is a link to itself; a
// profile's own share of before, and a merge that was sent on, are none.
func TestLinksSayWhoIsWhomsPart(t *testing.T) {
	device, bob, ann := data.ProfileID("d"), data.ProfileID("bob"), data.ProfileID("ann")
	of := func(name string, at, from data.ProfileID, ids ...data.ExternalID) data.Event {
		e := systemEvent(1, name)
		e.Profile, e.IDs.External = at, ids
		if from != "" {
			e.Absorb = &data.Absorb{From: from}
		}
		return e
	}
	for _, c := range []struct {
		name     string
		e        data.Event
		from, to string
	}{
		{"a merge", of(data.SysAbsorb, bob, device), "d", "bob"},
		{"the same, sent on to whom bob is part of", of(data.SysAbsorb, ann, device, data.ExternalID{Type: "through", ID: "bob"}), "", ""},
		{"told to the person: the other leaves", of(data.SysUnmerge, bob, "", data.ExternalID{Type: "other", ID: "d"}), "", ""},
		{"told to the one who leaves", of(data.SysUnmerge, device, bob, data.ExternalID{Type: "owner", ID: "bob"}), "d", "d"},
		{"a share of before", of(data.SysAbsorb, bob, bob), "", ""},
		{"an erasure", of(data.SysDelete, bob, ""), "bob", ""},
		{"an alias: its absorb will be the link", of(data.SysAlias, bob, "", data.ExternalID{Type: "owner", ID: "ann"}), "", ""},
	} {
		row, ok := newLinkRow(data.Record{}, c.e)
		if ok != (c.from != "") || ok && (row.From != c.from || row.To != c.to) {
			t.Errorf("%s: %q to %q, %v; want %q to %q", c.name, row.From, row.To, ok, c.from, c.to)
		}
	}
}
