package compat

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"kindred/data"
	"kindred/data/embedded"
	"kindred/data/event"
)

// root is the module's root as seen from this package.
const root = "../../.."

// program builds the server once and returns its path. It lies outside the repository,
// where the next run finds it and builds it again only if its source has changed.
var program = sync.OnceValues(func() (string, error) {
	// The test cache sees which folders a test has read, not what a child compiles.
	for _, dir := range []string{"cmd", "data", "features", "model", "serving", "training"} {
		if err := filepath.WalkDir(filepath.Join(root, dir), func(string, fs.DirEntry, error) error { return nil }); err != nil {
			return "", err
		}
	}
	here, err := filepath.Abs(root)
	if err != nil {
		return "", err
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(here))
	path := filepath.Join(cache, "kindred-test", "bin", hex.EncodeToString(sum[:8]), "kindred")
	build := exec.Command("go", "build", "-o", path, "./cmd/kindred")
	build.Dir, build.Stderr = root, os.Stderr
	return path, build.Run()
})

// server is a running "kindred serve" with a data directory of its own.
type server struct {
	t    *testing.T
	dir  string
	args []string
	cmd  *exec.Cmd
	base string // http://127.0.0.1:PORT
	log  bytes.Buffer
	done chan struct{} // closed when its output ended
}

// serve starts a server, on a free port unless the arguments name one. The test's end
// kills it if it still runs.
func serve(t *testing.T, args ...string) *server {
	t.Helper()
	s := &server{t: t, dir: t.TempDir()}
	s.args = append([]string{"serve", "--data", s.dir, "--addr", "127.0.0.1:0", "--set", "schedule.every_events=0"}, args...)
	t.Cleanup(s.kill)
	s.start()
	return s
}

// start starts the server on what its data directory holds.
func (s *server) start() {
	t := s.t
	t.Helper()
	path, err := program()
	if err != nil {
		t.Fatalf("build the server: %v", err)
	}
	s.base, s.done = "", make(chan struct{})
	s.cmd = exec.Command(path, s.args...)
	s.cmd.Stderr = &s.log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for s.base == "" && lines.Scan() {
		s.base, _ = strings.CutPrefix(lines.Text(), "listening on ")
		if !strings.HasPrefix(s.base, "http") {
			s.base = ""
		}
	}
	if s.base == "" {
		close(s.done)
		s.cmd.Wait()
		t.Fatalf("the server ended before it listened:\n%s", s.log.String())
	}
	go func(done chan struct{}) {
		defer close(done)
		io.Copy(io.Discard, out)
	}(s.done)
}

// kill ends the server as a power cut would, if it runs.
func (s *server) kill() {
	if s.cmd != nil && s.cmd.Process != nil && s.cmd.ProcessState == nil {
		s.cmd.Process.Kill()
		<-s.done
		s.cmd.Wait()
	}
}

// stock puts items into the catalogue and waits until they are recommended.
func (s *server) stock(ids ...string) {
	s.t.Helper()
	for _, id := range ids {
		r, err := http.NewRequest(http.MethodPut, s.base+"/v1/items/"+id, strings.NewReader(`{"title":"`+id+`"}`))
		if err != nil {
			s.t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		a, err := http.DefaultClient.Do(r)
		if err != nil || a.StatusCode/100 != 2 {
			s.t.Fatalf("put %s: %v, %v", id, a, err)
		}
		a.Body.Close()
	}
	for deadline := time.Now().Add(waitLong); ; time.Sleep(20 * time.Millisecond) {
		var answer struct{ Items []struct{} }
		a, err := http.Get(s.base + "/v1/recommendations/somebody")
		if err == nil {
			err = json.NewDecoder(a.Body).Decode(&answer)
			a.Body.Close()
		}
		if err == nil && len(answer.Items) == len(ids) {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%d items are recommended, %v; want %d", len(answer.Items), err, len(ids))
		}
	}
}

// events stops the server and returns what the source has in its log, in the order in
// which it happened, without the system's own events. A call that was delivered twice is in it twice.
func (s *server) events(source string) []data.Event {
	s.t.Helper()
	events, dead := s.taken(source)
	for _, letter := range dead {
		s.t.Errorf("a call was not accepted: %s\n%s", letter.Reason, letter.Raw)
	}
	return events
}

// taken is events, and beside them what was not accepted of any source.
func (s *server) taken(source string) (events []data.Event, dead []data.DeadLetter) {
	t := s.t
	t.Helper()
	s.stop()
	store, err := embedded.Open(s.dir, embedded.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if dead, err = store.DeadLetters(t.Context(), 0, 100); err != nil {
		t.Fatal(err)
	}
	for p := range store.Partitions() {
		for from := store.Start(p); from < store.End(p); {
			recs, err := store.Read(t.Context(), p, from, 1000)
			if err != nil || len(recs) == 0 {
				t.Fatalf("read the log: %d records, %v", len(recs), err)
			}
			from = recs[len(recs)-1].Offset + 1
			for _, r := range recs {
				e, err := event.Open(r.Value)
				if err != nil {
					t.Fatal(err)
				}
				if e.Type != data.System && e.Source == source {
					events = append(events, e)
				}
			}
		}
	}
	slices.SortStableFunc(events, func(a, b data.Event) int { return a.Times.Event.Compare(b.Times.Event) })
	return events, dead
}

// stop asks the server to end and waits until it has.
func (s *server) stop() {
	t := s.t
	t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	<-s.done
	if err := s.cmd.Wait(); err != nil {
		t.Fatalf("the server did not stop well: %v\n%s", err, s.log.String())
	}
}
