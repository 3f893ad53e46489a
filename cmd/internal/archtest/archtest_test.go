package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// root is the module's root as seen from this package.
const root = "../../.."

func TestEveryImportIsAllowed(t *testing.T) {
	files := 0
	for _, dir := range []string{"data", "model", "features", "training", "serving", "cmd"} {
		err := fs.WalkDir(os.DirFS(root), dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(p, ".go") {
				return err
			}
			files++
			for _, imported := range imports(t, p) {
				if broken := check(path.Dir(p), imported, strings.HasSuffix(p, "_test.go")); broken != "" {
					t.Errorf("%s: %s", p, broken)
				}
			}
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	if files < 10 {
		t.Errorf("looked at %d files; is %s the module's root?", files, root)
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	dirs := map[string]bool{} // package directory -> has a doc.go or main.go with a package comment
	for _, dir := range []string{"data", "model", "features", "training", "serving", "cmd"} {
		err := fs.WalkDir(os.DirFS(root), dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, p), nil, parser.ParseComments|parser.PackageClauseOnly)
			if err != nil {
				return err
			}
			dirs[path.Dir(p)] = dirs[path.Dir(p)] || file.Doc != nil
			return nil
		})
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	for dir, documented := range dirs {
		if !documented {
			t.Errorf("package %s has no package comment; give it a doc.go", dir)
		}
	}
}

// TestTheTableRefuses shows that the check can fail: one broken import of every kind.
func TestTheTableRefuses(t *testing.T) {
	tests := []struct {
		dir, path string
		test      bool
		ok        bool
	}{
		{"data/event", "kindred/data", false, true},
		{"data/event", "kindred/model", false, false},
		{"model/als", "kindred/data", false, false},
		{"model/als", "kindred/model/sparse", false, true},
		{"model/als", "os", false, false},
		{"model/als", "os", true, true},
		{"model/kernel", "os", false, true},
		{"model/kernel", "net", false, false},
		{"features", "kindred/training", false, false},
		{"training", "kindred/serving/live", false, false},
		{"serving/live", "kindred/serving/recommend", false, false},
		{"serving/recommend", "kindred/serving/live", false, true},
		{"serving/recommend", "kindred/serving/httpapi", false, false},
		{"serving/recommend", "github.com/gin-gonic/gin", false, false},
		{"serving/httpapi", "github.com/gin-gonic/gin", false, true},
		{"serving/httpapi", "kindred/data/embedded", false, false},
		{"serving/httpapi", "kindred/data/embedded", true, true},
		{"cmd/kindred", "kindred/data/embedded", false, true},
		{"training", "net/http", false, false},
		{"features/stream", "github.com/cockroachdb/pebble/v2", false, false},
		{"elsewhere", "kindred/data", false, false},
	}
	for _, tt := range tests {
		broken := check(tt.dir, tt.path, tt.test)
		if (broken == "") != tt.ok {
			t.Errorf("check(%s imports %s, test=%v) = %q, want ok = %v", tt.dir, tt.path, tt.test, broken, tt.ok)
		}
	}
}

func imports(t *testing.T, p string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, p), nil, parser.ImportsOnly)
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	for _, spec := range file.Imports {
		path, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	return paths
}
