package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A plan and a mapping of the configuration file rule what the server takes; what the plan
// kept out counts once after the plan is mended, by the server and by the program alone.
func TestTheConfigurationsStagesRuleAndDeadLettersAreReplayedOnce(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const strict = "mode: quarantine\nunknown_events: warn\nevents:\n  - name: Product Viewed\n    properties: {properties: {product_id: {type: number}}}\n"
	plan := write("plan.yaml", strict)
	rules := write("rules.yaml", "mappings:\n  \"*\":\n    - when: event.name == \"article_view\"\n      set: {name: '\"Product Viewed\"', properties.product_id: properties.art_no}\n")
	write("kindred.yaml", "data: "+dir+"\ningest:\n  clean: {rules: "+rules+"}\n  plan: {path: "+plan+", refresh: 1s}\n")
	view := func(id string) map[string]any {
		return map[string]any{"type": "track", "event": "article_view", "userId": "ann", "messageId": id, "properties": map[string]any{"art_no": "lamp-" + id}}
	}
	kindred(t, exitDone, "config", "check", "--data", dir)
	r := start(t, dir)
	addr := strings.TrimPrefix(r.base, "http://")
	r.track("/v1/track", view("1"))
	if out := kindred(t, exitDone, "dead-letters", "list", "--addr", addr, "--kind", "plan.quarantine"); strings.Count(out, "\n") != 1 || !strings.Contains(out, "lamp-1") {
		t.Errorf("list: %s", out)
	}
	if out := kindred(t, exitDone, "dead-letters", "replay", "--addr", addr); !strings.Contains(out, "1 dead letters tried: 0 accepted, 0 dropped, 1 refused again") {
		t.Errorf("before the fix: %s", out)
	}
	r.track("/v1/track", view("2"))
	r.stop()
	write("plan.yaml", strings.Replace(strict, "number", "string", 1))
	if out := kindred(t, exitDone, "dead-letters", "replay", "--data", dir, "--reason", "want number", "--dry-run"); !strings.Contains(out, "2 dead letters would be tried: 2 accepted") {
		t.Errorf("a dry run: %s", out)
	}
	for i, want := range []string{"2 dead letters tried: 2 accepted", "0 dead letters tried"} {
		if out := kindred(t, exitDone, "dead-letters", "replay", "--data", dir); !strings.Contains(out, want) {
			t.Errorf("replay %d: %s", i, out)
		}
	}
	if out := kindred(t, exitDone, "dead-letters", "list", "--data", dir); out != "" {
		t.Errorf("left: %s", out)
	}
	r = start(t, dir)
	defer r.stop()
	r.track("/v1/track", view("1")) // the client sends it again
	var profile struct {
		Counts map[string]int
		Items  int
	}
	r.get("/v1/profiles/ann", &profile)
	if profile.Counts["views_7d"] != 2 || profile.Items != 2 {
		t.Errorf("the profile is %+v, want two views of two items", profile)
	}
	write("plan.yaml", "mode: [")
	if said := kindred(t, exitUsage, "config", "check", "--data", dir); !strings.Contains(said, "plan.yaml") {
		t.Errorf("a broken plan: %s", said)
	}
}

// The configurations in the documents are those that the program takes.
func TestTheDocumentsConfigurationsAreTaken(t *testing.T) {
	for _, name := range []string{"cleaning.md", "tracking-plan.md"} {
		doc, err := os.ReadFile("../../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, found := strings.Cut(string(doc), "```yaml config\n")
		text, _, ended := strings.Cut(rest, "```")
		if !found || !ended {
			t.Fatalf("%s has no configuration", name)
		}
		path := filepath.Join(t.TempDir(), "kindred.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if out := kindred(t, exitDone, "config", "print", "--config", path); !strings.Contains(out, "/etc/kindred/") {
			t.Errorf("%s: %s", name, out)
		}
	}
}
