package httpapi

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// gatherListener makes connections that can send an answer in one piece. net/http
// writes through 4 kB of memory, so that a usual list takes two or three system calls,
// each of which costs more than finding the list.
type gatherListener struct {
	net.Listener
	pool sync.Pool // *[]byte
}

// Accept returns the next connection.
func (l *gatherListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok && err == nil {
		return &gatherConn{TCPConn: tcp, pool: &l.pool}, nil
	}
	return c, err
}

// gatherConn is a TCP connection whose writes can be held back for a while. Only the
// goroutine that serves an HTTP/1 request writes to it, so that it needs no lock.
type gatherConn struct {
	*net.TCPConn
	pool *sync.Pool
	held *[]byte // nil while nothing is held back
}

// Write sends b, or holds it back.
func (c *gatherConn) Write(b []byte) (int, error) {
	if c.held == nil {
		return c.TCPConn.Write(b)
	}
	*c.held = append(*c.held, b...)
	return len(b), nil
}

// hold begins to hold writes back; release has to follow.
func (c *gatherConn) hold() {
	if c.held, _ = c.pool.Get().(*[]byte); c.held == nil {
		c.held = new([]byte)
	}
}

// release sends what was held back. Where that fails net/http cannot know, so the
// connection is closed.
func (c *gatherConn) release() {
	held := c.held
	c.held = nil
	if len(*held) > 0 {
		if _, err := c.TCPConn.Write(*held); err != nil {
			c.Close()
		}
	}
	if *held = (*held)[:0]; cap(*held) <= maxKeptBody {
		c.pool.Put(held)
	}
}

type connKey struct{}

// withConn lets requests find their connection.
func withConn(ctx context.Context, c net.Conn) context.Context {
	if _, ok := c.(*gatherConn); !ok {
		return ctx
	}
	return context.WithValue(ctx, connKey{}, c)
}

// connOf is the connection that the request alone writes to, or nil: an HTTP/2
// connection has several.
func connOf(r *http.Request) *gatherConn {
	if r.ProtoMajor != 1 {
		return nil
	}
	c, _ := r.Context().Value(connKey{}).(*gatherConn)
	return c
}

// minGathered is the length of a body that fits into net/http's memory with its headers.
const minGathered = 3 << 10

// sendOn is send in one piece where the connection can. conn may be nil.
func sendOn(conn *gatherConn, w http.ResponseWriter, body []byte) error {
	flusher, ok := w.(http.Flusher)
	if conn == nil || !ok || len(body) < minGathered {
		return send(w, body)
	}
	conn.hold()
	defer conn.release()
	err := send(w, body)
	flusher.Flush() // with its length said, nothing of the answer follows
	return err
}
