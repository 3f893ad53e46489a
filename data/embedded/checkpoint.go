package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/cespare/xxhash/v2"

	"kindred/data"
)

// Checkpoints keeps what readers of the store know and can find out again, one file each,
// dir/checkpoints/SPACE/NAME: the bytes and their checksum. A file is whole or not there; a name has
// one writer.
type Checkpoints struct{ dir string }

// OpenCheckpoints uses the data directory dir.
func OpenCheckpoints(dir string, space data.Space) *Checkpoints {
	return &Checkpoints{filepath.Join(dir, "checkpoints", string(space))}
}

// Save makes what write writes durable in the place of what was saved before under the name.
func (c *Checkpoints) Save(name string, write func(io.Writer) error) error {
	if err := c.save(name, write); err != nil {
		return fmt.Errorf("save checkpoint %q: %w", name, err)
	}
	return nil
}

func (c *Checkpoints) save(name string, write func(io.Writer) error) (err error) {
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(c.dir, name+".new"))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	h := xxhash.New()
	if err := write(io.MultiWriter(f, h)); err != nil {
		return err
	}
	if _, err := f.Write(binary.BigEndian.AppendUint64(nil, h.Sum64())); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), filepath.Join(c.dir, name)); err != nil {
		return err
	}
	d, err := os.Open(c.dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

// Load reads what was saved last under the name; data.ErrNotFound if nothing was. What
// is damaged is an error before read sees any of it.
func (c *Checkpoints) Load(name string, read func(io.Reader) error) error {
	b, err := os.ReadFile(filepath.Join(c.dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		err = data.ErrNotFound
	}
	if err == nil {
		if n := len(b) - 8; n < 0 || xxhash.Sum64(b[:n]) != binary.BigEndian.Uint64(b[n:]) {
			err = errors.New("the file is damaged")
		} else {
			err = read(bytes.NewReader(b[:n]))
		}
	}
	if err != nil {
		return fmt.Errorf("load checkpoint %q: %w", name, err)
	}
	return nil
}
