package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"kindred/data"
)

// extraBad is how many bad lines beyond MaxBad are collected before reading
// stops, so that the report shows more than the first.
const extraBad = 20

// reader is one reading under way: where the files are, and what came so far.
type reader struct {
	opt   Options
	files files
	ds    *Dataset
	users map[string]int // index in ds.Users
	items map[string]int // index in ds.Items
	bad   []BadLine
	line  BadLine // where we are; Reason is empty
}

func newReader(format string, opt Options) (*reader, error) {
	fs, err := locate(opt.Path)
	if err != nil {
		return nil, err
	}
	fs.progress = opt.Progress
	return &reader{
		opt: opt, files: fs, ds: &Dataset{Name: fs.name(), Format: format},
		users: make(map[string]int), items: make(map[string]int),
	}, nil
}

// finish checks the bad lines and counts.
func (r *reader) finish() (*Dataset, error) {
	if len(r.bad) > r.opt.MaxBad {
		return nil, r.badLines(false)
	}
	r.ds.Bad = r.bad
	for _, part := range [...][]data.Interaction{r.ds.Interactions, r.ds.Test, r.ds.Validation} {
		for i := range part {
			if part[i].At.IsZero() {
				r.ds.MissingTimes++
			}
		}
	}
	if r.files.progress != nil {
		r.files.progress(r.files.total, r.files.total)
	}
	return r.ds, nil
}

func (r *reader) badLines(more bool) error {
	return &BadLinesError{MaxBad: r.opt.MaxBad, Lines: r.bad, More: more}
}

// reject counts the current line as bad. It returns an error once enough are
// collected to give up; the caller passes it on.
func (r *reader) reject(reason string) error {
	line := r.line
	line.Reason = reason
	if r.bad = append(r.bad, line); len(r.bad) > r.opt.MaxBad+extraBad {
		return r.badLines(true)
	}
	return nil
}

// user is the person called id, met now or before. The string is shared by all
// rows of that person.
func (r *reader) user(id string) data.UserID {
	i, ok := r.users[id]
	if !ok {
		id = strings.Clone(id)
		i = len(r.ds.Users)
		r.users[id] = i
		r.ds.Users = append(r.ds.Users, data.User{ID: data.UserID(id)})
	}
	return r.ds.Users[i].ID
}

// item is the item called id, met now or before.
func (r *reader) item(id string) data.ItemID { return r.ds.Items[r.itemIndex(id)].ID }

func (r *reader) itemIndex(id string) int {
	i, ok := r.items[id]
	if !ok {
		id = strings.Clone(id)
		i = len(r.ds.Items)
		r.items[id] = i
		r.ds.Items = append(r.ds.Items, data.Item{ID: data.ItemID(id)})
	}
	return i
}

// act is one interaction with the names shared.
func (r *reader) act(user, item string, kind data.Kind, value float64, at time.Time) data.Interaction {
	return data.Interaction{User: r.user(user), Item: r.item(item), Kind: kind, Value: value, At: at}
}

// checkName reports why s cannot be a person's or item's id, or "".
func checkName(what, s string) string {
	const most = 256
	switch {
	case s == "":
		return what + " is empty"
	case len(s) > most:
		return fmt.Sprintf("%s is %d bytes long; at most %d are allowed", what, len(s), most)
	}
	for _, c := range s {
		if c < ' ' || c == 0x7f {
			return fmt.Sprintf("%s %q holds the control character %U", what, clip(s), c)
		}
	}
	return ""
}

// clip shortens text from a file for a message.
func clip(s string) string {
	if len(s) <= 40 {
		return s
	}
	return strings.ToValidUTF8(s[:40], "") + "…"
}

// files are the places where members of a data set may be.
type files struct {
	dir      string
	file     string // the file that Path named, or "" where it named a directory
	progress func(done, total int64)
	done     int64 // bytes on disk of the members read to the end
	total    int64 // bytes on disk of the members opened or announced so far
}

// locate finds out whether path is a directory or a file.
func locate(path string) (files, error) {
	info, err := os.Stat(path)
	if err != nil {
		return files{}, err
	}
	if info.IsDir() {
		return files{dir: path}, nil
	}
	return files{dir: filepath.Dir(path), file: filepath.Base(path)}, nil
}

// name is the data set's name as the path tells it.
func (f *files) name() string {
	if f.file != "" {
		return strings.TrimSuffix(plainName(f.file), filepath.Ext(plainName(f.file)))
	}
	if abs, err := filepath.Abs(f.dir); err == nil {
		return filepath.Base(abs)
	}
	return filepath.Base(f.dir)
}
