package clean_test

import (
	"os"
	"strings"
	"testing"

	"kindred/serving/ingest/stage"
)

// block is the first block of the document with that label behind its three backticks.
func block(t *testing.T, doc, label string) string {
	t.Helper()
	_, rest, found := strings.Cut(doc, "```"+label+"\n")
	text, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatalf("docs have no block %q", label)
	}
	return text
}

func TestTheExampleInTheDocsIsTrue(t *testing.T) {
	b, err := os.ReadFile("../../../docs/cleaning.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	c := withRules(t, block(t, doc, "yaml rules"))
	e := eventOf(t, "old-shop", block(t, doc, "json call"))
	if v := c.Apply(&e, &stage.Caller{}); v != (stage.Verdict{}) {
		t.Fatal(v)
	}
	if d := same(string(e.Props), block(t, doc, "json expect")); d != "" || e.Name != "Product Viewed" || len(e.Items) != 1 || e.Items[0].ID != "A-7" {
		t.Errorf("%s %q %v", d, e.Name, e.Items)
	}
}
