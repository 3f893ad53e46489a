package dataset

import (
	"context"
	"fmt"
	"strings"

	"kindred/data"
)

const helpMovieLens = `movielens: a directory of MovieLens latest-small (ratings.csv, movies.csv, optional tags.csv and
links.csv), 100k (u.data, u.item, u.user) or 1m (ratings.dat or ratings.csv, movies.dat, users.dat), told apart by
their files. Every row is a rating. Genres become categories; titles keep their year; in latest-small, free-text
tags that are on at least 3 movies become tags, lower-cased, the 8 most frequent of each movie, and links.csv gives
the page at IMDb; in 100k and 1m age, gender, occupation and zip become traits. --fold u1 … u5, ua or ub reads that
split of 100k instead of u.data: its .test file is held out. A second rating of a movie by the same person is kept.`

// readMovieLens finds out which of the three it is.
func readMovieLens(ctx context.Context, r *reader) error {
	has := func(name string) bool {
		before := r.files.total
		_, ok := r.files.find(name)
		r.files.total = before
		return ok
	}
	small := has("movies.csv") && has("ratings.csv")
	hundred := has("u.item")
	million := has("movies.dat")
	switch {
	case r.opt.Fold != "" && !hundred:
		return fmt.Errorf("fold %q: only ml-100k brings folds, and there is no u.item here", r.opt.Fold)
	case small:
		r.ds.Name = "ml-latest-small"
		return r.readLatestSmall(ctx)
	case hundred:
		r.ds.Name = "ml-100k"
		return r.read100K(ctx)
	case million:
		r.ds.Name = "ml-1m"
		return r.read1M(ctx)
	}
	return fmt.Errorf("%s: is no MovieLens directory: neither movies.csv and ratings.csv, nor u.item, nor movies.dat", r.files.dir)
}

// ratings reads a member whose lines are ratings, as parse understands them, into part.
func (r *reader) ratings(ctx context.Context, m member, part *[]data.Interaction, parse func(line string) (row, string)) error {
	return r.lines(ctx, m, lineStyle{}, func(line string) error {
		w, reason := parse(line)
		if reason != "" {
			return r.reject(reason)
		}
		r.add(part, w)
		return nil
	})
}

// parseRating makes a row of the four fields of every MovieLens rating: user, item,
// rating in (0, 5], Unix seconds (may be empty).
func parseRating(f []string) (w row, reason string) {
	if len(f) != 4 {
		return w, fmt.Sprintf("%d fields; a rating has user, item, rating and time", len(f))
	}
	w = row{user: f[0], item: f[1], kind: data.Rating}
	if reason = w.names(); reason != "" {
		return w, reason
	}
	if w.value, reason = parseNumber("rating", f[2]); reason != "" {
		return w, reason
	}
	if !(w.value > 0 && w.value <= 5) {
		return w, fmt.Sprintf("rating %q is not between 0.5 and 5", clip(f[2]))
	}
	w.at, reason = parseUnix(f[3])
	return w, reason
}

// genres are the categories of a |-separated list; the words for "none" give none.
func genres(list string) []string {
	if list == "" || list == "(no genres listed)" {
		return nil
	}
	var out []string
	for g := range strings.SplitSeq(list, "|") {
		if g = strings.TrimSpace(g); g != "" {
			out = append(out, g)
		}
	}
	return out
}
