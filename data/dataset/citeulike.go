package dataset

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"kindred/data"
)

const helpCiteULike = `citeulike: a directory with mult.dat (one article a line: the number of distinct words, then word:count),
vocabulary.dat (one word a line), and users.dat or a split cvae_cf-train-P-users.dat with cvae_cf-test-P-users.dat (one
person a line: how many articles, then the articles by number). People and articles are named by their line, from 0.
An article in somebody's library is a wishlist interaction without a time; its words, each as often as counted, in the
order of the file, are the item's text (a blank word, as the real vocabulary holds one, is left out). --p 1 or 10 chooses the split; without it 10, else 1, else users.dat unsplit.
tags.dat, tag-item.dat and citations.dat are not read. A pair that its file says twice counts once.`

// maxTextRepeats bounds how often one word is repeated in an item's text.
const maxTextRepeats = 1000

// readCiteULike reads the articles, then the libraries.
func readCiteULike(ctx context.Context, r *reader) error {
	mult, err := r.files.need("mult.dat")
	if err != nil {
		return err
	}
	vocabulary, err := r.files.need("vocabulary.dat")
	if err != nil {
		return err
	}
	train, test, split, err := r.citeULikeSplit()
	if err != nil {
		return err
	}
	var words []string
	err = r.lines(ctx, vocabulary, lineStyle{keepEmpty: true}, func(line string) error {
		words = append(words, strings.TrimSpace(line)) // the real file has a blank one
		return nil
	})
	if err != nil {
		return err
	}
	err = r.lines(ctx, mult, lineStyle{keepEmpty: true}, func(line string) error {
		i := r.itemIndex(strconv.Itoa(r.line.Line - 1))
		text, reason := parseBag(line, words)
		if reason != "" {
			return r.reject(reason)
		}
		r.ds.Items[i].Text = text
		return nil
	})
	if err != nil {
		return err
	}
	if err := r.libraries(ctx, train, &r.ds.Interactions); err != nil || !split {
		return err
	}
	return r.libraries(ctx, test, &r.ds.Test)
}

// citeULikeSplit finds the files of the wanted split, or users.dat.
func (r *reader) citeULikeSplit() (train, test member, split bool, err error) {
	choices := []int{10, 1}
	if r.opt.P != 0 {
		choices = []int{r.opt.P}
	}
	for _, p := range choices {
		trainName, testName := fmt.Sprintf("cvae_cf-train-%d-users.dat", p), fmt.Sprintf("cvae_cf-test-%d-users.dat", p)
		if train, split = r.files.find(trainName); split {
			test, err = r.files.need(testName)
			return train, test, true, err
		}
		if r.opt.P != 0 {
			_, err = r.files.need(trainName)
			return train, test, false, err
		}
	}
	train, err = r.files.need("users.dat")
	return train, test, false, err
}

// libraries reads a file of people's articles into part.
func (r *reader) libraries(ctx context.Context, m member, part *[]data.Interaction) error {
	articles := len(r.ds.Items)
	return r.itemLists(ctx, m, part, data.Wishlist, func(line int, words []string) (string, []string, string) {
		if n, err := strconv.Atoi(words[0]); err != nil || n != len(words)-1 {
			return "", nil, fmt.Sprintf("says %q articles and lists %d", clip(words[0]), len(words)-1)
		}
		for _, w := range words[1:] {
			if n, err := strconv.Atoi(w); err != nil || n < 0 || n >= articles || strconv.Itoa(n) != w {
				return "", nil, fmt.Sprintf("article %q is not a number below %d, the lines of mult.dat", clip(w), articles)
			}
		}
		return strconv.Itoa(line - 1), words[1:], ""
	})
}

// parseBag reads "n word:count word:count …" as text.
func parseBag(line string, words []string) (text, reason string) {
	f := strings.Fields(line)
	if len(f) == 0 {
		return "", "the line is blank; an article without words has a 0"
	}
	if n, err := strconv.Atoi(f[0]); err != nil || n != len(f)-1 {
		return "", fmt.Sprintf("says %q words and lists %d", clip(f[0]), len(f)-1)
	}
	var out []string
	for _, pair := range f[1:] {
		word, count, _ := strings.Cut(pair, ":")
		w, err1 := strconv.Atoi(word)
		n, err2 := strconv.Atoi(count)
		if err1 != nil || err2 != nil || w < 0 || w >= len(words) || n < 1 || n > maxTextRepeats {
			return "", fmt.Sprintf("%q is not word:count with a word below %d and a count from 1 to %d", clip(pair), len(words), maxTextRepeats)
		}
		if words[w] == "" {
			continue
		}
		for range n {
			out = append(out, words[w])
		}
	}
	return strings.Join(out, " "), ""
}
