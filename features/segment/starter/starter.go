// Package starter is a rule set to begin with: the journey of a shopper, abandoned
// carts, high value, lapsed and engaged people. It is a file like any other and can be edited.
package starter

import (
	_ "embed"
	"slices"

	"kindred/features/segment"
)

//go:embed starter.yaml
var file []byte

// YAML is the rules file with its comments.
func YAML() []byte { return slices.Clone(file) }

// Rules are what the file says.
func Rules() (segment.Rules, error) { return segment.ParseRules(file) }
