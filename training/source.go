package training

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"kindred/data"
	"kindred/data/dataset"
	"kindred/features/content"
	"kindred/training/assemble"
	"kindred/training/split"
)

// Source is everything that a fit or an evaluation reads, by rows.
type Source struct {
	split.Source
	Name string
	Docs [][]string // content tokens of each item row; empty where nothing is known
	// Watermark is the newest log time that the source has seen; zero for files.
	Watermark time.Time
	// Deleted counts the interactions left out because their person was deleted,
	// Repeated those that the log held again.
	Deleted, Repeated int64
}

// FromDataset makes a source of files read into memory. The error is an id that
// cannot be: an empty one.
func FromDataset(ds *dataset.Dataset) (*Source, error) {
	b := assemble.NewBuilder()
	for _, it := range ds.Items {
		b.Item(it.ID)
	}
	for _, i := range ds.Interactions {
		b.Add(assemble.Key(i), i)
	}
	for _, i := range ds.Validation { // known before the test
		b.Add(assemble.Key(i), i)
	}
	for _, i := range ds.Test {
		b.Person(assemble.Key(i))
		b.Item(i.Item)
	}
	for _, user := range slices.Sorted(maps.Keys(ds.Negatives)) {
		for _, it := range ds.Negatives[user] {
			b.Item(it)
		}
	}
	if len(ds.Interactions) == 0 {
		for n, s := range ds.Sessions {
			addSession(b, n, s)
		}
	}
	for _, s := range ds.TestSessions {
		for _, it := range s.Prefix {
			b.Item(it)
		}
		b.Item(s.Target)
	}
	t, err := b.Table()
	if err != nil {
		return nil, fmt.Errorf("assemble %s: %w", ds.Name, err)
	}
	src := &Source{Source: split.Source{Table: t}, Name: ds.Name, Docs: documents(t, ds.Items)}
	src.holdouts(ds)
	return src, nil
}

// addSession adds a session as a person of its own, named so that the names sort
// as the sessions do.
func addSession(b *assemble.Builder, n int, items []data.ItemID) {
	key := fmt.Sprintf("session %09d", n)
	for _, it := range items {
		b.Add(key, data.Interaction{Item: it, Kind: data.View})
	}
}

// holdouts takes over the division that the files brought.
func (s *Source) holdouts(ds *dataset.Dataset) {
	if ds.Test != nil {
		s.Test = make([]assemble.Act, 0, len(ds.Test))
		for _, i := range ds.Test {
			s.Test = append(s.Test, s.Act(i))
		}
	}
	if ds.Negatives != nil {
		s.Negatives = make(map[int32][]int32, len(ds.Negatives))
		for user, items := range ds.Negatives {
			person, ok := s.People.Row(string(user))
			if !ok {
				continue // has negatives but nothing to find
			}
			rows := make([]int32, 0, len(items))
			for _, it := range items {
				row, _ := s.Items.Row(string(it))
				rows = append(rows, row)
			}
			slices.Sort(rows)
			s.Negatives[person] = slices.Compact(rows)
		}
	}
	s.Sessions = prefixes(s.Table, ds.TestSessions)
}

// prefixes joins the session cases, one a target, to rows.
func prefixes(t *assemble.Table, cases []dataset.SessionCase) []split.Prefix {
	out := make([]split.Prefix, 0, len(cases))
	for i, c := range cases {
		p := split.Prefix{Items: make([]int32, 0, len(c.Prefix))}
		for _, it := range c.Prefix {
			row, _ := t.Items.Row(string(it))
			p.Items = append(p.Items, row)
		}
		p.Target, _ = t.Items.Row(string(c.Target))
		if i > 0 {
			before := out[i-1]
			p.Session = before.Session
			if !sameSession(before, p) {
				p.Session++
			}
		}
		out = append(out, p)
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// sameSession reports whether one case is the other and its target: files list the
// prefixes of a session in rising or in falling length.
func sameSession(a, b split.Prefix) bool {
	whole := func(p split.Prefix) []int32 { return append(slices.Clone(p.Items), p.Target) }
	return slices.Equal(whole(a), b.Items) || slices.Equal(whole(b), a.Items)
}

// documents are the content tokens by item row.
func documents(t *assemble.Table, items []data.Item) [][]string {
	docs := make([][]string, t.Items.Len())
	for _, it := range items {
		if row, ok := t.Items.Row(string(it.ID)); ok {
			docs[row] = content.Tokens(it)
		}
	}
	return docs
}

// describe names the source for a report.
func (s *Source) describe() string {
	if s.Name == "" {
		return "lake at " + s.Watermark.UTC().Format(time.RFC3339)
	}
	return s.Name
}
