package training

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"kindred/training/evaluate"
)

// asJSON writes a configuration with the names that its YAML file uses, so that a
// report's configuration can be pasted into one.
func asJSON(config any) (json.RawMessage, error) {
	text, err := yaml.Marshal(config)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	var generic any
	if err := yaml.Unmarshal(text, &generic); err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return json.Marshal(generic)
}

// cutMetric takes "ndcg@10" apart; false when it is not a known metric at a cutoff.
func cutMetric(s string) (name string, k int, ok bool) {
	name, cut, ok := strings.Cut(s, "@")
	if !ok || !slices.Contains(evaluate.Names(), name) {
		return "", 0, false
	}
	k, err := strconv.Atoi(cut)
	return name, k, err == nil && k >= 1
}
