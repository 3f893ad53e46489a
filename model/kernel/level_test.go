package kernel_test

import (
	"os"
	"testing"

	"kindred/model/kernel"
)

func TestTheEnvironmentChoosesAtMostTheBestLevel(t *testing.T) {
	for _, tt := range []struct {
		word string
		best kernel.Level
		want kernel.Level
		ok   bool
	}{
		{"", kernel.AVX512, kernel.AVX512, true},
		{"", kernel.Generic, kernel.Generic, true},
		{"generic", kernel.AVX512, kernel.Generic, true},
		{"avx2", kernel.AVX512, kernel.AVX2, true},
		{"avx2", kernel.AVX2, kernel.AVX2, true},
		{"avx512", kernel.AVX2, kernel.AVX2, true},
		{"avx512", kernel.AVX512, kernel.AVX512, true},
		{"AVX2", kernel.AVX512, kernel.AVX512, false},
		{"sse", kernel.AVX2, kernel.AVX2, false},
	} {
		got, err := kernel.ChooseLevel(tt.word, tt.best)
		if got != tt.want || (err == nil) != tt.ok {
			t.Errorf("level for %q with %v at best = %v, %v; want %v, ok = %v", tt.word, tt.best, got, err, tt.want, tt.ok)
		}
	}
}

func TestCurrentIsWhatTheEnvironmentSays(t *testing.T) {
	want, err := kernel.ChooseLevel(os.Getenv(kernel.LevelVariable), kernel.BestLevel())
	if got := kernel.Current(); got != want || (kernel.LevelError() == nil) != (err == nil) {
		t.Errorf("Current = %v, LevelError = %v; want %v, %v", got, kernel.LevelError(), want, err)
	}
}
