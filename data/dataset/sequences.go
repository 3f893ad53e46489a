package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"kindred/data"
)

const helpSequences = `sequences: a file, or a directory with one *.txt, whose lines are a person and then their items in the order
of time, separated by spaces. The last item of a person is held out as test and the one before it as validation;
somebody with fewer than three keeps them all for training. Every step is a view without a time; repetitions count.
A file *_item2attributes.json beside it ({"item": [attribute, …]}) gives items their tags.`

// readSequences reads the sequences and, where there are any, the attributes.
func readSequences(ctx context.Context, r *reader) error {
	m, err := r.files.one(".txt")
	if err != nil {
		return err
	}
	r.ds.Name = strings.TrimSuffix(plainName(m.name), ".txt")
	met := make(map[string]bool)
	err = r.lines(ctx, m, lineStyle{}, func(line string) error {
		user, items, reason := parseItemList(r.line.Line, line, firstIsUser)
		if reason == "" && len(items) == 0 {
			reason = "a person without items"
		}
		if reason == "" && met[user] {
			reason = fmt.Sprintf("person %q has a second line", clip(user))
		}
		if reason != "" {
			return r.reject(reason)
		}
		met[user] = true
		for i, item := range items {
			part := &r.ds.Interactions
			switch left := len(items) - 1 - i; {
			case len(items) < 3:
			case left == 0:
				part = &r.ds.Test
			case left == 1:
				part = &r.ds.Validation
			}
			r.add(part, row{user: user, item: item, kind: data.View})
		}
		return nil
	})
	if err != nil {
		return err
	}
	attributes, ok, err := r.attributesFile()
	if err != nil || !ok {
		return err
	}
	return r.readAttributes(attributes)
}

// attributesFile is the only *_item2attributes.json beside the sequences.
func (r *reader) attributesFile() (member, bool, error) {
	const ending = "_item2attributes.json"
	if m, ok := r.files.find(r.ds.Name + ending); ok {
		return m, true, nil
	}
	entries, err := os.ReadDir(r.files.dir)
	if err != nil {
		return member{}, false, err
	}
	found, n := "", 0
	for _, e := range entries {
		if strings.HasSuffix(plainName(e.Name()), ending) {
			found, n = e.Name(), n+1
		}
	}
	if n != 1 || r.files.file != "" { // beside a named file only its own namesake counts
		return member{}, false, nil
	}
	m, ok := r.files.member(found)
	return m, ok, nil
}

// maxAttributeBytes bounds the attributes file, which is one JSON value.
const maxAttributeBytes = 256 << 20

// readAttributes gives items their tags.
func (r *reader) readAttributes(m member) error {
	f, err := os.Open(m.path)
	if err != nil {
		return err
	}
	defer f.Close()
	in, err := decompress(f, m.name)
	if err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	b, err := io.ReadAll(io.LimitReader(in, maxAttributeBytes+1))
	if err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	if len(b) > maxAttributeBytes {
		return fmt.Errorf("%s: longer than %d bytes", m.name, maxAttributeBytes)
	}
	r.files.done += m.size
	byItem, err := parseAttributes(b)
	if err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	for i := range r.ds.Items { // items that nobody used stay unknown
		r.ds.Items[i].Tags = byItem[string(r.ds.Items[i].ID)]
	}
	return nil
}

// parseAttributes reads {"item": [attribute, …]}, attributes being numbers or strings.
func parseAttributes(b []byte) (map[string][]string, error) {
	var raw map[string][]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		return nil, err
	}
	out := make(map[string][]string, len(raw))
	for item, attributes := range raw {
		for _, a := range attributes {
			var s string
			if n, err := strconv.ParseInt(string(a), 10, 64); err == nil {
				s = strconv.FormatInt(n, 10)
			} else if err := json.Unmarshal(a, &s); err != nil {
				return nil, fmt.Errorf("item %q: attribute %s is neither a whole number nor a string", clip(item), clip(string(a)))
			}
			if s == "" {
				return nil, errors.New("item " + strconv.Quote(clip(item)) + ": an attribute is empty")
			}
			out[item] = append(out[item], s)
		}
	}
	return out, nil
}
