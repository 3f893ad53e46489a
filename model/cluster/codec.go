package cluster

import (
	"errors"
	"fmt"

	"kindred/model/blob"
)

// The first byte of an encoded model. Version 1 knows only k-means, and is still how a
// k-means model is written, so that older programs read it.
const (
	codecKMeans = 1
	codecMethod = 2
)

// MarshalBinary encodes the model; equal models have equal bytes.
func (m *Model) MarshalBinary() ([]byte, error) {
	version := byte(codecMethod)
	if m.Method == "" || m.Method == KMeansMethod {
		version = codecKMeans
	}
	w := blob.NewWriter(version)
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
	switch m.Method {
	case MixtureMethod:
		w.String(string(m.Method))
		w.Float64s(m.Weights)
		w.Float64s(m.Factors)
	case DBSCANMethod:
		w.String(string(m.Method))
		w.Float64s(m.Cores.Points)
		w.Int32s(m.Cores.Split)
		w.Int32s(m.CoreOf)
		w.Float64(m.Radius)
	}
	return w.Bytes(), nil
}

// UnmarshalBinary replaces m by the encoded model, or leaves it as it was and says
// why the bytes are not one.
func (m *Model) UnmarshalBinary(b []byte) error {
	version := byte(codecKMeans)
	if len(b) > 0 && b[0] == codecMethod {
		version = codecMethod
	}
	r := blob.Open(b, version)
	d := Model{Names: r.Strings()}
	d.Scaler = &Scaler{Log: r.Bools(), Mean: r.Float64s(), Deviation: r.Float64s()}
	d.Centroids, d.Numbers, d.Sizes = r.Float64s(), r.Int32s(), r.Int64s()
	next := r.Int64()
	d.Next = int32(next)
	d.Rows, d.Inertia, d.Silhouette = r.Int64(), r.Float64(), r.Float64()
	if d.Method = KMeansMethod; version == codecMethod {
		switch d.Method = Method(r.String()); d.Method {
		case MixtureMethod:
			d.Weights, d.Factors = r.Float64s(), r.Float64s()
		case DBSCANMethod:
			d.Cores = &Tree{Points: r.Float64s(), Split: r.Int32s(), Dims: len(d.Names)}
			d.CoreOf, d.Radius = r.Int32s(), r.Float64()
		}
	}
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
	if d.Method == MixtureMethod {
		d.settle()
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
	return m.validateMethod(dims, k)
}

func (m *Model) validateMethod(dims, k int) error {
	switch m.Method {
	case KMeansMethod:
	case MixtureMethod:
		if len(m.Weights) != k || len(m.Factors) != k*dims*dims {
			return fmt.Errorf("%d weights and %d values of factors: want %d and %d", len(m.Weights), len(m.Factors), k, k*dims*dims)
		}
		for c, w := range m.Weights {
			for i := range dims {
				if pivot := m.Factors[(c*dims+i)*dims+i]; !(w > 0) || !(pivot > 0) {
					return fmt.Errorf("component %d has weight %v and a pivot of %v: both must be positive", c, w, pivot)
				}
			}
		}
	case DBSCANMethod:
		n := len(m.CoreOf)
		if n == 0 || len(m.Cores.Split) != n || len(m.Cores.Points) != n*dims || !(m.Radius > 0) {
			return fmt.Errorf("%d cores with %d splits, %d values and a radius of %v do not fit together", n, len(m.Cores.Split), len(m.Cores.Points), m.Radius)
		}
		for i, c := range m.CoreOf {
			if c < 0 || int(c) >= k || int(m.Cores.Split[i]) >= dims || m.Cores.Split[i] < 0 {
				return fmt.Errorf("core %d is of cluster %d and splits dimension %d: there are %d and %d", i, c, m.Cores.Split[i], k, dims)
			}
		}
	default:
		return fmt.Errorf("method %q is not known", m.Method)
	}
	return nil
}
