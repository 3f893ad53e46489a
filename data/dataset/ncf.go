package dataset

import (
	"context"
	"fmt"
	"strings"

	"kindred/data"
)

const helpNCF = `ncf: a directory with *.train.rating, *.test.rating (person, item, rating, Unix seconds, separated by tabs;
time 0 means unknown) and *.test.negative ((person,item), then the items to rank it against), as published with
Neural Collaborative Filtering. Its protocol takes every row as implicit feedback, so every row is a view and the
rating, which must be a number, is left out. A pair that its file says twice counts once.`

// readNCF reads the three files of the only prefix there is.
func readNCF(ctx context.Context, r *reader) error {
	prefix, err := r.ncfPrefix()
	if err != nil {
		return err
	}
	var members [3]member
	for i, ending := range [...]string{".train.rating", ".test.rating", ".test.negative"} {
		if members[i], err = r.files.need(prefix + ending); err != nil {
			return err
		}
	}
	r.ds.Name = prefix
	if err := r.ncfRatings(ctx, members[0], &r.ds.Interactions); err != nil {
		return err
	}
	if err := r.ncfRatings(ctx, members[1], &r.ds.Test); err != nil {
		return err
	}
	held := make(map[data.UserID]data.ItemID, len(r.ds.Test))
	for _, t := range r.ds.Test {
		held[t.User] = t.Item
	}
	r.ds.Negatives = make(map[data.UserID][]data.ItemID, len(held))
	return r.lines(ctx, members[2], lineStyle{}, func(line string) error {
		user, item, negatives, reason := parseNegatives(line)
		switch {
		case reason != "":
		case string(held[data.UserID(user)]) != item || item == "":
			reason = fmt.Sprintf("(%s,%s) is not the test row of that person", clip(user), clip(item))
		case r.ds.Negatives[data.UserID(user)] != nil:
			reason = fmt.Sprintf("person %q has a second line", clip(user))
		}
		if reason != "" {
			return r.reject(reason)
		}
		list := make([]data.ItemID, len(negatives))
		for i, item := range negatives {
			list[i] = r.item(item)
		}
		r.ds.Negatives[r.user(user)] = list
		return nil
	})
}

// ncfPrefix is what the three file names begin with.
func (r *reader) ncfPrefix() (string, error) {
	const ending = ".train.rating"
	before := r.files.total
	defer func() { r.files.total = before }()
	m, err := r.files.one(ending)
	if err != nil {
		return "", err
	}
	name := plainName(m.name)
	for _, e := range [...]string{ending, ".test.rating", ".test.negative"} {
		if prefix, ok := strings.CutSuffix(name, e); ok {
			return prefix, nil
		}
	}
	return "", fmt.Errorf("%s: is none of *.train.rating, *.test.rating and *.test.negative", m.name)
}

// ncfRatings reads one of the rating files into part.
func (r *reader) ncfRatings(ctx context.Context, m member, part *[]data.Interaction) error {
	type pair struct{ user, item int }
	seen := make(map[pair]struct{})
	return r.lines(ctx, m, lineStyle{}, func(line string) error {
		w, reason := parseNCFRating(line)
		if reason != "" {
			return r.reject(reason)
		}
		r.user(w.user)
		p := pair{r.users[w.user], r.itemIndex(w.item)}
		if _, twice := seen[p]; twice {
			r.ds.Duplicates++
			return nil
		}
		seen[p] = struct{}{}
		r.add(part, w)
		return nil
	})
}

// parseNCFRating reads "user TAB item TAB rating TAB time".
func parseNCFRating(line string) (w row, reason string) {
	f := strings.Split(line, "\t")
	if len(f) != 4 {
		return w, fmt.Sprintf("%d fields; a row has person, item, rating and time", len(f))
	}
	w = row{user: f[0], item: f[1], kind: data.View}
	if reason = w.names(); reason != "" {
		return w, reason
	}
	if _, reason = parseNumber("rating", f[2]); reason != "" {
		return w, reason
	}
	w.at, reason = parseUnix(f[3])
	return w, reason
}

// parseNegatives reads "(user,item) TAB item TAB item …".
func parseNegatives(line string) (user, item string, negatives []string, reason string) {
	f := strings.Split(line, "\t")
	head, ok := strings.CutPrefix(f[0], "(")
	head, ok2 := strings.CutSuffix(head, ")")
	user, item, ok3 := strings.Cut(head, ",")
	if !ok || !ok2 || !ok3 {
		return "", "", nil, fmt.Sprintf("begins with %q instead of (person,item)", clip(f[0]))
	}
	item = strings.TrimSpace(item)
	if reason = (row{user: user, item: item}).names(); reason != "" {
		return "", "", nil, reason
	}
	for _, n := range f[1:] {
		if reason = checkName("item", n); reason != "" {
			return "", "", nil, reason
		}
	}
	return user, item, f[1:], ""
}
