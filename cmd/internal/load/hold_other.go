//go:build !linux

package load

// HoldProcessor does something on Linux only.
func HoldProcessor() (release func()) { return func() {} }
