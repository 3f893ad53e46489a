package itemitem

import (
	"context"

	"kindred/model/sparse"
)

// FitParts is the approximation of EASE, whatever fits into the memory.
func FitParts(ctx context.Context, x *sparse.CSR, cfg Config) (*Model, error) {
	e := newEASE(ctx, x, cfg, func(int, int) {})
	near, err := e.parts(ctx)
	if err != nil {
		return nil, err
	}
	return newModel(cfg.Binary, e.report, near), nil
}

// Explained is what the other items say about item j, by conjugate gradients.
func Explained(ctx context.Context, x *sparse.CSR, cfg Config, j int) float64 {
	return newEASE(ctx, x, cfg, nil).explained(ctx, j)
}

// PartSize is the order of the matrices that the approximation inverts.
func PartSize(x *sparse.CSR, cfg Config) int {
	return newEASE(context.Background(), x, cfg, nil).partSize()
}
