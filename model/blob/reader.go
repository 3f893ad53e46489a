package blob

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// ErrTruncated: the encoding ends before its contents do.
var ErrTruncated = errors.New("truncated")

// Reader takes an encoding apart. After the first error every method returns a
// zero value; Close reports that error. Slices it returns are fresh copies.
type Reader struct {
	b   []byte
	err error
}

// Open starts reading b and checks its version byte.
func Open(b []byte, version byte) *Reader {
	r := &Reader{b: b}
	if got := r.take(1); got != nil && got[0] != version {
		r.Fail(fmt.Errorf("version %d: this build reads %d", got[0], version))
	}
	return r
}

// Fail records err, unless an earlier error is recorded already.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err, r.b = err, nil
	}
}

// Err is the first error so far. Check it before using a decoded value as a size.
func (r *Reader) Err() error { return r.err }

// Close returns the first error, or one if bytes are left over.
func (r *Reader) Close() error {
	if r.err == nil && len(r.b) != 0 {
		r.err = fmt.Errorf("%d bytes after the end", len(r.b))
	}
	return r.err
}

// take splits n bytes off, or fails and returns nil.
func (r *Reader) take(n int) []byte {
	if r.err != nil {
		return nil
	}
	if n < 0 || n > len(r.b) {
		r.Fail(ErrTruncated)
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

// Count reads a minimal uvarint that fits an int32.
func (r *Reader) Count() int {
	if r.err != nil {
		return 0
	}
	x, n := binary.Uvarint(r.b)
	switch {
	case n <= 0:
		r.Fail(ErrTruncated)
		return 0
	case n > 1 && r.b[n-1] == 0:
		r.Fail(errors.New("a count is not in its shortest form"))
		return 0
	case x > math.MaxInt32:
		r.Fail(fmt.Errorf("count %d: at most %d is possible", x, math.MaxInt32))
		return 0
	}
	r.b = r.b[n:]
	return int(x)
}

// length reads a count of things that take at least size bytes each.
func (r *Reader) length(size int) int {
	n := r.Count()
	if n > len(r.b)/size {
		r.Fail(ErrTruncated)
		return 0
	}
	return n
}

// Int64 reads eight bytes.
func (r *Reader) Int64() int64 {
	b := r.take(8)
	if b == nil {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(b))
}

// Float64 reads a finite float64; anything else is an error.
func (r *Reader) Float64() float64 {
	x := math.Float64frombits(uint64(r.Int64()))
	if math.IsNaN(x) || math.IsInf(x, 0) {
		r.Fail(fmt.Errorf("number %v is not finite", x))
		return 0
	}
	return x
}

// Bool reads one byte, which must be 0 or 1.
func (r *Reader) Bool() bool {
	b := r.take(1)
	if b == nil {
		return false
	}
	if b[0] > 1 {
		r.Fail(fmt.Errorf("truth value %d: must be 0 or 1", b[0]))
		return false
	}
	return b[0] == 1
}

// String reads a string.
func (r *Reader) String() string { return string(r.take(r.length(1))) }

// Strings reads a list of strings.
func (r *Reader) Strings() []string {
	return list(r, 1, r.String)
}

// Counts reads a list of counts.
func (r *Reader) Counts() []int { return list(r, 1, r.Count) }

// Int32s reads a list of int32.
func (r *Reader) Int32s() []int32 {
	b := r.take(4 * r.length(4))
	out := make([]int32, len(b)/4)
	for i := range out {
		out[i] = int32(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return out
}

// Int64s reads a list of int64.
func (r *Reader) Int64s() []int64 { return list(r, 8, r.Int64) }

// Float32s reads a list of float32, all finite.
func (r *Reader) Float32s() []float32 {
	b := r.take(4 * r.length(4))
	out := make([]float32, len(b)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
		if x := float64(out[i]); math.IsNaN(x) || math.IsInf(x, 0) {
			r.Fail(fmt.Errorf("number %v is not finite", x))
			return nil
		}
	}
	return out
}

// Float64s reads a list of float64, all finite.
func (r *Reader) Float64s() []float64 { return list(r, 8, r.Float64) }

// Bools reads a list of truth values.
func (r *Reader) Bools() []bool { return list(r, 1, r.Bool) }

// list reads a count and that many values of at least size bytes each.
func list[T any](r *Reader, size int, next func() T) []T {
	n := r.length(size)
	out := make([]T, 0, n)
	for range n {
		out = append(out, next())
	}
	if r.err != nil {
		return nil
	}
	return out
}
