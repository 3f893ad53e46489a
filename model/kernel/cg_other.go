//go:build !amd64

package kernel

func affine(dst, src []float32, scale, shift float32) { affineGeneric(dst, src, scale, shift) }

func cgStart(r, dl, inv, x, d []float32, ridge float32) { cgStartGeneric(r, dl, inv, x, d, ridge) }

func cgNorm(r, inv []float32) float32 { return cgNormGeneric(r, inv) }

func cgDirection(p, ap, r, inv, dl []float32, beta float32) {
	cgDirectionGeneric(p, ap, r, inv, dl, beta)
}

func cgStep(x, r, p, ap, inv []float32, alpha float32) float32 {
	return cgStepGeneric(x, r, p, ap, inv, alpha)
}
