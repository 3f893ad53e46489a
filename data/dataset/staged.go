package dataset

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"kindred/data"
	"kindred/data/event"
)

// Staged is a file of events that waits to be imported.
type Staged struct {
	path  string
	count int
	items []data.Item
}

// Count is how many events there are.
func (s *Staged) Count() int { return s.count }

// Items are the data set's items, for the catalog.
func (s *Staged) Items() []data.Item { return s.items }

// Path is where the file is.
func (s *Staged) Path() string { return s.path }

// Remove deletes the file. Doing it twice is no error.
func (s *Staged) Remove() error {
	if err := os.Remove(s.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove staged import: %w", err)
	}
	return nil
}

// Events calls yield with every event in order and stops at its first error, which
// it wraps. It may be called again and then starts over. A file that does not hold
// what was staged is an error.
func (s *Staged) Events(yield func(data.Event) error) error {
	name := filepath.Base(s.path)
	f, err := os.Open(s.path)
	if err != nil {
		return fmt.Errorf("read staged import: %w", err)
	}
	defer f.Close()
	in := lineReader{r: bufio.NewReaderSize(f, 1<<20)}
	for n := 1; ; n++ {
		line, _, err := in.next()
		if errors.Is(err, io.EOF) {
			if n-1 != s.count {
				return fmt.Errorf("read staged import %s: holds %d events; %d were staged", name, n-1, s.count)
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("read staged import %s:%d: %w", name, n, err)
		}
		e, err := event.Decode(line)
		if err != nil {
			return fmt.Errorf("read staged import %s:%d: %w", name, n, err)
		}
		if err := yield(e); err != nil {
			return fmt.Errorf("staged event %d of %d: %w", n, s.count, err)
		}
	}
}
