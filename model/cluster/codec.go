package cluster

import (
	"errors"
	"fmt"

	"kindred/model/blob"
)

// codecVersion is the first byte of an encoded model.
const codecVersion = 1

// MarshalBinary encodes the model; equal models have equal bytes.
func (m *Model) MarshalBinary() ([]byte, error) {
	w := blob.NewWriter(codecVersion)
	w.Strings(m.Names)
	w.Bools(m.Scaler.Log)
	w.Float64s(m.Scaler.Mean)
	w.Float64s(m.Scaler.Deviation)
	w.Float64s(m.Centroids)
	w.Int32s(m.Numbers)
	w.Int64s(m.Sizes)
	w.Int64(int64(m.Next))
	w.Int64(m.Rows)
	w.Float64(m.Inertia)
	w.Float64(m.Silhouette)
	return w.Bytes(), nil
}

// UnmarshalBinary replaces m by the encoded model, or leaves it as it was and says
// why the bytes are not one.
func (m *Model) UnmarshalBinary(b []byte) error {
	r := blob.Open(b, codecVersion)
	d := Model{Names: r.Strings()}
	d.Scaler = &Scaler{Log: r.Bools(), Mean: r.Float64s(), Deviation: r.Float64s()}
	d.Centroids, d.Numbers, d.Sizes = r.Float64s(), r.Int32s(), r.Int64s()
	next := r.Int64()
	d.Next = int32(next)
	d.Rows, d.Inertia, d.Silhouette = r.Int64(), r.Float64(), r.Float64()
	err := r.Close()
	if err == nil && int64(d.Next) != next {
		err = fmt.Errorf("next number %d does not fit 32 bits", next)
	}
	if err == nil {
		err = d.validate()
	}
	if err != nil {
		return fmt.Errorf("decode cluster model: %w", err)
	}
	*m = d
	return nil
}

// validate checks that the parts fit together, so that no decoded model can panic.
func (m *Model) validate() error {
	dims, k := len(m.Names), len(m.Numbers)
	s := m.Scaler
	switch {
	case dims == 0 || k == 0:
		return fmt.Errorf("%d dimensions and %d clusters: want at least one of each", dims, k)
	case len(s.Log) != dims || len(s.Mean) != dims || len(s.Deviation) != dims:
		return fmt.Errorf("the scaler does not have %d dimensions", dims)
	case len(m.Centroids) != k*dims || len(m.Sizes) != k:
		return fmt.Errorf("%d centroid values and %d sizes: want %d × %d and %d", len(m.Centroids), len(m.Sizes), k, dims, k)
	}
	for i, n := range m.Numbers {
		if n <= None || n >= m.Next || i > 0 && n <= m.Numbers[i-1] {
			return errors.New("cluster numbers must rise from 1 and stay below the next number")
		}
	}
	for d, dev := range s.Deviation {
		if !(dev > 0) {
			return fmt.Errorf("the deviation of %q is %v: must be positive", m.Names[d], dev)
		}
	}
	return nil
}
