package members

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"kindred/data"
	"kindred/serving/changes"
)

// checkpoint is the name of the file: the format's name, the position, the people by number, and for each
// segment its counters, bitmap and days. Texts and bitmaps have their length before them.
const (
	checkpoint = "members"
	format     = "kindred members 1"
)

// write copies what is known, which others may read meanwhile, and writes it.
func (m *Members) write(to io.Writer) error {
	var b bytes.Buffer
	m.mu.RLock()
	err := m.encode(&b)
	m.mu.RUnlock()
	if err != nil {
		return err
	}
	_, err = to.Write(b.Bytes())
	return err
}

func (m *Members) encode(b *bytes.Buffer) error {
	number := func(n uint64) { b.Write(binary.AppendUvarint(nil, n)) }
	text := func(s string) { number(uint64(len(s))); b.WriteString(s) }
	bitmap := func(r *roaring.Bitmap) error {
		raw, err := r.ToBytes()
		number(uint64(len(raw)))
		b.Write(raw)
		return err
	}
	text(format)
	text(m.position.String())
	number(uint64(m.today))
	number(uint64(len(m.people.names)))
	for _, id := range m.people.names {
		text(string(id))
	}
	number(uint64(len(m.crowds)))
	for _, name := range slices.Sorted(maps.Keys(m.crowds)) {
		c := m.crowds[name]
		text(name)
		number(c.entered)
		number(c.exited)
		if err := bitmap(c.now); err != nil {
			return err
		}
		number(uint64(len(c.days)))
		for _, d := range slices.Sorted(maps.Keys(c.days)) {
			number(uint64(d))
			if err := bitmap(c.days[d]); err != nil {
				return err
			}
		}
	}
	return nil
}

// read takes over what was written. After an error nothing of it is to be used.
func (m *Members) read(from io.Reader) error {
	d := decoder{r: bufio.NewReader(from)}
	if d.text() != format {
		return errors.New("the checkpoint is of another format")
	}
	at, err := changes.Parse(d.text(), m.deps.Feed.Partitions())
	if err != nil {
		return fmt.Errorf("the checkpoint's position %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.reset()
	m.position, m.today = at, int32(d.number())
	for range d.number() {
		id := data.ProfileID(d.text())
		if d.err != nil {
			return d.err
		}
		if id == "" {
			m.people.names = append(m.people.names, "")
		} else {
			m.people.of(id)
		}
	}
	for range d.number() {
		c := m.crowd(d.text())
		c.entered, c.exited, c.now = d.number(), d.number(), d.bitmap()
		for range d.number() {
			day := int32(d.number())
			c.days[day] = d.bitmap()
			if d.err != nil {
				return d.err
			}
		}
		if d.err != nil {
			return d.err
		}
	}
	return d.err
}

// decoder reads what encode wrote; the first error stays.
type decoder struct {
	r   *bufio.Reader
	err error
}

func (d *decoder) number() uint64 {
	if d.err != nil {
		return 0
	}
	var n uint64
	n, d.err = binary.ReadUvarint(d.r)
	return n
}

// maxBytes bounds a text or bitmap, so that a damaged length takes no memory.
const maxBytes = 1 << 30

func (d *decoder) bytes() []byte {
	n := d.number()
	if d.err == nil && n > maxBytes {
		d.err = errors.New("a length in the checkpoint is damaged")
	}
	if d.err != nil {
		return nil
	}
	var b bytes.Buffer
	_, d.err = io.CopyN(&b, d.r, int64(n))
	return b.Bytes()
}

func (d *decoder) text() string { return string(d.bytes()) }

func (d *decoder) bitmap() *roaring.Bitmap {
	b, raw := roaring.New(), d.bytes()
	if d.err == nil {
		if d.err = b.UnmarshalBinary(raw); d.err == nil {
			d.err = b.Validate()
		}
	}
	return b
}
