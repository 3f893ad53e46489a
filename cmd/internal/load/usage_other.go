//go:build !unix

package load

// ProcessCPU is 0: the system does not say.
func ProcessCPU() float64 { return 0 }
