package content

import (
	"fmt"
	"slices"

	"kindred/model/blob"
	"kindred/model/sparse"
	"kindred/model/vocab"
)

// codecVersion is the first byte of an encoded model.
const codecVersion = 1

// MarshalBinary encodes the model; equal models have equal bytes. The inverted
// index is not stored: it is rebuilt from the vectors.
func (m *Model) MarshalBinary() ([]byte, error) {
	w := blob.NewWriter(codecVersion)
	w.Count(m.cfg.MinDocs)
	w.Float64(m.cfg.MaxDocShare)
	w.Count(m.cfg.ProfileTerms)
	w.Strings(m.terms.Keys())
	w.Float32s(m.idf)
	items := m.items
	if m.later != nil { // the appended rows become rows like all others
		items = &sparse.CSR{Rows: items.Rows, Cols: items.Cols, Ptr: slices.Clone(items.Ptr), Col: slices.Clone(items.Col), Val: slices.Clone(items.Val)}
		for row := m.items.Rows; row < m.Items(); row++ {
			appendRow(items, m.ItemVector(int32(row)))
		}
	}
	w.Int64s(items.Ptr)
	w.Int32s(items.Col)
	w.Float32s(items.Val)
	return w.Bytes(), nil
}

// UnmarshalBinary replaces m by the encoded model, or leaves it as it was and says
// why the bytes are not one. m must not be in use.
func (m *Model) UnmarshalBinary(b []byte) error {
	decoded, err := decode(b)
	if err != nil {
		return fmt.Errorf("decode content model: %w", err)
	}
	m.cfg, m.terms, m.idf = decoded.cfg, decoded.terms, decoded.idf
	m.items, m.posting, m.later = decoded.items, decoded.posting, nil
	m.scratch, m.common = decoded.scratch, decoded.common // the former terms' do not fit
	return nil
}

// decode reads a whole model and checks that its parts fit together.
func decode(b []byte) (*Model, error) {
	r := blob.Open(b, codecVersion)
	m := &Model{cfg: Config{MinDocs: r.Count(), MaxDocShare: r.Float64(), ProfileTerms: r.Count()}}
	keys := r.Strings()
	m.idf = r.Float32s()
	items := &sparse.CSR{Cols: len(keys), Ptr: r.Int64s(), Col: r.Int32s(), Val: r.Float32s()}
	if err := r.Close(); err != nil {
		return nil, err
	}
	if err := m.cfg.Validate(); err != nil {
		return nil, err
	}
	terms, err := vocab.New(keys)
	if err != nil {
		return nil, err
	}
	for i, key := range terms.Keys() {
		if key != keys[i] {
			return nil, fmt.Errorf("term %d, %q, is not in order", i, keys[i])
		}
	}
	if len(m.idf) != len(keys) || len(items.Ptr) == 0 {
		return nil, fmt.Errorf("%d idf values and %d row pointers: want %d and at least 1", len(m.idf), len(items.Ptr), len(keys))
	}
	items.Rows = len(items.Ptr) - 1
	if err := items.Validate(); err != nil {
		return nil, err
	}
	for i, w := range items.Val {
		if !(w > 0 && w <= 1.001) { // a component of a vector of length 1
			return nil, fmt.Errorf("entry %d weighs %v: must be above 0 and at most 1", i, w)
		}
	}
	m.terms = terms
	m.setItems(items)
	return m, nil
}
