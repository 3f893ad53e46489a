package kernel

import "testing"

// AtEveryLevel runs test as a subtest at each level that the processor has. Tests that
// use it must not be parallel.
func AtEveryLevel(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	for l := Generic; l <= bestLevel(); l++ {
		t.Run(l.String(), func(t *testing.T) {
			SetLevel(t, l)
			test(t)
		})
	}
}

// SetLevel makes l the level until the test or benchmark ends.
func SetLevel(t testing.TB, l Level) {
	before := level
	level = l
	t.Cleanup(func() { level = before })
}

// BestLevel is the highest level that the processor has.
func BestLevel() Level { return bestLevel() }

// ChooseLevel is what the value word of the environment variable means on a processor of level best.
func ChooseLevel(word string, best Level) (Level, error) { return chooseLevel(word, best) }
