package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asProgram makes the test binary the program itself, so that tests run the real
// thing, race detector included, in processes that can be killed. A server's
// training process is the same binary again.
const asProgram = "TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) == "1" || len(os.Args) == 2 && (os.Args[1] == handCommand || os.Args[1] == describeCommand) {
		os.Unsetenv(asProgram)
		main()
	}
	os.Exit(m.Run())
}

// command is the program with the given arguments.
func command(ctx context.Context, args ...string) *exec.Cmd {
	c := exec.CommandContext(ctx, os.Args[0], args...)
	c.Env = append(os.Environ(), asProgram+"=1")
	return c
}

// kindred runs the program to its end and returns its standard output; want is
// the exit code.
func kindred(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	c := command(t.Context(), args...)
	c.Stdout, c.Stderr = &out, &errs
	err := c.Run()
	if c.ProcessState == nil {
		t.Fatalf("kindred %s: %v", strings.Join(args, " "), err)
	}
	if got := c.ProcessState.ExitCode(); got != want {
		t.Fatalf("kindred %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, want, out.String(), errs.String())
	}
	if want != exitDone {
		return errs.String()
	}
	return out.String()
}

// running is a server process.
type running struct {
	t    *testing.T
	cmd  *exec.Cmd
	base string // http://127.0.0.1:PORT
	log  *journal
	done chan struct{} // closed when its output ended
}

// journal is what a process writes, to be read meanwhile.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// start runs `kindred serve` on a free port and waits until it answers. The test's
// end kills it if it still runs.
func start(t *testing.T, dir string, args ...string) *running {
	t.Helper()
	return launch(t, append([]string{"serve", "--data", dir, "--addr", "127.0.0.1:0"}, args...)...)
}

// launch runs a command that serves.
func launch(t *testing.T, args ...string) *running {
	t.Helper()
	r := &running{t: t, log: new(journal), done: make(chan struct{})}
	r.cmd = command(context.Background(), args...)
	r.cmd.Stderr = r.log
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.kill)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if base, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
			r.base = base
			break
		}
	}
	if r.base == "" {
		r.cmd.Wait()
		t.Fatalf("the server ended before it listened:\n%s", r.log)
	}
	go func() {
		defer close(r.done)
		io.Copy(io.Discard, out)
	}()
	return r
}

// kill ends the server as a power failure of the process would.
func (r *running) kill() {
	if r.cmd.ProcessState != nil {
		return
	}
	r.cmd.Process.Kill()
	<-r.done
	r.cmd.Wait()
}

// stop ends the server as an operator would.
func (r *running) stop() {
	r.t.Helper()
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		r.t.Fatal(err)
	}
	<-r.done
	if err := r.cmd.Wait(); err != nil {
		r.t.Fatalf("the server did not stop well: %v\n%s", err, r.log)
	}
}

// send posts v as JSON and returns the status, or an error when nobody answered.
func (r *running) send(path string, v any) (int, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return 0, err
	}
	resp, err := http.Post(r.base+path, "application/json", bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

// track sends one tracking call and expects it to be taken.
func (r *running) track(path string, call map[string]any) {
	r.t.Helper()
	if status, err := r.send(path, call); err != nil || status != http.StatusOK {
		r.t.Fatalf("POST %s %v: status %d, %v", path, call, status, err)
	}
}

// get reads a JSON answer.
func (r *running) get(path string, into any) {
	r.t.Helper()
	resp, err := http.Get(r.base + path)
	r.read("GET "+path, resp, err, into)
}

// ask posts a question and reads its JSON answer.
func (r *running) ask(path string, question, into any) {
	r.t.Helper()
	body, err := json.Marshal(question)
	if err != nil {
		r.t.Fatal(err)
	}
	resp, err := http.Post(r.base+path, "application/json", bytes.NewReader(body))
	r.read("POST "+path, resp, err, into)
}

func (r *running) read(what string, resp *http.Response, err error, into any) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		r.t.Fatalf("%s: %d\n%s", what, resp.StatusCode, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		r.t.Fatalf("%s: %v\n%s", what, err, body)
	}
}

// answer is what the tests read of a recommendation.
type answer struct {
	Model string `json:"model"`
	Known bool   `json:"known"`
	Stale bool   `json:"stale"`
	Items []struct {
		ID         string   `json:"id"`
		Categories []string `json:"categories"`
		Reasons    []struct {
			Component string `json:"component"`
		} `json:"reasons"`
	} `json:"items"`
}

func (a answer) has(id string) bool {
	for _, it := range a.Items {
		if it.ID == id {
			return true
		}
	}
	return false
}

// shop makes a data directory with people of two tastes and their items, imported
// and trained: readers bought of "b…" items, gardeners of "g…" ones.
func shop(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	var calls bytes.Buffer
	e := json.NewEncoder(&calls)
	day := time.Now().Add(-48 * time.Hour).UTC().Truncate(time.Second)
	n := 0
	for person := range 60 {
		taste := "bg"[person%2 : person%2+1]
		for i := range 12 {
			item := fmt.Sprintf("%s%02d", taste, (person/2*5+i*7)%20)
			n++
			e.Encode(map[string]any{
				"type": "track", "event": "Product Viewed", "userId": fmt.Sprintf("%s-%d", taste, person), "messageId": fmt.Sprintf("seed-%d", n),
				"timestamp": day.Add(time.Duration(person*100+i) * time.Second), "properties": map[string]any{"product_id": item, "category": map[string]string{"b": "books", "g": "garden"}[taste]},
			})
		}
	}
	file := filepath.Join(t.TempDir(), "calls.jsonl")
	if err := os.WriteFile(file, calls.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	kindred(t, exitDone, "import", "--data", dir, "--format", "jsonl", file)
	kindred(t, exitDone, "train", "--data", dir)
	return dir
}
