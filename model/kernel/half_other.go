//go:build !amd64

package kernel

func halfEncode(dst []uint16, src []float32) { halfEncodeGeneric(dst, src) }

func halfDecode(dst []float32, src []uint16) { halfDecodeGeneric(dst, src) }
