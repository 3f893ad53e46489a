// Package livetest makes a shop of realistic size for benchmarks of serving: a
// catalog with texts, people with tastes, and a model of all four components.
// Everything is a function of the size asked for.
package livetest
