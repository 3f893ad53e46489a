//go:build !unix

package load

func ownCPU() float64 { return 0 }
