package lake

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
)

func TestAnArtifactIsStoredOnceAndForGood(t *testing.T) {
	l := openLake(t, t.TempDir())
	sum := sha256.Sum256([]byte("model"))
	want := hex.EncodeToString(sum[:])
	for range 2 { // the second time changes nothing
		if got, err := l.PutArtifact(t.Context(), "m-2", []byte("model")); err != nil || got != want {
			t.Fatalf("PutArtifact = %q, %v; want %q, nil", got, err, want)
		}
	}
	if _, err := l.PutArtifact(t.Context(), "m-2", []byte("other")); !errors.Is(err, data.ErrConflict) {
		t.Errorf("PutArtifact with other bytes = %v; want data.ErrConflict", err)
	}
	if got, err := l.Artifact(t.Context(), "m-2"); err != nil || string(got) != "model" {
		t.Errorf("Artifact = %q, %v; want the first bytes", got, err)
	}
	if _, err := l.PutArtifact(t.Context(), "m-1", nil); err != nil {
		t.Fatal(err)
	}
	if got, err := l.Artifacts(t.Context()); err != nil || !cmp.Equal(got, []string{"m-1", "m-2"}) {
		t.Errorf("Artifacts = %v, %v", got, err)
	}
	for range 2 { // deleting what is gone is no error
		if err := l.DeleteArtifact(t.Context(), "m-2"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := l.Artifact(t.Context(), "m-2"); !errors.Is(err, data.ErrNotFound) {
		t.Errorf("Artifact after DeleteArtifact = %v; want data.ErrNotFound", err)
	}
}

func TestACrashWhileStoringAnArtifactLeavesAllOrNothing(t *testing.T) {
	for _, step := range []string{"write artifacts", "move artifacts", "sync artifacts"} {
		dir := t.TempDir()
		l := openLake(t, dir)
		l.disk.fault = func(s string) error {
			if s == step {
				return errCrash
			}
			return nil
		}
		if _, err := l.PutArtifact(t.Context(), "m-1", []byte("model")); !errors.Is(err, errCrash) {
			t.Fatalf("crash at %q: PutArtifact = %v", step, err)
		}
		l = openLake(t, dir)
		names, err := l.Artifacts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b, err := l.Artifact(t.Context(), "m-1")
		if whole := err == nil && string(b) == "model"; !whole && (!errors.Is(err, data.ErrNotFound) || len(names) > 0) {
			t.Errorf("crash at %q: Artifacts = %v, Artifact = %q, %v", step, names, b, err)
		}
		if _, err := l.PutArtifact(t.Context(), "m-1", []byte("model")); err != nil {
			t.Errorf("crash at %q, then again: %v", step, err)
		}
	}
}

func TestAnArtifactsVersionIsAFileNameAndNoPath(t *testing.T) {
	l := openLake(t, t.TempDir())
	for _, version := range []string{"", ".", "..", "../x", "a/b", `a\b`, ".hidden", "a b", "ä", strings.Repeat("a", 129)} {
		if _, err := l.PutArtifact(t.Context(), version, nil); err == nil {
			t.Errorf("PutArtifact took version %q", version)
		}
		if _, err := l.Artifact(t.Context(), version); err == nil || errors.Is(err, data.ErrNotFound) {
			t.Errorf("Artifact(%q) = %v; want the name refused", version, err)
		}
		if err := l.DeleteArtifact(t.Context(), version); err == nil {
			t.Errorf("DeleteArtifact took version %q", version)
		}
	}
}
