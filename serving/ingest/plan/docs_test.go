package plan_test

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
	b, err := os.ReadFile("../../../docs/tracking-plan.md")
	if err != nil {
		t.Fatal(err)
	}
	doc := string(b)
	s, _ := with(t, block(t, doc, "yaml plan"))
	e := eventOf(t, block(t, doc, "json call"))
	v := s.Apply(&e, &stage.Caller{})
	if want := strings.TrimSpace(block(t, doc, "text expect")); v.Reason != want || v.Fate != stage.Refuse {
		t.Errorf("the docs say %q, it is %q", want, v.Reason)
	}
}
