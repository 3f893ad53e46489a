package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestTrainingLearnsFromTheWeightsThatAreFolded(t *testing.T) {
	c, err := Load("", nil, []string{"features.weights.rating_min=4", "seed=9"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Training.Weights != c.Features.Weights || c.Training.Seed != 9 {
		t.Errorf("training has weights %+v and seed %d, want those of features and 9", c.Training.Weights, c.Training.Seed)
	}
	if _, err := Load("", nil, []string{"training.weights.rating_min=4"}); err == nil || !strings.Contains(err.Error(), "set features.weights alone") {
		t.Errorf("weights for training alone: %v, want a refusal that says what to set", err)
	}
}

func TestTheDefaultsAreValid(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
}

func TestACommentedConfigurationIsReadBack(t *testing.T) {
	var text strings.Builder
	if err := Default().PrintComments(&text); err != nil || !strings.Contains(text.String(), "# Seed makes everything random repeatable.\nseed: 1") {
		t.Fatalf("%v\n%s", err, text.String())
	}
	file := filepath.Join(t.TempDir(), "kindred.yaml")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := Load(file, nil, nil)
	want, _ := Load("", nil, nil)
	if diff := cmp.Diff(want.masked(), got.masked(), cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestASectionIsNamedOnce(t *testing.T) {
	if _, err := Load("", nil, []string{"schedule.every_events=-1"}); err == nil || strings.Count(err.Error(), "schedule") != 1 {
		t.Errorf("%v, want the section once", err)
	}
}
