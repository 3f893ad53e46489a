// Package modeltest holds the promises that every scorer keeps, as one suite:
//
//	func TestModel(t *testing.T) { modeltest.Run(t, fit, modeltest.Options{…}) }
//
// The fixture is the checkerboard of the library implicit: a person with an even
// number uses items with even numbers, one with an odd number those with odd numbers, and each
// person misses one item of their colour. Whatever personal means, that item has to come first.
package modeltest
