package dataset

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kindred/data"
)

// read100K reads u.item, u.user, and u.data or the files of a fold.
func (r *reader) read100K(ctx context.Context) error {
	folds := []string{"u1", "u2", "u3", "u4", "u5", "ua", "ub"}
	if r.opt.Fold != "" && !slices.Contains(folds, r.opt.Fold) {
		return fmt.Errorf("fold %q: ml-100k has %s", r.opt.Fold, strings.Join(folds, ", "))
	}
	trainName, testName := "u.data", ""
	if r.opt.Fold != "" {
		trainName, testName = r.opt.Fold+".base", r.opt.Fold+".test"
	}
	var members [3]member
	for i, name := range [...]string{"u.item", "u.user", trainName} {
		var err error
		if members[i], err = r.files.need(name); err != nil {
			return err
		}
	}
	err := r.lines(ctx, members[0], lineStyle{latin1: true}, func(line string) error {
		it, reason := parseItem100K(line)
		return r.describeOr(it, reason)
	})
	if err != nil {
		return err
	}
	err = r.lines(ctx, members[1], lineStyle{latin1: true}, func(line string) error {
		u, reason := parseUser100K(line)
		return r.person(u, reason)
	})
	if err != nil {
		return err
	}
	if err := r.ratings(ctx, members[2], &r.ds.Interactions, parseTabRating); err != nil || testName == "" {
		return err
	}
	test, err := r.files.need(testName)
	if err != nil {
		return err
	}
	return r.ratings(ctx, test, &r.ds.Test, parseTabRating)
}

// read1M reads movies.dat, users.dat, and ratings.dat or ratings.csv.
func (r *reader) read1M(ctx context.Context) error {
	movies, err := r.files.need("movies.dat")
	if err != nil {
		return err
	}
	users, err := r.files.need("users.dat")
	if err != nil {
		return err
	}
	ratings, dat := r.files.find("ratings.dat")
	if !dat {
		if ratings, err = r.files.need("ratings.csv"); err != nil {
			return err
		}
	}
	err = r.lines(ctx, movies, lineStyle{latin1: true}, func(line string) error {
		it, reason := parseItem1M(line)
		return r.describeOr(it, reason)
	})
	if err != nil {
		return err
	}
	err = r.lines(ctx, users, lineStyle{latin1: true}, func(line string) error {
		u, reason := parseUser1M(line)
		return r.person(u, reason)
	})
	if err != nil {
		return err
	}
	if !dat {
		return r.ratingTable(ctx, ratings, "user,item,rating,timestamp")
	}
	return r.ratings(ctx, ratings, &r.ds.Interactions, func(line string) (row, string) {
		return parseRating(strings.Split(line, "::"))
	})
}

// describeOr adds a described item, or rejects its line.
func (r *reader) describeOr(it data.Item, reason string) error {
	if reason == "" {
		reason = r.described(string(it.ID), func(to *data.Item) {
			it.ID = to.ID
			*to = it
		})
	}
	if reason != "" {
		return r.reject(reason)
	}
	return nil
}

// person adds a described person, or rejects the line.
func (r *reader) person(u data.User, reason string) error {
	if reason == "" {
		if _, twice := r.users[string(u.ID)]; twice {
			reason = fmt.Sprintf("user %q is described twice", clip(string(u.ID)))
		}
	}
	if reason != "" {
		return r.reject(reason)
	}
	r.user(string(u.ID))
	r.ds.Users[r.users[string(u.ID)]].Traits = u.Traits
	return nil
}

// parseTabRating reads "user TAB item TAB rating TAB time".
func parseTabRating(line string) (row, string) { return parseRating(strings.Split(line, "\t")) }

// parseItem100K reads a line of u.item: id, title, release date, video release
// date, IMDb URL and 19 genre flags, separated by |.
func parseItem100K(line string) (it data.Item, reason string) {
	// The order of the flags, from u.genre; the first is "unknown" and no category.
	names := [...]string{
		"", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary", "Drama", "Fantasy",
		"Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller", "War", "Western",
	}
	f := strings.Split(line, "|")
	if len(f) != 5+len(names) {
		return it, fmt.Sprintf("%d fields; a movie has %d", len(f), 5+len(names))
	}
	if reason = checkName("item", f[0]); reason != "" {
		return it, reason
	}
	it = data.Item{ID: data.ItemID(f[0]), Title: strings.TrimSpace(f[1]), URL: f[4]}
	if f[2] != "" {
		t, err := time.Parse("2-Jan-2006", f[2])
		if err != nil {
			return it, fmt.Sprintf("release date %q is not like 01-Jan-1995", clip(f[2]))
		}
		it.Published = t
	}
	for i, flag := range f[5:] {
		switch flag {
		case "0":
		case "1":
			if names[i] != "" {
				it.Categories = append(it.Categories, names[i])
			}
		default:
			return it, fmt.Sprintf("genre flag %d is %q; it must be 0 or 1", i, clip(flag))
		}
	}
	return it, ""
}

// parseUser100K reads a line of u.user: id|age|gender|occupation|zip.
func parseUser100K(line string) (u data.User, reason string) {
	f := strings.Split(line, "|")
	if len(f) != 5 {
		return u, fmt.Sprintf("%d fields; a person has id, age, gender, occupation and zip", len(f))
	}
	return newPerson(f[0], f[1], f[2], f[3], f[4])
}

// parseItem1M reads a line of movies.dat: id::title::genres.
func parseItem1M(line string) (it data.Item, reason string) {
	f := strings.Split(line, "::")
	if len(f) != 3 {
		return it, fmt.Sprintf("%d fields; a movie has id, title and genres", len(f))
	}
	return data.Item{ID: data.ItemID(f[0]), Title: strings.TrimSpace(f[1]), Categories: genres(f[2])}, checkName("item", f[0])
}

// parseUser1M reads a line of users.dat: id::gender::age::occupation::zip, where
// the age is the lowest of its range and the occupation a number.
func parseUser1M(line string) (u data.User, reason string) {
	occupations := [...]string{
		"other", "academic/educator", "artist", "clerical/admin", "college/grad student", "customer service",
		"doctor/health care", "executive/managerial", "farmer", "homemaker", "K-12 student", "lawyer", "programmer",
		"retired", "sales/marketing", "scientist", "self-employed", "technician/engineer", "tradesman/craftsman",
		"unemployed", "writer",
	}
	f := strings.Split(line, "::")
	if len(f) != 5 {
		return u, fmt.Sprintf("%d fields; a person has id, gender, age, occupation and zip", len(f))
	}
	n, err := strconv.Atoi(f[3])
	if err != nil || n < 0 || n >= len(occupations) {
		return u, fmt.Sprintf("occupation %q is not a number from 0 to %d", clip(f[3]), len(occupations)-1)
	}
	return newPerson(f[0], f[2], f[1], occupations[n], f[4])
}

// newPerson makes a person of the four traits that both files tell.
func newPerson(id, age, gender, occupation, zip string) (u data.User, reason string) {
	if reason = checkName("user", id); reason != "" {
		return u, reason
	}
	years, err := strconv.Atoi(age)
	if err != nil || years < 0 || years > 150 {
		return u, fmt.Sprintf("age %q is not a number of years", clip(age))
	}
	return data.User{ID: data.UserID(id), Traits: map[string]any{
		"age": float64(years), "gender": gender, "occupation": occupation, "zip": zip,
	}}, ""
}
