package features

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"kindred/data"
)

// setTraits applies the traits of an identify: for each name the value with the
// latest event time stays, of equal times the one of the greater event id.
func setTraits(p *data.Profile, traits json.RawMessage, at int64, source string) {
	var set map[string]json.RawMessage
	if len(traits) == 0 || json.Unmarshal(traits, &set) != nil {
		return // the codec lets only objects through
	}
	for name, value := range set { // any order: names are distinct and kept sorted
		p.Traits = putTrait(p.Traits, data.Trait{Name: name, Value: compacted(value), At: at, Source: source})
	}
}

// putTrait keeps the later of the trait and the one that is there.
func putTrait(traits []data.Trait, t data.Trait) []data.Trait {
	i, found := slices.BinarySearchFunc(traits, t, func(a, b data.Trait) int { return cmp.Compare(a.Name, b.Name) })
	if !found {
		return slices.Insert(traits, i, t)
	}
	if old := traits[i]; cmp.Or(cmp.Compare(t.At, old.At), cmp.Compare(t.Source, old.Source), bytes.Compare(t.Value, old.Value)) > 0 {
		traits[i] = t
	}
	return traits
}

func compacted(v json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if json.Compact(&b, v) != nil {
		return slices.Clone(v)
	}
	return b.Bytes()
}

// maxRecentName bounds an event's name among the recents, in bytes.
const maxRecentName = 64

// addRecent puts the event among the newest ones.
func addRecent(p *data.Profile, e data.Event, at int64, limit int) {
	r := data.RecentEvent{ID: e.ID, Name: clip(e.Name, maxRecentName), At: at}
	if len(e.Items) > 0 {
		r.Item = e.Items[0].ID
	}
	p.Recent = putRecent(p.Recent, r, limit)
}

// putRecent keeps the newest limit events, newest first, equal times by id.
func putRecent(recent []data.RecentEvent, r data.RecentEvent, limit int) []data.RecentEvent {
	i, _ := slices.BinarySearchFunc(recent, r, compareRecent)
	if i >= limit {
		return recent
	}
	recent = slices.Insert(recent, i, r)
	return recent[:min(len(recent), limit)]
}

func compareRecent(a, b data.RecentEvent) int {
	return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Item, b.Item))
}

// clip cuts s to at most n bytes, between runes.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
