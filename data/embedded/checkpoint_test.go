package embedded

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"kindred/data"
)

func TestCheckpoint(t *testing.T) {
	dir := t.TempDir()
	c := OpenCheckpoints(dir, data.DefaultSpace)
	load := func() (got string, err error) {
		err = c.Load("name", func(r io.Reader) error {
			b, err := io.ReadAll(r)
			got = string(b)
			return err
		})
		return got, err
	}
	save := func(text string, err error) error {
		return c.Save("name", func(w io.Writer) error {
			io.WriteString(w, text)
			return err
		})
	}
	if _, err := load(); !errors.Is(err, data.ErrNotFound) {
		t.Errorf("before the first: %v", err)
	}
	for _, text := range []string{"one", "", "two"} {
		if err := save(text, nil); err != nil {
			t.Fatal(err)
		}
		if got, err := load(); got != text || err != nil {
			t.Errorf("got %q, %v; want %q", got, err, text)
		}
	}
	if err := save("half", io.ErrUnexpectedEOF); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a failed write: %v", err)
	}
	if got, err := load(); got != "two" || err != nil {
		t.Errorf("behind a failed write: %q, %v", got, err)
	}
	file := filepath.Join(dir, "checkpoints", string(data.DefaultSpace), "name")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		damaged := append([]byte{}, whole...)
		damaged[i] ^= 1
		for _, b := range [][]byte{damaged, whole[:i]} {
			if err := os.WriteFile(file, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if got, err := load(); err == nil || errors.Is(err, data.ErrNotFound) || got != "" {
				t.Errorf("damaged at %d: %q, %v", i, got, err)
			}
		}
	}
}
