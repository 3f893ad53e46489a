package popular

import (
	"fmt"
	"time"

	"kindred/model/blob"
)

// codecVersion is the first byte of an encoded model.
const codecVersion = 1

// MarshalBinary encodes the model; equal models have equal bytes.
func (m *Model) MarshalBinary() ([]byte, error) {
	w := blob.NewWriter(codecVersion)
	w.Int64(int64(m.cfg.HalfLife))
	w.Int64(int64(m.cfg.ShortHalfLife))
	w.Float64(m.cfg.Smoothing)
	w.Int64(m.first)
	n := len(m.counts)
	sums, times := make([]float64, 0, 2*n), make([]int64, 0, 2*n)
	for _, c := range m.counts {
		sums = append(sums, c.Short.S, c.Long.S)
		times = append(times, c.Short.T, c.Long.T)
	}
	w.Float64s(sums)
	w.Int64s(times)
	return w.Bytes(), nil
}

// UnmarshalBinary replaces m by the encoded model, or leaves it as it was and says
// why the bytes are not one.
func (m *Model) UnmarshalBinary(b []byte) error {
	r := blob.Open(b, codecVersion)
	cfg := Config{HalfLife: time.Duration(r.Int64()), ShortHalfLife: time.Duration(r.Int64()), Smoothing: r.Float64()}
	first, sums, times := r.Int64(), r.Float64s(), r.Int64s()
	if err := r.Close(); err != nil {
		return fmt.Errorf("decode popular model: %w", err)
	}
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("decode popular model: %w", err)
	}
	if len(sums)%2 != 0 || len(sums) != len(times) {
		return fmt.Errorf("decode popular model: %d sums with %d times: want two of each an item", len(sums), len(times))
	}
	counts := make([]Counts, len(sums)/2)
	for i := range counts {
		counts[i] = Counts{Short: Decayed{sums[2*i], times[2*i]}, Long: Decayed{sums[2*i+1], times[2*i+1]}}
	}
	*m = *FromCounts(counts, first, cfg)
	return nil
}
