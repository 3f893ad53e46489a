package changes

import (
	"math"
	"slices"
	"testing"
)

func TestPositionsAreReadBack(t *testing.T) {
	for text, want := range map[string]Position{
		"-_-": Start(2), "0_-": {{0, math.MaxInt32}, before}, "12.0_7": {{12, 0}, {7, math.MaxInt32}}, "1.5_2.2147483646": {{1, 5}, {2, math.MaxInt32 - 1}},
	} {
		got, err := Parse(text, 2)
		if err != nil || !slices.Equal(got, want) || got.String() != text {
			t.Errorf("%s: %v as %s, %v; want %v", text, got, got, err, want)
		}
	}
	for _, text := range []string{"", "-", "-_-_-", "a_-", "1._-", "-1_-", "1.-1_-", "1.2.3_-", "9223372036854775808_-", "1.2147483648_-", " 1_-"} {
		if got, err := Parse(text, 2); err == nil {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}
