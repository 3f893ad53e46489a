package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// client is one HTTP/1.1 connection that sends one request at a time. The zero
// value but for addr dials at the first request.
type client struct {
	addr    string
	timeout time.Duration

	conn net.Conn
	in   *bufio.Reader
	body []byte
}

// response is an answer; Body is overwritten by the next.
type response struct {
	Status     int
	RetryAfter string
	Body       []byte
}

// maxBody bounds an answer, against servers that are none.
const maxBody = 64 << 20

// do sends a whole request and reads its answer. After an error the next call
// dials again; a request is never sent twice. keep says whether the body is wanted
// or only its length read over.
func (c *client) do(request []byte, keep bool) (response, error) {
	r, err := c.exchange(request, keep)
	if err != nil {
		c.close()
	}
	return r, err
}

// close ends the connection.
func (c *client) close() {
	if c.conn != nil {
		c.conn.Close()
		c.conn = nil
	}
}

func (c *client) exchange(request []byte, keep bool) (r response, err error) {
	if c.conn == nil {
		if c.conn, err = net.DialTimeout("tcp", c.addr, c.timeout); err != nil {
			c.conn = nil
			return r, err
		}
		if c.in == nil {
			c.in = bufio.NewReaderSize(c.conn, 16<<10)
		}
		c.in.Reset(c.conn)
	}
	if err := c.conn.SetDeadline(time.Now().Add(c.timeout)); err != nil {
		return r, err
	}
	if _, err := c.conn.Write(request); err != nil {
		return r, err
	}
	for {
		if r.Status, err = c.statusLine(); err != nil {
			return r, err
		}
		length, last, err := c.header(&r)
		if err != nil {
			return r, err
		}
		if r.Status/100 == 1 { // an interim answer has no body
			continue
		}
		if err := c.readBody(&r, length, keep); err != nil {
			return r, fmt.Errorf("body of the answer: %w", err)
		}
		if last {
			c.close()
		}
		return r, nil
	}
}

// line is the next line without its end.
func (c *client) line() ([]byte, error) {
	b, err := c.in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	return bytes.TrimRight(b, "\r\n"), nil
}

func (c *client) statusLine() (int, error) {
	b, err := c.line()
	if err != nil {
		return 0, err
	}
	if len(b) < 12 || !bytes.HasPrefix(b, []byte("HTTP/1.")) {
		return 0, fmt.Errorf("the answer is not HTTP/1: %.40q", b)
	}
	status, err := strconv.Atoi(string(b[9:12]))
	if err != nil || status < 100 {
		return 0, fmt.Errorf("the answer has no status: %.40q", b)
	}
	return status, nil
}

// chunked is the length of a body that comes in chunks.
const chunked = -2

// header reads up to the empty line. length is -1 where the body lasts as long as
// the connection; last says that no answer follows on it.
func (c *client) header(r *response) (length int64, last bool, err error) {
	length = -1
	for {
		b, err := c.line()
		if err != nil {
			return 0, false, fmt.Errorf("header of the answer: %w", err)
		}
		if len(b) == 0 {
			break
		}
		name, value, _ := bytes.Cut(b, []byte{':'})
		value = bytes.TrimSpace(value)
		switch {
		case is(name, "content-length"):
			if length, err = strconv.ParseInt(string(value), 10, 64); err != nil || length < 0 || length > maxBody {
				return 0, false, fmt.Errorf("content-length of the answer is %.40q", value)
			}
		case is(name, "transfer-encoding"):
			length = chunked
		case is(name, "connection"):
			last = is(value, "close")
		case is(name, "retry-after"):
			r.RetryAfter = string(value)
		}
	}
	if r.Status == 204 || r.Status == 304 {
		length = 0
	}
	return length, last || length == -1, nil
}

// is compares without regard to case; want is lower.
func is(b []byte, want string) bool {
	return len(b) == len(want) && bytes.EqualFold(b, []byte(want))
}

func (c *client) readBody(r *response, length int64, keep bool) error {
	c.body = c.body[:0]
	switch length {
	case chunked:
		if err := c.readChunks(); err != nil {
			return err
		}
	case -1:
		b, err := io.ReadAll(io.LimitReader(c.in, maxBody))
		if err != nil {
			return err
		}
		c.body = append(c.body, b...)
	default:
		if !keep {
			_, err := c.in.Discard(int(length))
			return err
		}
		if err := c.read(int(length)); err != nil {
			return err
		}
	}
	r.Body = c.body
	return nil
}

// read appends n bytes to the body.
func (c *client) read(n int) error {
	at := len(c.body)
	if cap(c.body) < at+n {
		c.body = append(make([]byte, 0, 2*(at+n)), c.body...)
	}
	c.body = c.body[:at+n]
	_, err := io.ReadFull(c.in, c.body[at:])
	return err
}

func (c *client) readChunks() error {
	for {
		b, err := c.line()
		if err != nil {
			return err
		}
		size, _, _ := bytes.Cut(b, []byte{';'})
		n, err := strconv.ParseInt(string(bytes.TrimSpace(size)), 16, 64)
		if err != nil || n < 0 || n > maxBody || int64(len(c.body))+n > maxBody {
			return errors.New("a chunk has no length")
		}
		if err := c.read(int(n)); err != nil {
			return err
		}
		end, err := c.line() // after the data, or the first trailer
		if err != nil {
			return err
		}
		for n == 0 && len(end) > 0 {
			if end, err = c.line(); err != nil {
				return err
			}
		}
		if n == 0 {
			return nil
		}
		if len(end) > 0 {
			return errors.New("a chunk is longer than it said")
		}
	}
}
