package embedded

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"kindred/data"
)

// holder is who has the store open, written beside it so that whoever finds it
// locked can be told. It says nothing about the lock itself, which the kernel
// drops with the process.
type holder struct {
	PID     int    `json:"pid"`
	Program string `json:"program"`
}

// thisProcess names the running program and its sub-command. Flags are left out:
// they may hold secrets.
func thisProcess() holder {
	h := holder{PID: os.Getpid(), Program: filepath.Base(os.Args[0])}
	if len(os.Args) > 1 && len(os.Args[1]) > 0 && os.Args[1][0] != '-' {
		h.Program += " " + os.Args[1]
	}
	return h
}

// lockDir takes the store's lock, or says who has it.
func lockDir(filesystem vfs.FS, dir string) (*pebble.Lock, error) {
	lock, err := pebble.LockDirectory(dir, filesystem)
	if err == nil {
		return lock, writeHolder(filesystem, dir, thisProcess())
	}
	var path *fs.PathError
	if errors.As(err, &path) { // the lock file itself could not be made
		return nil, fmt.Errorf("lock %s: %w", dir, err)
	}
	if h, ok := readHolder(filesystem, dir); ok {
		return nil, fmt.Errorf("%s: held by process %d (%s); stop it, or use its HTTP API: %w", dir, h.PID, h.Program, data.ErrLocked)
	}
	return nil, fmt.Errorf("%s: %w", dir, data.ErrLocked)
}

func holderPath(filesystem vfs.FS, dir string) string { return filesystem.PathJoin(dir, "OWNER") }

func writeHolder(filesystem vfs.FS, dir string, h holder) error {
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	f, err := filesystem.Create(holderPath(filesystem, dir), vfs.WriteCategoryUnspecified)
	if err != nil {
		return fmt.Errorf("note who holds the store: %w", err)
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Close())
}

func readHolder(filesystem vfs.FS, dir string) (h holder, ok bool) {
	f, err := filesystem.Open(holderPath(filesystem, dir))
	if err != nil {
		return h, false
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return h, err == nil && json.Unmarshal(b, &h) == nil && h.PID != 0
}
