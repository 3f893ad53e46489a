package blob

import (
	"encoding/binary"
	"math"
)

// Writer builds an encoding. The zero value is not useful; see NewWriter.
type Writer struct{ b []byte }

// NewWriter starts an encoding with its version byte.
func NewWriter(version byte) *Writer { return &Writer{b: []byte{version}} }

// Bytes is the encoding so far.
func (w *Writer) Bytes() []byte { return w.b }

// Count appends a count n ≥ 0 as a minimal uvarint.
func (w *Writer) Count(n int) {
	if n < 0 {
		panic("blob: a negative count")
	}
	w.b = binary.AppendUvarint(w.b, uint64(n))
}

// Int64 appends x as eight bytes.
func (w *Writer) Int64(x int64) { w.b = binary.LittleEndian.AppendUint64(w.b, uint64(x)) }

// Float64 appends the bits of x.
func (w *Writer) Float64(x float64) {
	w.b = binary.LittleEndian.AppendUint64(w.b, math.Float64bits(x))
}

// Bool appends one byte, 0 or 1.
func (w *Writer) Bool(x bool) {
	v := byte(0)
	if x {
		v = 1
	}
	w.b = append(w.b, v)
}

// String appends the count of bytes, then the bytes.
func (w *Writer) String(s string) {
	w.Count(len(s))
	w.b = append(w.b, s...)
}

// Strings appends the count, then each string.
func (w *Writer) Strings(s []string) {
	w.Count(len(s))
	for _, v := range s {
		w.String(v)
	}
}

// Counts appends how many there are, then each as a uvarint.
func (w *Writer) Counts(s []int) {
	w.Count(len(s))
	for _, v := range s {
		w.Count(v)
	}
}

// Int32s appends the count, then four bytes each.
func (w *Writer) Int32s(s []int32) {
	w.Count(len(s))
	for _, v := range s {
		w.b = binary.LittleEndian.AppendUint32(w.b, uint32(v))
	}
}

// Int64s appends the count, then eight bytes each.
func (w *Writer) Int64s(s []int64) {
	w.Count(len(s))
	for _, v := range s {
		w.Int64(v)
	}
}

// Float32s appends the count, then the bits of each.
func (w *Writer) Float32s(s []float32) {
	w.Count(len(s))
	for _, v := range s {
		w.b = binary.LittleEndian.AppendUint32(w.b, math.Float32bits(v))
	}
}

// Float64s appends the count, then the bits of each.
func (w *Writer) Float64s(s []float64) {
	w.Count(len(s))
	for _, v := range s {
		w.Float64(v)
	}
}

// Bools appends the count, then one byte each.
func (w *Writer) Bools(s []bool) {
	w.Count(len(s))
	for _, v := range s {
		w.Bool(v)
	}
}
