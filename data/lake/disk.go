package lake

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// disk is how the lake touches its directory: a file is either complete and
// synced under its name, or not there. The zero disk is ready to use.
type disk struct {
	// fault, if set, is asked before every step that changes the directory and
	// stops it by returning an error: how tests crash the writer at each of them.
	fault func(step string) error
}

func (d disk) step(name, path string) error {
	if d.fault == nil {
		return nil
	}
	return d.fault(name + " " + filepath.Base(filepath.Dir(path)))
}

// temporaryPrefix begins the name of a file that is still being written. The dot
// keeps it out of events/*.parquet and of every listing here.
const temporaryPrefix = ".tmp-"

// written is what was written into a file.
type written struct {
	size int64
	crc  uint32 // CRC-32C of the bytes
}

// castagnoli is the polynomial of CRC-32C, which processors compute themselves.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }

// replace makes path a file of what write produces, atomically.
func (d disk) replace(path string, write func(io.Writer) error) (written, error) {
	return d.put(path, write, os.Rename)
}

// create is replace, but an existing file wins: the error is then fs.ErrExist and
// path is left as it is.
func (d disk) create(path string, write func(io.Writer) error) (written, error) {
	return d.put(path, write, func(tmp, path string) error {
		if err := os.Link(tmp, path); err != nil {
			return err
		}
		return os.Remove(tmp)
	})
}

func (d disk) put(path string, write func(io.Writer) error, move func(tmp, path string) error) (out written, err error) {
	if err := d.step("write", path); err != nil {
		return out, err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), temporaryPrefix+"*")
	if err != nil {
		return out, err
	}
	keep := false // a simulated crash leaves its temporary file, as a real one does
	defer func() {
		if err != nil && !keep {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	sum := crc32.New(castagnoli())
	if err := write(io.MultiWriter(tmp, sum)); err != nil {
		return out, err
	}
	out.crc = sum.Sum32()
	if out.size, err = tmp.Seek(0, io.SeekCurrent); err != nil {
		return out, err
	}
	if err := tmp.Chmod(0o644); err != nil {
		return out, err
	}
	if err := tmp.Sync(); err != nil {
		return out, err
	}
	if err := tmp.Close(); err != nil {
		return out, err
	}
	if err := d.step("move", path); err != nil {
		keep = true
		return out, err
	}
	if err := move(tmp.Name(), path); err != nil {
		return out, err
	}
	if err := d.step("sync", path); err != nil {
		keep = true
		return out, err
	}
	return out, syncDir(filepath.Dir(path))
}

// remove deletes a file; that it is gone already is no error.
func (d disk) remove(path string) error {
	if err := d.step("remove", path); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// makeDir creates dir and its parents and makes their names durable.
func (d disk) makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		if err := syncDir(parent); err != nil {
			return err
		}
		if next := filepath.Dir(parent); next == parent || parent == "." {
			return nil
		}
	}
}

// removeTemporary deletes temporary files in dir last written before the given time.
func (d disk) removeTemporary(dir string, before time.Time) error {
	names, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range names {
		if !strings.HasPrefix(e.Name(), temporaryPrefix) {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // its writer finished meanwhile
		}
		if err != nil {
			return err
		}
		if info.ModTime().Before(before) {
			if err := d.remove(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// list returns the names in dir that are complete files, in byte order.
func (d disk) list(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Sync(); err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}
