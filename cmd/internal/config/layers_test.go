package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type sample struct {
	Name  string   `yaml:"name"`
	Roles []string `yaml:"roles"`
	Train struct {
		Every time.Duration `yaml:"every"`
		Seed  uint64        `yaml:"seed"`
		Rate  float64       `yaml:"rate"`
		On    bool          `yaml:"on"`
	} `yaml:"train"`
}

func TestLaterLayersWin(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kindred.yaml")
	if err := os.WriteFile(file, []byte("name: file\ntrain:\n  every: 1h\n  seed: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := sample{Name: "default", Roles: []string{"api"}}
	if err := fromFile(&got, file); err != nil {
		t.Fatal(err)
	}
	if err := fromEnv(&got, []string{"PATH=/bin", "KINDRED_TRAIN_SEED=2", "KINDRED_ROLES=api,train", "KINDRED_TRAIN_ON=true"}); err != nil {
		t.Fatal(err)
	}
	if err := fromSets(&got, []string{"train.seed=3", "train.rate=0.5"}); err != nil {
		t.Fatal(err)
	}
	want := sample{Name: "file", Roles: []string{"api", "train"}}
	want.Train.Every, want.Train.Seed, want.Train.Rate, want.Train.On = time.Hour, 3, 0.5, true
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	write := func(text string) func(*sample) error {
		return func(s *sample) error {
			file := filepath.Join(t.TempDir(), "kindred.yaml")
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return fromFile(s, file)
		}
	}
	env := func(pair string) func(*sample) error {
		return func(s *sample) error { return fromEnv(s, []string{pair}) }
	}
	set := func(pair string) func(*sample) error {
		return func(s *sample) error { return fromSets(s, []string{pair}) }
	}
	tests := []struct {
		name  string
		apply func(*sample) error
		want  string
	}{
		{"unknown key in the file", write("name: a\nrols: [api]\n"), `line 2: unknown key "rols"; did you mean roles?`},
		{"wrong type in the file", write("train:\n  seed: many\n"), "line 2"},
		{"two documents", write("name: a\n---\nname: b\n"), "more than one document"},
		{"unknown variable", env("KINDRED_TRIAN_SEED=1"), "KINDRED_TRIAN_SEED is no setting; did you mean KINDRED_TRAIN_SEED?"},
		{"hopeless variable", env("KINDRED_NONSENSE=1"), "lists them"},
		{"right name under a wrong path", set("trainings.all.seed=1"), "did you mean train.seed?"},
		{"bad duration", env("KINDRED_TRAIN_EVERY=soon"), `"soon" is no duration; write it like 30m`},
		{"bad number", env("KINDRED_TRAIN_SEED=-1"), `"-1" is no whole number`},
		{"unknown flag key", set("train.sed=1"), "unknown key; did you mean train.seed?"},
		{"flag without value", set("train.seed"), "write it as key=value"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.apply(&sample{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want it to hold %q", err, tt.want)
			}
		})
	}
}
