package dataset

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/ulikunitz/xz"
)

// MaxLineBytes is the longest line that a reader accepts, without its end.
const MaxLineBytes = 16 << 20

// suffixes are how a member's file may be compressed, in the order of preference.
var suffixes = [...]string{"", ".gz", ".xz"}

// plainName is a file's name without the suffix of its compression.
func plainName(name string) string {
	return strings.TrimSuffix(strings.TrimSuffix(name, ".xz"), ".gz")
}

// member is one file of a data set.
type member struct {
	path string
	name string // its file name, for messages
	size int64  // bytes on disk
}

// find looks for a member by its plain name, then with .gz, then with .xz.
func (f *files) find(name string) (member, bool) {
	for _, suffix := range suffixes {
		if m, ok := f.member(name + suffix); ok {
			return m, true
		}
	}
	return member{}, false
}

// need is find for a member that must be there.
func (f *files) need(name string) (member, error) {
	m, ok := f.find(name)
	if !ok {
		return m, fmt.Errorf("%s: no such file, nor with .gz or .xz", filepath.Join(f.dir, name))
	}
	return m, nil
}

// one is the only member with one of the endings: the file that the path names,
// or else the only one in the directory.
func (f *files) one(endings ...string) (member, error) {
	fits := func(name string) bool {
		for _, e := range endings {
			if strings.HasSuffix(plainName(name), e) {
				return true
			}
		}
		return false
	}
	if f.file != "" {
		m, ok := f.member(f.file)
		if !ok {
			return m, fmt.Errorf("%s: not a regular file", filepath.Join(f.dir, f.file))
		}
		return m, nil
	}
	entries, err := os.ReadDir(f.dir)
	if err != nil {
		return member{}, err
	}
	var names []string
	for _, e := range entries {
		if fits(e.Name()) {
			names = append(names, e.Name())
		}
	}
	switch len(names) {
	case 0:
		return member{}, fmt.Errorf("%s: holds no file that ends in %s (or that and .gz or .xz)", f.dir, strings.Join(endings, ", "))
	case 1:
		m, _ := f.member(names[0])
		return m, nil
	}
	return member{}, fmt.Errorf("%s: holds several files that could be meant: %s; name one", f.dir, strings.Join(names, ", "))
}

// member is the file of that exact name in the directory. Its size joins the total.
func (f *files) member(name string) (member, bool) {
	path := filepath.Join(f.dir, name)
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return member{}, false
	}
	f.total += info.Size()
	return member{path: path, name: name, size: info.Size()}, true
}

// lines calls fn with every line of the member, without its end (\n or \r\n) and
// without a byte order mark; r.line says which. Empty lines are passed over unless
// keepEmpty. A line that is too long or not UTF-8 is a bad line; with latin1, one that
// is not UTF-8 is read as ISO 8859-1. The error is fn's, the file's or the context's.
func (r *reader) lines(ctx context.Context, m member, how lineStyle, fn func(line string) error) error {
	f, err := os.Open(m.path)
	if err != nil {
		return err
	}
	defer f.Close()
	counted := &countingReader{r: f}
	plain, err := decompress(counted, m.name)
	if err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	in := lineReader{r: bufio.NewReaderSize(plain, 1<<16)}
	for n := 1; ; n++ {
		if n%1024 == 1 {
			if err := ctx.Err(); err != nil {
				return fmt.Errorf("%s:%d: %w", m.name, n, err)
			}
			if r.files.progress != nil {
				r.files.progress(r.files.done+counted.n, r.files.total)
			}
		}
		raw, tooLong, err := in.next()
		if errors.Is(err, io.EOF) {
			r.files.done += m.size
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s:%d: %w", m.name, n, err)
		}
		r.line = BadLine{File: m.name, Line: n}
		if n == 1 {
			raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
		}
		line, reason := lineText(raw, how.latin1)
		switch {
		case tooLong:
			err = r.reject(fmt.Sprintf("longer than %d bytes", MaxLineBytes))
		case reason != "":
			err = r.reject(reason)
		case line == "" && !how.keepEmpty:
		default:
			err = fn(line)
		}
		if err != nil {
			return err
		}
	}
}

// lineStyle is how a file's lines are to be read.
type lineStyle struct {
	keepEmpty bool // the line's number means something
	latin1    bool // older MovieLens files are ISO 8859-1
}

// lineText is the line as text, or why it is none.
func lineText(raw []byte, latin1 bool) (line, reason string) {
	if utf8.Valid(raw) {
		return string(raw), ""
	}
	if !latin1 {
		return "", "not valid UTF-8"
	}
	runes := make([]rune, len(raw))
	for i, b := range raw {
		runes[i] = rune(b)
	}
	return string(runes), ""
}

// decompress undoes the compression that the name's suffix tells.
func decompress(in io.Reader, name string) (io.Reader, error) {
	switch filepath.Ext(name) {
	case ".gz":
		return gzip.NewReader(in)
	case ".xz":
		return xz.NewReader(bufio.NewReaderSize(in, 1<<16))
	}
	return in, nil
}

// countingReader counts what passes.
type countingReader struct {
	r io.Reader
	n int64
}

func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.r.Read(b)
	c.n += int64(n)
	return n, err
}

// lineReader cuts a stream into lines and holds at most one, bounded.
type lineReader struct {
	r    *bufio.Reader
	line []byte
}

// next is the next line without its end; a longer one than MaxLineBytes is cut,
// told so, and its rest passed over. io.EOF comes after the last line.
func (l *lineReader) next() (line []byte, tooLong bool, err error) {
	l.line = l.line[:0]
	for {
		part, err := l.r.ReadSlice('\n')
		if room := MaxLineBytes + 2 - len(l.line); len(part) > room { // 2: the line's end
			part = part[:room] // still longer than allowed, which is all that is asked
		}
		l.line = append(l.line, part...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && (!errors.Is(err, io.EOF) || len(l.line) == 0) {
			return nil, false, err
		}
		break
	}
	line = bytes.TrimSuffix(bytes.TrimSuffix(l.line, []byte("\n")), []byte("\r"))
	return line, len(line) > MaxLineBytes, nil
}
