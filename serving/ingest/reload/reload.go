package reload

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Stamp is how a change of files is noticed; "" is that of nothing read yet.
type Stamp string

// StampOf is the stamp of files, in the order of their names. The error is that of the
// first that is not there.
func StampOf(paths ...string) (Stamp, error) {
	var b strings.Builder
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return "", err
		}
		stampOf(&b, path, info)
	}
	return Stamp(b.String()), nil
}

func stampOf(b *strings.Builder, path string, info os.FileInfo) {
	fmt.Fprintln(b, path, info.Size(), info.ModTime().UnixNano())
}

// IfChanged is the file's content and its stamp, or nil where it is as it was at the
// stamp. A file of more than most bytes is an error.
func IfChanged(path string, most int64, was Stamp) ([]byte, Stamp, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, was, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, was, err
	}
	var now strings.Builder
	if stampOf(&now, path, info); Stamp(now.String()) == was {
		return nil, was, nil
	}
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, was, err
	}
	if int64(len(b)) > most {
		return nil, was, fmt.Errorf("larger than %d bytes", most)
	}
	return b, Stamp(now.String()), nil
}

// Every calls refresh at that interval until ctx is done, and tells report what became of it
// where something did; an error that stays is told once. It returns nil.
func Every(ctx context.Context, interval time.Duration, refresh func() (changed bool, err error), report func(changed bool, err error)) error {
	t := time.NewTicker(interval)
	defer t.Stop()
	last := ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.C:
		}
		changed, err := refresh()
		text := ""
		if err != nil {
			text = err.Error()
		}
		if changed || text != "" && text != last {
			report(changed, err)
		}
		last = text
	}
}
