package httpapi

import (
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

var (
	errTooLarge = errors.New("too large")
	errEncoding = errors.New("unknown Content-Encoding")
	errNoRoom   = errors.New("no room for the body now")
)

// readBody reads a body of at most limit bytes, after decompression. The error is
// errTooLarge, errEncoding, or the connection's or decompressor's.
func readBody(r *http.Request, limit int64) ([]byte, error) { return new(bodyMemory).read(r, limit) }

// bodies is memory for bodies that are done with when their request is answered.
type bodies struct{ pool sync.Pool }

// take is memory for one body; give it back with put when nothing aliases the body
// any more.
func (p *bodies) take() *bodyMemory {
	if m, ok := p.pool.Get().(*bodyMemory); ok {
		return m
	}
	return new(bodyMemory)
}

func (p *bodies) put(m *bodyMemory) {
	if cap(m.b) <= maxKeptBody {
		p.pool.Put(m)
	}
}

// maxKeptBody bounds the memory that is kept for the next body.
const maxKeptBody = 1 << 20

// bodyMemory holds one body, and a decompressor, which is larger than most bodies.
type bodyMemory struct {
	b       []byte
	zip     *gzip.Reader
	zipped  *bufio.Reader
	limited io.LimitedReader
	coming  arriving
	// room asks for so many bytes in all, if not nil: a body is in memory only as far as
	// there is room for it, whatever length it says it has.
	room     func(bytes int) bool
	admitted int
}

// read is readBody into m: the body is valid until the next read.
func (m *bodyMemory) read(r *http.Request, limit int64) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	var body io.Reader = r.Body
	switch encoding := strings.ToLower(strings.TrimSpace(r.Header.Get("Content-Encoding"))); encoding {
	case "", "identity":
		if r.ContentLength > limit {
			return nil, errTooLarge
		}
		if n := int(r.ContentLength) + 1; n > cap(m.b) && (m.room == nil || n <= firstRoom) { // one more, to meet the end in the last read
			m.b = make([]byte, 0, n)
		}
	case "gzip", "x-gzip":
		if err := m.unzip(body); err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		defer m.zipped.Reset(nil)
		body = m.zip
	default:
		return nil, fmt.Errorf("%w %q", errEncoding, encoding)
	}
	m.limited = io.LimitedReader{R: body, N: limit + 1}
	defer func() { m.limited.R = nil }()
	b, err := m.fill()
	if int64(len(b)) > limit {
		return nil, errTooLarge
	}
	return b, err
}

// unzip makes m.zip read what body holds compressed.
func (m *bodyMemory) unzip(body io.Reader) (err error) {
	if m.zip == nil {
		m.zipped, m.zip = bufio.NewReader(nil), new(gzip.Reader)
	}
	m.zipped.Reset(body) // else gzip makes a buffer of its own for each body
	return m.zip.Reset(m.zipped)
}

// fill reads m.limited to its end into m.b.
func (m *bodyMemory) fill() ([]byte, error) {
	m.b, m.admitted = m.b[:0], firstRoom
	for {
		if m.room != nil && len(m.b) == m.admitted {
			if !m.room(2 * m.admitted) {
				return nil, errNoRoom
			}
			m.admitted *= 2
		}
		if len(m.b) == cap(m.b) {
			m.b = slices.Grow(m.b, max(4096, len(m.b)))
		}
		end := cap(m.b)
		if m.room != nil {
			end = min(end, m.admitted)
		}
		n, err := m.limited.Read(m.b[len(m.b):end])
		m.b = m.b[:len(m.b)+n]
		if err == io.EOF {
			return m.b, nil
		}
		if err != nil {
			return m.b, err
		}
	}
}
