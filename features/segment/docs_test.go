package segment

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestTheDocumentedRulesCompile compiles the rules of docs/segments.md, and holds its table
// against the functions that there are.
func TestTheDocumentedRulesCompile(t *testing.T) {
	b, err := os.ReadFile("../../docs/segments.md")
	if err != nil {
		t.Fatal(err)
	}
	text := string(b)
	_, rest, ok := strings.Cut(text, "```yaml\n")
	example, _, ended := strings.Cut(rest, "```")
	if !ok || !ended {
		t.Fatal("docs/segments.md has no rules")
	}
	rules, err := ParseRules([]byte(example))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Compile(rules, Default()); err != nil {
		t.Error(err)
	}
	named := map[string]bool{}
	for _, m := range regexp.MustCompile(`([a-z_]+)\(`).FindAllStringSubmatch(text, -1) {
		named[m[1]] = true
	}
	for _, m := range regexp.MustCompile("`\\.(avg|min|max)`").FindAllStringSubmatch(text, -1) {
		named[m[1]] = true
	}
	for _, f := range functions() {
		if !named[f.Name] {
			t.Errorf("docs/segments.md does not name %s", f.Name)
		}
	}
}
