package kernel

import "golang.org/x/sys/cpu"

// bestLevel is the highest level that processor and operating system have. F16C has
// no flag of its own in x/sys; every processor with AVX2 has it.
func bestLevel() Level {
	x := &cpu.X86
	switch {
	case !x.HasAVX2 || !x.HasFMA:
		return Generic
	case !x.HasAVX512F || !x.HasAVX512BW || !x.HasAVX512DQ || !x.HasAVX512VL || !x.HasAVX512VNNI:
		return AVX2
	}
	return AVX512
}
