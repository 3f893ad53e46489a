package training

import (
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestTheDefaultConfigurationIsValidAndSurvivesItsFile(t *testing.T) {
	want := Default()
	if err := want.Validate(); err != nil {
		t.Fatal(err)
	}
	text, err := yaml.Marshal(want)
	if err != nil {
		t.Fatal(err)
	}
	var got Config
	if err := yaml.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	again, err := yaml.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != string(text) {
		t.Errorf("the configuration changes on its way through YAML:\n%s\n%s", text, again)
	}
}

func TestAWrongFieldIsNamed(t *testing.T) {
	for field, change := range map[string]func(*Config){
		"components":               func(c *Config) { c.Components = nil },
		`"magic"`:                  func(c *Config) { c.Components = []string{"magic"} },
		"twice":                    func(c *Config) { c.Components = []string{ALS, ALS} },
		"als.factors":              func(c *Config) { c.ALS.Factors = 0 },
		"itemitem":                 func(c *Config) { c.ItemItem.Neighbours = 0 },
		"content":                  func(c *Config) { c.Content.MaxDocShare = -1 },
		"popular":                  func(c *Config) { c.Popular.HalfLife = -1 },
		"hybrid: k":                func(c *Config) { c.Blend.K = 0 },
		"cluster: min_k":           func(c *Config) { c.Cluster.MinK = 1 },
		"cluster.min_people":       func(c *Config) { c.Cluster.MinPeople = 1 },
		"split.share":              func(c *Config) { c.Split.Share = 1 },
		"split.min_people":         func(c *Config) { c.Split.MinPeople = 0 },
		"gate.metric is \"ndcg\"":  func(c *Config) { c.Gate.Metric = "ndcg" },
		"gate.metric is \"coverag": func(c *Config) { c.Gate.Metric = "coverage@10" },
		"gate.min_ratio":           func(c *Config) { c.Gate.MinRatio = -1 },
		"min_interactions":         func(c *Config) { c.MinInteractions = 0 },
		"training: workers":        func(c *Config) { c.Workers = -1 },
	} {
		c := Default()
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("Validate = %v, want an error with %q", err, field)
		}
	}
}
