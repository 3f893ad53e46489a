package config

import (
	"strings"
	"testing"
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
