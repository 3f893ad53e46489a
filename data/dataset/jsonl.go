package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"kindred/data"
	"kindred/data/event"
)

const helpJSONL = `jsonl: a .jsonl, .ndjson or .json file with one JSON object a line: a canonical event (it has the field v) or a
tracking call as clients send it (it has the field type). Messages keep their ids; a call without a messageId is named
by its content, and equal ones by their count, so that a second import adds nothing. A message whose source and id
came before is left out. Acts of somebody who is known by an anonymousId only count for "anon:" and that id. System events, which an export holds, are passed over and counted.`

// readJSONL reads the one file. Its messages are kept whole, in Dataset.Events.
func readJSONL(ctx context.Context, r *reader) error {
	m, err := r.files.one(".jsonl", ".ndjson", ".json")
	if err != nil {
		return err
	}
	type key struct{ source, id string }
	seen := make(map[key]struct{})
	copies := make(map[string]int)
	return r.lines(ctx, m, lineStyle{}, func(line string) error {
		e, named, err := parseMessage([]byte(line), r.opt.Now)
		if err != nil {
			return r.reject(reasonOf(err))
		}
		if e.Type == data.System {
			r.ds.Skipped++
			return nil
		}
		if !named {
			copies[e.ID]++
			if n := copies[e.ID]; n > 1 {
				e.ID += "#" + strconv.Itoa(n)
			}
		}
		k := key{e.Source, e.ID}
		if _, twice := seen[k]; twice {
			r.ds.Duplicates++
			return nil
		}
		seen[k] = struct{}{}
		if e.IDs.User != "" {
			e.IDs.User = r.user(string(e.IDs.User))
		}
		for i := range e.Items {
			e.Items[i].ID = r.item(string(e.Items[i].ID))
		}
		r.ds.Events = append(r.ds.Events, e)
		acts := event.Interactions(e)
		for i := range acts {
			if acts[i].User == "" {
				acts[i].User = r.user("anon:" + string(e.IDs.Anonymous))
			}
		}
		r.ds.Interactions = append(r.ds.Interactions, acts...)
		return nil
	})
}

// parseMessage reads one line; named says whether the client gave it an id. A call's
// time is what its timestamp says, never after now: when the line was received is not
// known, so there is no clock to correct it by.
func parseMessage(line []byte, now time.Time) (e data.Event, named bool, err error) {
	if event.IsCanonical(line) {
		e, err = event.Decode(line)
		e.Profile = "" // of another server perhaps; the import finds its own
		return e, true, err
	}
	c, err := event.ParseCall(line, "")
	if err != nil {
		return e, false, err
	}
	if now.IsZero() {
		if now = c.Timestamp; now.IsZero() {
			return e, false, errors.New("timestamp: is missing, and the time of the import is not known")
		}
	}
	c.SentAt = time.Time{}
	sum := sha256.Sum256(line)
	e, err = c.Canonical(event.Intake{
		Received: now,
		NewID:    func() string { return hex.EncodeToString(sum[:16]) },
	})
	return e, c.MessageID != "", err
}

// reasonOf is the error without the words that every one begins with.
func reasonOf(err error) string {
	var d *event.DecodeError
	if !errors.As(err, &d) {
		return err.Error()
	}
	if d.Field == "" {
		return d.Reason
	}
	return d.Field + ": " + d.Reason
}
