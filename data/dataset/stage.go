package dataset

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"kindred/data"
	"kindred/data/event"
)

// StageOptions say how a data set becomes events.
type StageOptions struct {
	Space data.Space
	Env   string
	// Source names the import; message ids are unique per source. "" means
	// "import-" and the format, so that the same files under another path are the
	// same messages.
	Source string
	// Now is the time of the import. Required.
	Now time.Time
	// ShiftToNow moves all event times by the same amount, so that the newest is
	// one second before Now. Ids and original times stay as they are.
	ShiftToNow bool
	// HeldOut brings in Validation and Test, too, behind Interactions.
	HeldOut bool
	// Progress, if set, is told now and then how many of how many events are written.
	Progress func(done, total int)
}

// Stage turns a data set into a file of canonical events in dir, sorted by (event
// time, file order): written, decoded again as a check, fsynced, and only then given
// its name. When it fails, or ctx ends, nothing is left.
//
// Every interaction becomes a track event under the name that event.Name gives its
// kind, with the item's facets copied from the data set; every person with traits an
// identify event at the time of their first row; a jsonl message stays what it is.
// All have Imported set, Received = Now, and Profile empty for the importer to route.
//
// Message ids are hashes of (source, user, item, kind, value, time in ms, occurrence
// among equal rows), taken from what the files say: importing again adds nothing,
// with or without a shift, whenever it is. For the same reason Times.Original, by
// whose day ids are kept, never depends on Now.
//
// Rows without a time are put one second apart in the order of the file: before the
// oldest known time of the data set; where none is known their original times begin
// at 2000-01-01 and their event times end one second before Now.
func Stage(ctx context.Context, ds *Dataset, dir string, in StageOptions) (*Staged, error) {
	if in.Now.IsZero() {
		return nil, errors.New("stage: the time of the import is not set")
	}
	if in.Source == "" {
		in.Source = "import-" + ds.Format
	}
	in.Now = in.Now.UTC().Truncate(time.Millisecond)
	p := plan(ds, in)
	s, err := p.write(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("stage %s: %w", ds.Name, err)
	}
	s.items = ds.Items
	return s, nil
}

// write makes the events and puts them into a file.
func (p *planner) write(ctx context.Context, dir string) (_ *Staged, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, "import-*.tmp")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	out, sum, line := bufio.NewWriterSize(f, 1<<20), sha256.New(), []byte(nil)
	for n, x := range p.order {
		if n%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if p.in.Progress != nil {
				p.in.Progress(n, len(p.order))
			}
		}
		e, err := p.event(x)
		if err != nil {
			return nil, err
		}
		line = event.Append(line[:0], e)
		if _, err := event.Decode(line); err != nil {
			return nil, fmt.Errorf("event %d of user %q: %w", n+1, e.IDs.User, err)
		}
		line = append(line, '\n')
		sum.Write(line)
		if _, err := out.Write(line); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(out.Flush(), f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "import-"+hex.EncodeToString(sum.Sum(nil)[:8])+".jsonl")
	if err := os.Rename(f.Name(), path); err != nil {
		return nil, err
	}
	if err := syncDir(dir); err != nil {
		os.Remove(path)
		return nil, err
	}
	if p.in.Progress != nil {
		p.in.Progress(len(p.order), len(p.order))
	}
	return &Staged{path: path, count: len(p.order)}, nil
}

// syncDir makes a rename in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
