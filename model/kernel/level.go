package kernel

import (
	"fmt"
	"os"
)

// Level is a set of machine instructions that the inner loops are written for. A higher
// one includes the lower ones.
type Level int

const (
	Generic Level = iota // plain Go, the only level where the processor is no amd64
	AVX2                 // AVX2, FMA and F16C: x86-64-v3
	AVX512               // AVX-512 F, BW, DQ, VL and VNNI
)

// LevelVariable is the environment variable that asks for a level by its name.
const LevelVariable = "KINDRED_KERNEL"

func (l Level) String() string {
	switch l {
	case Generic:
		return "generic"
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
	}
	return fmt.Sprintf("Level(%d)", int(l))
}

// level is what this process uses. It is state of the package, the one exception to the
// rule, because it is a property of the processor: it is decided before anything is
// computed and never changes, so that a process gives equal bytes for equal input. The
// functions branch on it, since arguments of a call through a variable escape to the heap.
var level, levelErr = chooseLevel(os.Getenv(LevelVariable), bestLevel())

// Current is the level that this process computes with: the one that the environment variable
// KINDRED_KERNEL asks for (generic, avx2 or avx512), at most the best that the processor has, which
// is also what an unset variable means.
func Current() Level { return level }

// LevelError says what is wrong with the value of KINDRED_KERNEL, or nil. The level is
// then the best; a command should refuse to start instead.
func LevelError() error { return levelErr }

// chooseLevel is the level for a value of the environment variable.
func chooseLevel(word string, best Level) (Level, error) {
	if word == "" {
		return best, nil
	}
	for l := Generic; l <= AVX512; l++ {
		if word == l.String() {
			return min(l, best), nil
		}
	}
	return best, fmt.Errorf("%s=%q: want generic, avx2 or avx512", LevelVariable, word)
}
