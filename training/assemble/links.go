package assemble

import (
	"cmp"
	"slices"

	"kindred/data"
)

// Links says who a profile is today: profiles that were merged are one person,
// and what was deleted belongs to nobody.
type Links struct {
	to      map[data.ProfileID]data.ProfileID
	deleted map[data.ProfileID]position
}

// anywhere is the position of a deletion that takes everything.
const anywhere = -1

// position is a place in the log. All records of a profile are in one partition,
// so what came before a deletion has a smaller offset there.
type position struct {
	partition int32
	offset    int64
}

// NewLinks reads the lake's links, in any order.
func NewLinks(links []data.Link) *Links {
	l := &Links{to: map[data.ProfileID]data.ProfileID{}, deleted: map[data.ProfileID]position{}}
	links = slices.Clone(links)
	slices.SortStableFunc(links, func(a, b data.Link) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Partition, b.Partition), cmp.Compare(a.Offset, b.Offset))
	})
	for _, k := range links {
		switch {
		case k.To == "":
			l.deleted[k.From] = position{k.Partition, k.Offset}
			// Whoever was merged into the deleted profile is deleted with it.
			var parts []data.ProfileID // first: a chain is followed as it was
			for from := range l.to {
				if l.follow(from) == k.From {
					parts = append(parts, from)
				}
			}
			for _, from := range parts {
				l.deleted[from] = position{anywhere, 0}
				delete(l.to, from)
			}
		case k.To == k.From: // itself again
			delete(l.to, k.From)
		case l.follow(k.To) != k.From: // a link that would close a circle changes nothing
			l.to[k.From] = k.To
		}
	}
	return l
}

// Person is the profile that an interaction belongs to today, and false when its
// person was deleted after it. Merges that still stand were made after any
// deletion of where they lead, so only the interaction's own profile is asked.
func (l *Links) Person(i data.Interaction) (data.ProfileID, bool) {
	if at, ok := l.deleted[i.Profile]; ok && (at.partition != i.Partition || i.Offset <= at.offset) {
		return "", false
	}
	return l.follow(i.Profile), true
}

// follow goes to the end of a chain of merges.
func (l *Links) follow(id data.ProfileID) data.ProfileID {
	for {
		to, ok := l.to[id]
		if !ok {
			return id
		}
		id = to
	}
}
