package lake

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"kindred/data"
)

func (l *Lake) artifactDir() string { return filepath.Join(l.root, "artifacts") }

// PutArtifact stores a model's bytes under its version and returns their SHA-256
// in hex. Artifacts are immutable: storing the same bytes again changes nothing,
// other bytes are data.ErrConflict. A reader sees the whole artifact or none.
func (l *Lake) PutArtifact(ctx context.Context, version string, b []byte) (sha256 string, err error) {
	path, err := l.artifactFile(ctx, version)
	if err != nil {
		return "", fmt.Errorf("store artifact: %w", err)
	}
	_, err = l.disk.create(path, content(b))
	if errors.Is(err, fs.ErrExist) {
		var stored []byte
		if stored, err = os.ReadFile(path); err == nil && !bytes.Equal(stored, b) {
			err = fmt.Errorf("it is stored with other bytes, checksum %s instead of %s: %w", checksum(stored), checksum(b), data.ErrConflict)
		}
	}
	if err != nil {
		return "", fmt.Errorf("store artifact %s: %w", version, err)
	}
	return checksum(b), nil
}

// Artifact returns the bytes stored under the version, or data.ErrNotFound. They
// carry their own checksums (model/artifact); the catalog has the one of the whole.
func (l *Lake) Artifact(ctx context.Context, version string) ([]byte, error) {
	path, err := l.artifactFile(ctx, version)
	if err != nil {
		return nil, fmt.Errorf("read artifact: %w", err)
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read artifact %s: %w", version, data.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("read artifact %s: %w", version, err)
	}
	return b, nil
}

// Artifacts lists the stored versions in byte order, which for model versions is
// the order they were made in.
func (l *Lake) Artifacts(ctx context.Context) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	names, err := l.disk.list(l.artifactDir())
	if err != nil {
		return nil, fmt.Errorf("list artifacts: %w", err)
	}
	return names, nil
}

// DeleteArtifact removes an artifact; that there is none is no error.
func (l *Lake) DeleteArtifact(ctx context.Context, version string) error {
	path, err := l.artifactFile(ctx, version)
	if err != nil {
		return fmt.Errorf("delete artifact: %w", err)
	}
	if err := l.disk.remove(path); err != nil {
		return fmt.Errorf("delete artifact %s: %w", version, err)
	}
	return nil
}

// artifactFile is the path of a version, whose name has to be safe as a file's.
func (l *Lake) artifactFile(ctx context.Context, version string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if len(version) == 0 || len(version) > 128 || version[0] == '.' {
		return "", fmt.Errorf("version %q: must be 1 to 128 bytes long and not begin with '.'", version)
	}
	for i, c := range []byte(version) {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
			return "", fmt.Errorf("version %q: byte %d is %q; use letters, digits, '-', '_' and '.'", version, i, c)
		}
	}
	return filepath.Join(l.artifactDir(), version), nil
}
