package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
)

// The files that Write makes.
const (
	FileJSON     = "report.json"
	FileMarkdown = "report.md"
	FileHTML     = "report.html"
)

// Write writes report.json, report.md and report.html into dir, which it creates.
// Each file is complete or not there: written beside its place, synced, renamed;
// report.json comes last, so that a program which finds it finds the others too.
// The error is Validate's, or the file system's.
func Write(dir string, r *Report) error {
	if err := r.Validate(); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	for _, f := range []struct {
		name   string
		render func(io.Writer, *Report) error
	}{{FileHTML, HTML}, {FileMarkdown, Markdown}, {FileJSON, JSON}} {
		var b bytes.Buffer
		if err := f.render(&b, r); err != nil {
			return fmt.Errorf("write report: %s: %w", f.name, err)
		}
		if err := writeFile(filepath.Join(dir, f.name), b.Bytes()); err != nil {
			return fmt.Errorf("write report: %w", err)
		}
	}
	return nil
}

// JSON writes report.json: the contract's fields first, two spaces of indent.
func JSON(w io.Writer, r *Report) error {
	out := *r
	out.Models = slices.Clone(r.Models)
	for i := range out.Models {
		m := &out.Models[i]
		if len(m.Config) == 0 {
			m.Config = json.RawMessage("{}")
		}
		if m.Metrics == nil {
			m.Metrics = map[string]Interval{}
		}
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

// Read reads a report.json.
func Read(rd io.Reader) (*Report, error) {
	var r Report
	if err := json.NewDecoder(rd).Decode(&r); err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	if err := r.Validate(); err != nil {
		return nil, fmt.Errorf("read report: %w", err)
	}
	return &r, nil
}

// writeFile replaces path by a file of these bytes, or leaves it as it was.
func writeFile(path string, b []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			tmp.Close()
			os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(b); err != nil {
		return err
	}
	if err = tmp.Chmod(0o644); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
