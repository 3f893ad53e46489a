package reload_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kindred/serving/ingest/reload"
)

func TestAFileIsReadAgainWhenItChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list.txt")
	write := func(text string, at time.Time) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	noon := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	write("one", noon)
	b, stamp, err := reload.IfChanged(path, 10, "")
	if string(b) != "one" || err != nil {
		t.Fatalf("IfChanged = %q, %v; want the content", b, err)
	}
	if other, err := reload.StampOf(path); other != stamp || err != nil {
		t.Errorf("StampOf = %q, %v; want %q", other, err, stamp)
	}
	if b, _, err := reload.IfChanged(path, 10, stamp); b != nil || err != nil {
		t.Errorf("IfChanged = %q, %v; want nothing of a file that is as it was", b, err)
	}
	write("two", noon.Add(time.Second)) // as long as before
	if b, _, err := reload.IfChanged(path, 10, stamp); string(b) != "two" || err != nil {
		t.Errorf("IfChanged = %q, %v; want the new content", b, err)
	}
	write(strings.Repeat("x", 11), noon)
	if _, at, err := reload.IfChanged(path, 10, stamp); err == nil || at != stamp {
		t.Errorf("IfChanged = %q, %v; want a refusal and the stamp of before", at, err)
	}
	if _, err := reload.StampOf(path, path+".not"); err == nil {
		t.Error("a file that is not there has a stamp")
	}
}

func TestAnErrorThatStaysIsToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := []struct {
			changed bool
			err     error
		}{{false, nil}, {false, errors.New("a")}, {false, errors.New("a")}, {true, errors.New("a")}, {true, nil}, {false, errors.New("a")}}
		ctx, stop := context.WithCancel(t.Context())
		n, told := 0, 0
		err := reload.Every(ctx, time.Second, func() (bool, error) {
			a := answers[n]
			if n++; n == len(answers) {
				stop()
			}
			return a.changed, a.err
		}, func(bool, error) { told++ })
		if err != nil || told != 4 {
			t.Errorf("Every = %v and told %d times, want nil and 4", err, told)
		}
	})
}
