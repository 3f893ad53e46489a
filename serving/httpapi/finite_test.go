package httpapi

import (
	"encoding/json"
	"math"
	"testing"
)

func TestFiniteIsANumberOfJSON(t *testing.T) {
	for _, x := range []float64{0, -1.5, math.MaxFloat64, math.Inf(1), math.Inf(-1), math.NaN()} {
		got := finite(x)
		if _, err := json.Marshal(got); err != nil {
			t.Errorf("finite(%v): %v", x, err)
		}
		if got != x && x-x == 0 {
			t.Errorf("finite(%v) = %v, want it unchanged", x, got)
		}
	}
}
