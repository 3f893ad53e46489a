package dataset

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kindred/data"
)

const (
	minTagItems = 3                   // a tag on fewer movies says more about the person than about the movie
	maxTags     = data.MaxFacetValues // of one movie
)

// readLatestSmall reads ratings.csv, movies.csv, tags.csv and links.csv.
func (r *reader) readLatestSmall(ctx context.Context) error {
	movies, err := r.files.need("movies.csv")
	if err != nil {
		return err
	}
	ratings, err := r.files.need("ratings.csv")
	if err != nil {
		return err
	}
	tags, hasTags := r.files.find("tags.csv")
	links, hasLinks := r.files.find("links.csv")

	err = r.table(ctx, movies, "movieId,title,genres", func(f []string) string {
		return r.described(f[0], func(it *data.Item) { it.Title, it.Categories = f[1], genres(f[2]) })
	})
	if err != nil {
		return err
	}
	if err := r.ratingTable(ctx, ratings, "userId,movieId,rating,timestamp"); err != nil {
		return err
	}
	if hasTags {
		if err := r.readTags(ctx, tags); err != nil {
			return err
		}
	}
	if !hasLinks {
		return nil
	}
	return r.table(ctx, links, "movieId,imdbId,tmdbId", func(f []string) string {
		if reason := checkName("item", f[0]); reason != "" {
			return reason
		}
		if imdb := f[1]; imdb != "" {
			if strings.Trim(imdb, "0123456789") != "" {
				return fmt.Sprintf("imdbId %q is not a number", clip(imdb))
			}
			r.ds.Items[r.itemIndex(f[0])].URL = "https://www.imdb.com/title/tt" + imdb + "/"
		}
		return ""
	})
}

// described is describe for tables: the reason, if it may not be.
func (r *reader) described(id string, fill func(it *data.Item)) string {
	if reason := checkName("item", id); reason != "" {
		return reason
	}
	before := len(r.ds.Items)
	i := r.itemIndex(id)
	if i < before {
		return fmt.Sprintf("item %q is described twice", clip(id))
	}
	fill(&r.ds.Items[i])
	return ""
}

// table reads a comma-separated member with exactly this header; one returns why
// a line is bad, or "".
func (r *reader) table(ctx context.Context, m member, header string, one func(fields []string) string) error {
	var fields []string
	columns := strings.Count(header, ",") + 1
	first := true
	return r.lines(ctx, m, lineStyle{}, func(line string) error {
		if first {
			if first = false; line != header {
				return fmt.Errorf("%s:1: the header is %q; it must be %q", m.name, clip(line), header)
			}
			return nil
		}
		var reason string
		fields, reason = splitCSV(fields[:0], line, ',')
		if reason == "" && len(fields) != columns {
			reason = fmt.Sprintf("%d fields; the header has %d", len(fields), columns)
		}
		if reason == "" {
			reason = one(fields)
		}
		if reason != "" {
			return r.reject(reason)
		}
		return nil
	})
}

// ratingTable reads a table of ratings.
func (r *reader) ratingTable(ctx context.Context, m member, header string) error {
	return r.table(ctx, m, header, func(f []string) string {
		w, reason := parseRating(f)
		if reason == "" {
			r.add(&r.ds.Interactions, w)
		}
		return reason
	})
}

// readTags gives each movie the tags that at least minTagItems movies bear: those
// that most people gave it first, equal ones in the order of the alphabet.
func (r *reader) readTags(ctx context.Context, m member) error {
	given := make(map[int]map[string]int) // item index → tag → times
	err := r.table(ctx, m, "userId,movieId,tag,timestamp", func(f []string) string {
		if reason := (row{user: f[0], item: f[1]}).names(); reason != "" {
			return reason
		}
		tag := strings.ToLower(strings.Join(strings.Fields(f[2]), " "))
		if tag == "" {
			return "tag is empty"
		}
		r.user(f[0])
		i := r.itemIndex(f[1])
		if given[i] == nil {
			given[i] = make(map[string]int)
		}
		given[i][tag]++
		return ""
	})
	if err != nil {
		return err
	}
	movies := make(map[string]int)
	for _, tags := range given {
		for tag := range tags {
			movies[tag]++
		}
	}
	for i, tags := range given {
		popular := slices.DeleteFunc(slices.Collect(maps.Keys(tags)), func(tag string) bool { return movies[tag] < minTagItems })
		slices.SortFunc(popular, func(a, b string) int {
			return cmp.Or(cmp.Compare(tags[b], tags[a]), strings.Compare(a, b))
		})
		r.ds.Items[i].Tags = slices.Clip(popular[:min(len(popular), maxTags)])
		if len(popular) == 0 {
			r.ds.Items[i].Tags = nil
		}
	}
	return nil
}
