package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ulikunitz/xz"
)

func TestMistakesInTheCallExitWithTwo(t *testing.T) {
	dir := t.TempDir()
	tests := []struct {
		name string
		args []string
		want string
	}{
		{"unknown command", []string{"sreve"}, `unknown command "sreve"`},
		{"unknown flag", []string{"serve", "--adr", "x"}, "unknown flag: --adr"},
		{"argument where none is taken", []string{"train", "now"}, `takes no argument, got "now"`},
		{"unknown format", []string{"import", "--data", dir, "--format", "xls", "f"}, `--format "xls" is unknown; use one of citeulike`},
		{"no format", []string{"import", "--data", dir, "f"}, "--format is missing"},
		{"no path", []string{"import", "--data", dir, "--format", "csv"}, "wants the path of a file"},
		{"negative bound", []string{"import", "--data", dir, "--format", "csv", "--max-bad", "-1", "f"}, "--max-bad is -1"},
		{"unknown protocol", []string{"evaluate", "--format", "csv", "--protocol", "random", "--out", dir, "f"}, "--protocol"},
		{"no report directory", []string{"evaluate", "--format", "csv", "f"}, "--out is missing"},
		{"cutoff", []string{"evaluate", "--format", "csv", "--k", "0", "--out", dir, "f"}, `--k "0"`},
		{"unknown export", []string{"export", "--data", dir, "--what", "people"}, `--what is "people"`},
		{"unknown export format", []string{"export", "--data", dir, "--what", "items", "--format", "xml"}, `"xml"`},
		{"unknown setting", []string{"config", "print", "--set", "http.adr=x"}, "did you mean http.addr?"},
		{"open to the network without keys", []string{"config", "check", "--set", "http.addr=0.0.0.0:80"}, "insecure"},
		{"split roles on embedded stores", []string{"config", "check", "--set", "roles=api"}, "run api, stream and train in one process"},
		{"no such configuration file", []string{"config", "check", "--config", filepath.Join(dir, "none.yaml")}, "none.yaml"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if message := kindred(t, exitUsage, tt.args...); !strings.Contains(message, tt.want) {
				t.Errorf("says %q, want it to hold %q", message, tt.want)
			}
		})
	}
}

func TestFailuresExitWithOneAndSayWhatToDo(t *testing.T) {
	nowhere := filepath.Join(t.TempDir(), "none")
	for _, args := range [][]string{
		{"train", "--data", nowhere}, {"models", "list", "--data", nowhere}, {"jobs", "--data", nowhere},
		{"replay", "--data", nowhere}, {"export", "--what", "profiles", "--data", nowhere}, {"export", "--what", "events", "--data", nowhere},
	} {
		if message := kindred(t, exitFailed, args...); !strings.Contains(message, "`kindred import` or `kindred serve` creates one") {
			t.Errorf("kindred %s says %q", strings.Join(args, " "), message)
		}
		if _, err := os.Stat(nowhere); err == nil {
			t.Fatalf("kindred %s made the directory", strings.Join(args, " "))
		}
	}
	empty := t.TempDir()
	kindred(t, exitDone, "import", "--data", empty, "--format", "csv", write(t, "a.csv", "user,item\nann,lamp\n"))
	if message := kindred(t, exitFailed, "train", "--data", empty); !strings.Contains(message, "too little to train on") {
		t.Errorf("training on one interaction says %q", message)
	}
	if message := kindred(t, exitFailed, "models", "promote", "m-1", "--data", empty); !strings.Contains(message, "there is no such version") {
		t.Errorf("promoting nothing says %q", message)
	}
	if message := kindred(t, exitFailed, "models", "rollback", "--data", empty); !strings.Contains(message, "no former model") {
		t.Errorf("rolling back to nothing says %q", message)
	}
}

func TestABadLineFailsTheImportAndLeavesNothing(t *testing.T) {
	dir, file := t.TempDir(), write(t, "bad.csv", "user,item,value\nann,lamp,1\nbob,,2\n")
	message := kindred(t, exitFailed, "import", "--data", dir, "--format", "csv", file)
	if !strings.Contains(message, "bad.csv:3") {
		t.Errorf("says %q, want file and line", message)
	}
	if out := kindred(t, exitDone, "export", "--data", dir, "--what", "items"); out != "" {
		t.Errorf("the failed import left items: %s", out)
	}
	out := kindred(t, exitDone, "import", "--data", dir, "--format", "csv", "--max-bad", "1", file)
	if !strings.Contains(out, "1 events (1 new") || !strings.Contains(out, "bad.csv:3") {
		t.Errorf("with one bad line allowed it says %q", out)
	}
}

func TestRowsOfNobodyFailTheImportAndLeaveNothing(t *testing.T) {
	dir, file := t.TempDir(), write(t, "a.csv", "user,item\nann,lamp\nnull,desk\n")
	if message := kindred(t, exitFailed, "import", "--data", dir, "--format", "csv", file); !strings.Contains(message, `identify nobody, the first with user "null"`) {
		t.Errorf("says %q, want whose ids identify nobody", message)
	}
	for _, what := range []string{"items", "events"} {
		if out := kindred(t, exitDone, "export", "--data", dir, "--what", what); out != "" {
			t.Errorf("the failed import left %s: %s", what, out)
		}
	}
	out := kindred(t, exitDone, "import", "--data", dir, "--format", "csv", "--max-bad", "1", file)
	if !strings.Contains(out, "1 events (1 new") || !strings.Contains(out, "left out 1 events") {
		t.Errorf("with one bad line allowed it says %q", out)
	}
}

func TestADataSetThatNumbersPeopleFromZeroIsImportedWhole(t *testing.T) {
	dir, set := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"train.txt": "0 1 2\n1 2\n", "test.txt": "0 3\n"} {
		if err := os.WriteFile(filepath.Join(set, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if out := kindred(t, exitDone, "import", "--data", dir, "--format", "lightgcn", set); !strings.Contains(out, "3 events (3 new") {
		t.Errorf("says %q, want 3 new events", out)
	}
	if out := kindred(t, exitDone, "export", "--data", dir, "--what", "profiles"); !strings.Contains(out, `"users":["0"]`) {
		t.Errorf("nobody is called 0:\n%s", out)
	}
	kindred(t, exitDone, "replay", "--data", dir, "--verify")
}

func TestLargeEventsAreImportedInSmallerBatches(t *testing.T) {
	const events = 75 // of 900 kB: more at once than the log's queue takes
	var lines strings.Builder
	for i := range events {
		fmt.Fprintf(&lines, `{"v":1,"id":"e%d","source":"s","type":"track","name":"x","ids":{"user":"ann"},"t":{"event":"2026-01-01T00:00:00Z","received":"2026-01-01T00:00:00Z"},"props":{"a":"%s"}}`+"\n",
			i, strings.Repeat("a", 900_000))
	}
	out := kindred(t, exitDone, "import", "--data", t.TempDir(), "--format", "jsonl", write(t, "a.jsonl", lines.String()))
	if want := fmt.Sprintf("%d events (%d new", events, events); !strings.Contains(out, want) {
		t.Errorf("says %q, want %q", out, want)
	}
}

func TestASecondImportAddsNothing(t *testing.T) {
	dir, file := t.TempDir(), write(t, "a.csv", "user,item,kind,time\nann,lamp,view,2020-01-01T00:00:00Z\nann,lamp,view,2020-01-01T00:00:00Z\nbob,desk,purchase,2020-01-02T00:00:00Z\n")
	for i, want := range []string{"3 events (3 new, 0 already there)", "3 events (0 new, 3 already there)"} {
		if out := kindred(t, exitDone, "import", "--data", dir, "--format", "csv", "--shift-to-now", file); !strings.Contains(out, want) {
			t.Errorf("import %d says %q, want %q", i+1, out, want)
		}
	}
	if n := strings.Count(kindred(t, exitDone, "export", "--data", dir, "--what", "interactions"), "\n"); n != 3 {
		t.Errorf("%d interactions in the lake, want 3", n)
	}
	kindred(t, exitDone, "replay", "--data", dir)
	kindred(t, exitDone, "replay", "--data", dir, "--verify")
}

func TestThePrintedConfigurationLoadsAgain(t *testing.T) {
	printed := kindred(t, exitDone, "config", "print", "--set", "seed=7", "--set", "schedule.cron=@daily")
	file := write(t, "kindred.yaml", printed)
	if again := kindred(t, exitDone, "config", "print", "--config", file); again != printed {
		t.Errorf("printed again it differs:\n%s\n---\n%s", printed, again)
	}
	var tree struct{ Seed int }
	if err := json.Unmarshal([]byte(kindred(t, exitDone, "config", "print", "--json", "--config", file)), &tree); err != nil || tree.Seed != 7 {
		t.Errorf("as JSON: seed %d, %v; want 7", tree.Seed, err)
	}
	if env := kindred(t, exitDone, "config", "print", "--env", "--config", file); !strings.Contains(env, "\nKINDRED_SEED=7\n") {
		t.Errorf("as environment it lacks the seed:\n%s", env)
	}
	secret := kindred(t, exitDone, "config", "print", "--set", "http.keys=[{name: a, secret: hunter2hunter2hunter2, scopes: [read]}]")
	if strings.Contains(secret, "hunter2") {
		t.Error("a secret was printed")
	}
}

func TestTheKernelLevelIsNoSettingAndAMisspeltOneIsRefused(t *testing.T) {
	for _, level := range []string{"generic", "avx2", "avx512"} {
		t.Setenv("KINDRED_KERNEL", level)
		kindred(t, exitDone, "config", "print")
	}
	t.Setenv("KINDRED_KERNEL", "sse")
	if got := kindred(t, exitUsage, "config", "print"); !strings.Contains(got, `KINDRED_KERNEL="sse": want generic, avx2 or avx512`) {
		t.Errorf("stderr = %q", got)
	}
}

func TestEvaluateWritesTheScriptedReport(t *testing.T) {
	dir, out := shop(t), filepath.Join(t.TempDir(), "report")
	kindred(t, exitDone, "evaluate", "--data", dir, "--protocol", "user-time", "--served", "--k", "5,10", "--out", out)
	b, err := os.ReadFile(filepath.Join(out, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Dataset, Protocol           string
		People, Items, Interactions int
		Models                      []struct {
			Name    string
			Metrics map[string]struct{ Mean, Low, High float64 }
		}
	}
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	if r.Protocol != "user-time" || r.People != 60 || r.Items != 40 || r.Interactions != 720 {
		t.Errorf("report = %s %d people %d items %d interactions; want user-time 60 40 720", r.Protocol, r.People, r.Items, r.Interactions)
	}
	ndcg := map[string]float64{}
	for _, m := range r.Models {
		v, ok := m.Metrics["ndcg@10"]
		if !ok || v.Low > v.Mean || v.Mean > v.High {
			t.Errorf("%s: ndcg@10 = %+v", m.Name, v)
		}
		ndcg[m.Name] = v.Mean
	}
	if ndcg["served"] != ndcg["hybrid"] {
		t.Errorf("served %v, hybrid %v; want the same", ndcg["served"], ndcg["hybrid"])
	}
	if ndcg["als"] <= ndcg["popular"] {
		t.Errorf("als %v, popular %v: two clear tastes must be told apart", ndcg["als"], ndcg["popular"])
	}
	for _, name := range []string{"report.md", "report.html"} {
		if _, err := os.Stat(filepath.Join(out, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestEveryCommandHasAnExample(t *testing.T) {
	root := newRoot(streams{}, nil)
	commands := root.Commands()
	for _, c := range root.Commands() {
		commands = append(commands, c.Commands()...)
	}
	for _, c := range commands {
		if c.Name() != "help" && !c.Hidden && !strings.Contains(c.Example, "kindred "+strings.Fields(c.CommandPath())[1]) {
			t.Errorf("%s has no example of itself", c.CommandPath())
		}
	}
}

// write makes a file of the text.
func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestADirectorysOwnConfigurationIsRead(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, ownConfig)
	if err := os.WriteFile(own, []byte("seed: 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out := kindred(t, exitDone, "config", "print", "--data", dir); !strings.Contains(out, "\nseed: 7\n") {
		t.Errorf("the directory's seed is not read:\n%s", out)
	}
	other := write(t, "other.yaml", "seed: 8\n")
	if out := kindred(t, exitDone, "config", "print", "--data", dir, "--config", other); !strings.Contains(out, "\nseed: 8\n") {
		t.Errorf("--config does not come first:\n%s", out)
	}
	if err := os.WriteFile(own, []byte("data: elsewhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// The flag is the stronger layer, so only a directory found without it is misled.
	t.Setenv("KINDRED_DATA", dir)
	if out := kindred(t, exitDone, "config", "print"); !strings.Contains(out, "data: "+dir) {
		t.Errorf("the environment does not come before the file:\n%s", out)
	}
}

// TestTheDemoRunsOnTheSample is `make run`: import, train, serve, then again from
// what is there.
func TestTheDemoRunsOnTheSample(t *testing.T) {
	sample := someOfTheSample(t, 60)
	dir := filepath.Join(t.TempDir(), "data")
	s := launch(t, "demo", "--data", dir, "--sample", sample, "--addr", "127.0.0.1:0")
	first := serving(s)
	var a answer
	s.get("/v1/recommendations/1?n=5", &a)
	if !a.Known || a.Model != first || len(a.Items) != 5 || len(a.Items[0].Reasons) == 0 {
		t.Errorf("the first answer is %+v; want five items with reasons from %s", a, first)
	}
	s.stop()
	s = launch(t, "demo", "--data", dir, "--sample", sample, "--addr", "127.0.0.1:0")
	if again := serving(s); again != first {
		t.Errorf("the second start serves %s, want %s", again, first)
	}
	s.stop()
	if out := kindred(t, exitDone, "config", "print", "--data", dir); !strings.Contains(out, "rating_min: 4") {
		t.Error("the sample's directory does not say what counts as liked")
	}
}

// someOfTheSample is the bundled sample with the ratings of its first people only:
// the race detector makes everything ten times slower.
func someOfTheSample(t *testing.T, people int) string {
	t.Helper()
	const whole = "../../data/dataset/sample/ml-latest-small"
	dir := t.TempDir()
	for _, name := range []string{"movies.csv", "ratings.csv", "tags.csv", "links.csv"} {
		packed, err := os.Open(filepath.Join(whole, name+".xz"))
		if err != nil {
			t.Fatal(err)
		}
		defer packed.Close()
		plain, err := xz.NewReader(packed)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(plain)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		if name == "ratings.csv" {
			text = text[:strings.Index(text, fmt.Sprintf("\n%d,", people+1))+1]
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
