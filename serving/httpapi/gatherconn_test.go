package httpapi

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// TestWhatIsHeldGoesOutAtOnce: nothing before release, everything in order after it,
// and a connection whose peer cannot get it is closed.
func TestWhatIsHeldGoesOutAtOnce(t *testing.T) {
	plain, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &gatherListener{Listener: plain}
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer peer.Close()
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c := accepted.(*gatherConn)
	defer c.Close()
	for range 2 { // memory is used again
		c.hold()
		for _, part := range []string{"one", "two"} {
			if n, err := c.Write([]byte(part)); n != 3 || err != nil {
				t.Fatal(n, err)
			}
		}
		b := make([]byte, 9)
		peer.SetReadDeadline(time.Now().Add(20 * time.Millisecond))
		if n, err := peer.Read(b); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("%q arrived before release, %v", b[:n], err)
		}
		c.release()
		c.Write([]byte("end"))
		peer.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadFull(peer, b); err != nil || string(b) != "onetwoend" {
			t.Fatalf("%q, %v", b, err)
		}
	}
	c.SetWriteDeadline(time.Now().Add(-time.Second))
	c.hold()
	c.Write([]byte("late"))
	c.release()
	if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after a release that failed: %v, want a closed connection", err)
	}
}
