// Package archtest holds the map of the house as a test: which room may import
// which, and which third-party library has only one home, each rule with its
// reason. It parses the source files itself, so a new import is seen even when
// the test cache would not look.
package archtest
