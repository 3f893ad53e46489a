package itemitem_test

import (
	"testing"

	"kindred/model"
	"kindred/model/itemitem"
	"kindred/model/modeltest"
	"kindred/model/sparse"
)

func TestModelKeepsTheScorersPromises(t *testing.T) {
	modeltest.Run(t, func(t *testing.T, x *sparse.CSR, _ uint64) model.Scorer {
		return fit(t, x, itemitem.Default())
	}, modeltest.Options{Decode: decode})
}

// fit fails the test when the fit does.
func fit(t *testing.T, x *sparse.CSR, cfg itemitem.Config) *itemitem.Model {
	t.Helper()
	m, err := itemitem.Fit(t.Context(), x, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// decode reads a model.
func decode(b []byte) (model.Scorer, error) {
	m := new(itemitem.Model)
	return m, m.UnmarshalBinary(b)
}
