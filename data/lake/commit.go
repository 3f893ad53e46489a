package lake

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// keptManifests is how many versions stay readable, the newest included.
const keptManifests = 10

func (l *Lake) manifestDir() string { return filepath.Join(l.root, "manifest") }
func (l *Lake) segmentDir() string  { return filepath.Join(l.root, "segments") }

func manifestName(version int64) string { return fmt.Sprintf("v%012d.json", version) }

// versions lists the versions whose manifests are there, ascending.
func (l *Lake) versions() ([]int64, error) {
	names, err := l.disk.list(l.manifestDir())
	if err != nil {
		return nil, err
	}
	var versions []int64
	for _, name := range names {
		digits, ok := strings.CutPrefix(strings.TrimSuffix(name, ".json"), "v")
		if v, err := strconv.ParseInt(digits, 10, 64); ok && err == nil && manifestName(v) == name {
			versions = append(versions, v)
		}
	}
	return versions, nil
}

// newest reads the newest manifest; version 0 is the empty lake.
func (l *Lake) newest() (*manifest, error) {
	for {
		versions, err := l.versions()
		if err != nil {
			return nil, err
		}
		if len(versions) == 0 {
			return &manifest{Space: l.space, Rows: map[Table]int64{}}, nil
		}
		m, err := l.readManifest(versions[len(versions)-1])
		if errors.Is(err, fs.ErrNotExist) {
			continue // pruned since we listed it, so newer ones are there
		}
		return m, err
	}
}

func (l *Lake) readManifest(version int64) (*manifest, error) {
	path := filepath.Join(l.manifestDir(), manifestName(version))
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var m manifest
	if err := decodeFile(path, b, &m); err != nil {
		return nil, err
	}
	if m.Version != version {
		return nil, &CorruptError{path, fmt.Sprintf("it says it is version %d", m.Version)}
	}
	if m.Space != l.space {
		return nil, &CorruptError{path, fmt.Sprintf("it belongs to space %q, not %q", m.Space, l.space)}
	}
	if m.Rows == nil {
		m.Rows = map[Table]int64{}
	}
	return &m, nil
}

// commit adds a block whose files are in place to the lake. The block must begin
// at the cursor that was checked before; when another writer was first, checkTurn
// says what that means.
func (l *Lake) commit(ctx context.Context, e entry, now Millis) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		m, err := l.newest()
		if err != nil {
			return err
		}
		if done, err := checkTurn(m, e.Partition, e.First, e.Last); done || err != nil {
			return err
		}
		if m, err = l.seal(m); err != nil {
			return err
		}
		next := m.with(e, now)
		won, err := l.publish(next)
		if err != nil {
			return err
		}
		if won {
			return l.prune(next.Version)
		}
	}
}

// publish creates the manifest and reports whether it is part of the lake's
// history: false if another writer was first.
func (l *Lake) publish(next *manifest) (won bool, err error) {
	b, err := encodeFile(next)
	if err != nil {
		return false, err
	}
	path := filepath.Join(l.manifestDir(), manifestName(next.Version))
	if _, err := l.disk.create(path, content(b)); errors.Is(err, fs.ErrExist) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	// Had this process slept since it read version n while others wrote more than
	// keptManifests versions, n+1 would have been pruned and free to create again.
	// Such a manifest is below the newest and names nothing that counts.
	versions, err := l.versions()
	if err != nil {
		return false, err
	}
	if newest := versions[len(versions)-1]; newest >= next.Version+keptManifests {
		return false, nil // the caller reads again and sees whether its block is in
	}
	return true, nil
}

// seal moves a full tail into a segment and returns the manifest that names it, not
// yet published. The segment's name and bytes are a function of m, so two writers
// that seal the same version write the same file.
func (l *Lake) seal(m *manifest) (*manifest, error) {
	if len(m.Tail) < segmentBlocks {
		return m, nil
	}
	b, err := encodeFile(m.Tail)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%012d.json", m.Version)
	if _, err := l.disk.replace(filepath.Join(l.segmentDir(), name), content(b)); err != nil {
		return nil, err
	}
	out := *m
	out.Rows = maps.Clone(m.Rows)
	out.Sealed = append(m.Sealed[:len(m.Sealed):len(m.Sealed)], sealed{Name: name, Blocks: len(m.Tail), SHA256: checksum(b)})
	out.Tail = nil
	return &out, nil
}

// prune deletes manifests that are keptManifests versions older than the newest.
func (l *Lake) prune(newest int64) error {
	versions, err := l.versions()
	if err != nil {
		return err
	}
	for _, v := range versions {
		if v <= newest-keptManifests {
			if err := l.disk.remove(filepath.Join(l.manifestDir(), manifestName(v))); err != nil {
				return err
			}
		}
	}
	return nil
}

// entries calls fn for every block of the manifest, in the order of commits.
func (l *Lake) entries(m *manifest, fn func(entry) error) error {
	for _, s := range m.Sealed {
		path := filepath.Join(l.segmentDir(), s.Name)
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if got := checksum(b); got != s.SHA256 {
			return &CorruptError{path, fmt.Sprintf("checksum is %s, not %s as the manifest says", got, s.SHA256)}
		}
		var list []entry
		if err := decodeFile(path, b, &list); err != nil {
			return err
		}
		for _, e := range list {
			if err := fn(e); err != nil {
				return err
			}
		}
	}
	for _, e := range m.Tail {
		if err := fn(e); err != nil {
			return err
		}
	}
	return nil
}

func content(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}
