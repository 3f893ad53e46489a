package embedded_test

import (
	"database/sql"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"kindred/data"
	"kindred/data/embedded"
	"kindred/data/storetest"
)

func TestTheEmbeddedCatalogKeepsEveryPromiseOfACatalog(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := directories(t)
	storetest.Catalog(t, func(t *testing.T, name string) storetest.CatalogStore {
		if c := openCatalog(t, dir(name), "default"); c != nil {
			return c
		}
		return nil
	})
}

func openCatalog(t *testing.T, dir string, space data.Space) *embedded.Catalog {
	t.Helper()
	c, err := embedded.OpenCatalog(dir, space)
	if err != nil {
		t.Error(err) // not Fatal: also called on other goroutines
		return nil
	}
	return c
}

func TestSpacesInOneCatalogShareNothing(t *testing.T) {
	dir := t.TempDir()
	a, b := openCatalog(t, dir, "a"), openCatalog(t, dir, "b")
	defer a.Close()
	defer b.Close()
	if err := a.PutItems(t.Context(), []data.Item{{ID: "lamp"}}); err != nil {
		t.Fatal(err)
	}
	if items, err := b.Items(t.Context(), "", 10); len(items) != 0 || err != nil {
		t.Errorf("space b has items %v, %v; want none", items, err)
	}
	if v, err := b.ItemsVersion(t.Context()); v != 0 || err != nil {
		t.Errorf("space b is at version %d, %v; want 0", v, err)
	}
}

func TestACatalogInADirectoryWithAnOddNameOpens(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a b?c#d%20é&mode=ro")
	c := openCatalog(t, dir, "default")
	if err := c.PutItems(t.Context(), []data.Item{{ID: "lamp"}}); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if found, err := filepath.Glob(filepath.Join(filepath.Dir(dir), "*", "catalog.db")); len(found) != 1 || err != nil {
		t.Errorf("catalog files %v, %v; want one", found, err)
	}
}

func TestACatalogOfANewerProgramIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := openCatalog(t, dir, "default").Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(dir, "catalog.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`INSERT INTO goose_db_version (version_id, is_applied) VALUES (999, 1)`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = embedded.OpenCatalog(dir, "default")
	if err == nil || !strings.Contains(err.Error(), "version 999") {
		t.Errorf("OpenCatalog = %v, want an error that names version 999", err)
	}
}

func TestABadSpaceIsRefused(t *testing.T) {
	if _, err := embedded.OpenCatalog(t.TempDir(), "No Space"); err == nil {
		t.Error("OpenCatalog: no error")
	}
}
