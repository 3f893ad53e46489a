package dataset

import (
	"context"
	"fmt"
	"strings"

	"kindred/data"
)

const helpLightGCN = `lightgcn: a directory with train.txt and test.txt (NGCF and LightGCN splits). A line is a person and
then their items, separated by spaces. Every pair is a view without a time. A pair that its file says twice counts
once; a person may have several lines, or none in one of the files. user_list.txt and item_list.txt are not read: the
ids are the numbers of the split.`

// readLightGCN reads both files.
func readLightGCN(ctx context.Context, r *reader) error {
	train, err := r.files.need("train.txt")
	if err != nil {
		return err
	}
	test, err := r.files.need("test.txt")
	if err != nil {
		return err
	}
	if err := r.itemLists(ctx, train, &r.ds.Interactions, data.View, firstIsUser); err != nil {
		return err
	}
	return r.itemLists(ctx, test, &r.ds.Test, data.View, firstIsUser)
}

// firstIsUser takes the first word of a line as the person.
func firstIsUser(_ int, words []string) (user string, items []string, reason string) {
	return words[0], words[1:], ""
}

// itemLists reads a member whose lines are a person's items, once each, into part;
// who says who the person of a line is and which of its words are items.
func (r *reader) itemLists(
	ctx context.Context, m member, part *[]data.Interaction, kind data.Kind,
	who func(line int, words []string) (user string, items []string, reason string),
) error {
	type pair struct{ user, item int }
	seen := make(map[pair]struct{})
	return r.lines(ctx, m, lineStyle{}, func(line string) error {
		user, items, reason := parseItemList(r.line.Line, line, who)
		if reason != "" {
			return r.reject(reason)
		}
		r.user(user)
		for _, item := range items {
			p := pair{r.users[user], r.itemIndex(item)}
			if _, twice := seen[p]; twice {
				r.ds.Duplicates++
				continue
			}
			seen[p] = struct{}{}
			r.add(part, row{user: user, item: item, kind: kind})
		}
		return nil
	})
}

// parseItemList cuts a line into words and checks the names in it.
func parseItemList(
	n int, line string, who func(line int, words []string) (string, []string, string),
) (user string, items []string, reason string) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return "", nil, "the line is blank"
	}
	if user, items, reason = who(n, words); reason != "" {
		return "", nil, reason
	}
	if reason = checkName("user", user); reason != "" {
		return "", nil, reason
	}
	for i, item := range items {
		if reason = checkName("item", item); reason != "" {
			return "", nil, fmt.Sprintf("%s (the %dth of the line)", reason, i+1)
		}
	}
	return user, items, ""
}
