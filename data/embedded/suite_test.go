package embedded_test

import (
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"kindred/data"
	"kindred/data/embedded"
	"kindred/data/storetest"
)

// directories maps the suite's store names to directories under one root.
func directories(t *testing.T) func(name string) string {
	root := t.TempDir()
	return func(name string) string {
		return filepath.Join(root, strings.NewReplacer("/", "_", " ", "_").Replace(name))
	}
}

func openStore(t *testing.T, dir string) *embedded.Store {
	t.Helper()
	s, err := embedded.Open(dir, embedded.Options{Partitions: 3})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheEmbeddedLogKeepsEveryPromiseOfALog(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := directories(t)
	storetest.Log(t, func(t *testing.T, name string) storetest.LogStore { return openStore(t, dir(name)) })
}

func TestTheEmbeddedProfilesKeepEveryPromiseOfAProfileStore(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := directories(t)
	storetest.Profiles(t, func(t *testing.T, name string) storetest.ProfileStore {
		s := openStore(t, dir(name))
		for p := range s.Partitions() {
			if s.End(p) == 0 {
				recs := make([]data.Record, storetest.MaxCursor)
				for i := range recs {
					recs[i].Partition = p
				}
				if err := s.Append(t.Context(), recs); err != nil {
					t.Fatal(err)
				}
			}
		}
		return s
	})
}
