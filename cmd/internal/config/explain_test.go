package config

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite meanings.txt from the comments of the structs")

// Every setting has a text, and it is the comment of its field.
func TestEverySettingIsExplained(t *testing.T) {
	var lines []string
	explainFields(t, reflect.TypeFor[Config](), "", &lines)
	want := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile("meanings.txt", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if want != meanings {
		t.Error("meanings.txt is not what the comments of the structs say; run go test ./cmd/internal/config -update")
	}
	for _, line := range lines {
		if name, text, _ := strings.Cut(line, "\t"); text == "" {
			t.Errorf("%s has no comment at its field", name)
		}
	}
	if c := Default(); len(lines) != len(keys(&c)) {
		t.Errorf("%d settings are explained; there are %d", len(lines), len(keys(&c)))
	}
}

// explainFields appends "key<TAB>comment" of a struct's settings.
func explainFields(t *testing.T, typ reflect.Type, prefix string, lines *[]string) {
	comments := fieldComments(t, typ)
	for i := range typ.NumField() {
		f := typ.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		inline := strings.Contains(options, "inline")
		switch {
		case name == "-" || !f.IsExported() || name == "" && !inline:
		case inline:
			explainFields(t, f.Type, prefix, lines)
		case isBranch(reflect.New(f.Type).Elem()):
			explainFields(t, f.Type, prefix+name+".", lines)
		default:
			*lines = append(*lines, prefix+name+"\t"+told(t, prefix+name, comments[f.Name]))
		}
	}
}

// untold are settings whose fields have no comment of their own, by the end of their key.
var untold = map[string]string{
	"http.read_header_timeout": "How long a connection may take to send the header of a request.",
	"http.read_timeout":        "How long a connection may take to send a whole request.",
	"http.write_timeout":       "How long an answer may take, from the end of the request's header.",
	"http.idle_timeout":        "How long a connection without a request is kept.",
	"ingest.max_calls":         "How many calls a batch may have.",
	"weights.view":             "Weight of a view of an item.",
	"weights.click":            "Weight of a click on an item.",
	"weights.scroll":           "Weight of scrolling through an item's page.",
	"weights.dwell":            "Weight of staying on an item's page.",
	"weights.wishlist":         "Weight of putting an item on a wish list.",
	"weights.add_to_cart":      "Weight of putting an item into the cart.",
	"weights.purchase":         "Weight of buying an item.",
	"weights.hide":             "Weight of hiding an item.",
	"weights.rating_min":       "The lowest rating that the shop's scale has.",
	"weights.rating_max":       "The highest rating that the shop's scale has.",
	"cluster.min_k":            "The fewest clusters that are tried.",
	"cluster.max_k":            "The most clusters that are tried.",
	"training.seed":            "Set from seed; setting it here does nothing.",
}

// told is a setting's text: its field's comment, or the one above.
func told(t *testing.T, name, comment string) string {
	for end, text := range untold {
		if name == end || strings.HasSuffix(name, "."+end) {
			if comment != "" {
				t.Errorf("%s has a comment at its field; take it out of untold", name)
			}
			return text
		}
	}
	return comment
}

// fieldComments are the comments above or beside a struct's fields.
func fieldComments(t *testing.T, typ reflect.Type) map[string]string {
	dir := filepath.Join("../../..", strings.TrimPrefix(typ.PkgPath(), "kindred/"))
	set := token.NewFileSet()
	out := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !isSource(e) {
			continue
		}
		file, err := parser.ParseFile(set, filepath.Join(dir, e.Name()), nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.TypeSpec)
			if !ok || spec.Name.Name != typ.Name() {
				return true
			}
			s, ok := spec.Type.(*ast.StructType)
			if !ok {
				return true
			}
			for _, f := range s.Fields.List {
				text := strings.Join(strings.Fields(f.Doc.Text()+" "+f.Comment.Text()), " ")
				for _, name := range f.Names {
					out[name.Name] = text
				}
			}
			return false
		})
	}
	return out
}

func isSource(e fs.DirEntry) bool {
	return strings.HasSuffix(e.Name(), ".go") && !strings.HasSuffix(e.Name(), "_test.go")
}

func TestExplainKnowsKeysSectionsAndMisspellings(t *testing.T) {
	var all, one, part bytes.Buffer
	if err := Explain(&all, ""); err != nil || !strings.Contains(all.String(), "schedule.cron (default") {
		t.Errorf("%v\n%s", err, all.String())
	}
	if err := Explain(&one, "partitions"); err != nil || strings.Count(one.String(), "\n") != 2 || !strings.Contains(one.String(), "KINDRED_PARTITIONS") {
		t.Errorf("%v\n%s", err, one.String())
	}
	if err := Explain(&part, "log"); err != nil || strings.Count(part.String(), "(default") != 2 {
		t.Errorf("%v\n%s", err, part.String())
	}
	for name, want := range map[string]string{"schedule.crom": "did you mean schedule.cron?", "nonsense": "lists the keys"} {
		if err := Explain(&all, name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, fmt.Sprint(want))
		}
	}
}
