package dataset

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"kindred/data"
)

const helpSessions = `sessions: a directory with train_sessions.txt (one session a line: items in the order they were clicked,
separated by spaces) and test.txt (the items so far, a tab, the item that came next). Nobody is known across sessions,
so every training session is a person of its own, "session-1", "session-2" …, by line. Every step is a click without
a time; an item may come again in its session and counts each time.`

// readSessions reads both files.
func readSessions(ctx context.Context, r *reader) error {
	train, err := r.files.need("train_sessions.txt")
	if err != nil {
		return err
	}
	test, err := r.files.need("test.txt")
	if err != nil {
		return err
	}
	err = r.lines(ctx, train, lineStyle{}, func(line string) error {
		items, reason := parseSession(line)
		if reason != "" {
			return r.reject(reason)
		}
		name := "session-" + strconv.Itoa(r.line.Line)
		session := make([]data.ItemID, len(items))
		for i, item := range items {
			session[i] = r.item(item)
			act := r.act(name, item, data.Click, 0, time.Time{})
			act.Session = string(act.User)
			r.ds.Interactions = append(r.ds.Interactions, act)
		}
		r.ds.Sessions = append(r.ds.Sessions, session)
		return nil
	})
	if err != nil {
		return err
	}
	return r.lines(ctx, test, lineStyle{}, func(line string) error {
		prefix, target, reason := parseSessionCase(line)
		if reason != "" {
			return r.reject(reason)
		}
		c := SessionCase{Prefix: make([]data.ItemID, len(prefix)), Target: r.item(target)}
		for i, item := range prefix {
			c.Prefix[i] = r.item(item)
		}
		r.ds.TestSessions = append(r.ds.TestSessions, c)
		return nil
	})
}

// parseSession reads the items of a line.
func parseSession(line string) (items []string, reason string) {
	if items = strings.Fields(line); len(items) == 0 {
		return nil, "the session is empty"
	}
	for _, item := range items {
		if reason = checkName("item", item); reason != "" {
			return nil, reason
		}
	}
	return items, ""
}

// parseSessionCase reads "item item … TAB item".
func parseSessionCase(line string) (prefix []string, target, reason string) {
	before, target, ok := strings.Cut(line, "\t")
	if !ok || strings.Contains(target, "\t") {
		return nil, "", fmt.Sprintf("%d tabs; one must stand between the items so far and the next", strings.Count(line, "\t"))
	}
	if prefix, reason = parseSession(before); reason != "" {
		return nil, "", reason
	}
	target = strings.TrimSpace(target)
	return prefix, target, checkName("target", target)
}
