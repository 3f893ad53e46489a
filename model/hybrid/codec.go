package hybrid

import (
	"fmt"

	"kindred/model/blob"
)

// codecVersion is the first byte of an encoded model.
const codecVersion = 1

// MarshalBinary encodes the model; equal models have equal bytes.
func (m *Model) MarshalBinary() ([]byte, error) {
	w := blob.NewWriter(codecVersion)
	w.Strings(m.Components)
	w.String(string(m.Normalization))
	w.Float64s(m.Weights)
	w.Count(m.K)
	w.Float64(m.NDCG)
	w.Count(m.Cases)
	w.Count(len(m.Buckets))
	for _, b := range m.Buckets {
		w.Count(b.UpTo)
		w.Float64s(b.Weights)
		w.Count(b.Cases)
	}
	return w.Bytes(), nil
}

// UnmarshalBinary replaces m by the encoded model, or leaves it as it was and says
// why the bytes are not one.
func (m *Model) UnmarshalBinary(b []byte) error {
	r := blob.Open(b, codecVersion)
	d := Model{Components: r.Strings(), Normalization: Normalization(r.String()), Weights: r.Float64s()}
	d.K, d.NDCG, d.Cases = r.Count(), r.Float64(), r.Count()
	for buckets := r.Count(); buckets > 0 && r.Err() == nil; buckets-- {
		bucket := Bucket{UpTo: r.Count(), Weights: r.Float64s(), Cases: r.Count()}
		if len(bucket.Weights) == 0 {
			bucket.Weights = nil
		}
		d.Buckets = append(d.Buckets, bucket)
	}
	err := r.Close()
	if err == nil {
		err = d.Validate()
	}
	if err != nil {
		return fmt.Errorf("decode hybrid model: %w", err)
	}
	*m = d
	return nil
}
