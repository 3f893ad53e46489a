package itemitem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"kindred/model/sparse"
)

// The first byte of an encoded model. A cosine is still written as the first version has
// it, so that a build from before EASE reads what was trained since.
const (
	versionCosine = 1
	versionEASE   = 2
)

// The lengths of everything before the lists: version, flags, n, and the report of EASE.
const (
	codecHeader = 1 + 1 + 4
	codecReport = 3*4 + 3*8
)

// MarshalBinary encodes the model, little-endian: version byte, flags byte (bit 0:
// binary), uint32 n, then for each item uint32 count, count × uint32 row, count × float32 similarity.
// Version 1 is a cosine; version 2 is EASE and has the report before the lists: uint32 dense, support
// and parts, float64 kept, condition and residual.
func (m *Model) MarshalBinary() ([]byte, error) {
	b := make([]byte, 0, codecHeader+codecReport+4*m.near.Rows+8*m.near.NNZ())
	version, flags := byte(versionCosine), byte(0)
	if m.report.Method == MethodEASE {
		version = versionEASE
	}
	if m.binary {
		flags = 1
	}
	b = append(b, version, flags)
	b = binary.LittleEndian.AppendUint32(b, uint32(m.near.Rows))
	if r := m.report; version == versionEASE {
		for _, v := range []int{r.Dense, r.Support, r.Parts} {
			b = binary.LittleEndian.AppendUint32(b, uint32(v))
		}
		for _, v := range []float64{r.Kept, r.Condition, r.Residual} {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
	}
	for i := range m.near.Rows {
		rows, similarity := m.near.Row(i)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(rows)))
		for _, row := range rows {
			b = binary.LittleEndian.AppendUint32(b, uint32(row))
		}
		for _, s := range similarity {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(s))
		}
	}
	return b, nil
}

// UnmarshalBinary replaces m by the encoded model. It refuses an unknown version,
// bytes that are too few or too many, rows out of range or order, a report that cannot be,
// and similarities that are not finite, or not positive: those of EASE may be negative, not zero.
func (m *Model) UnmarshalBinary(b []byte) error {
	if len(b) == 0 {
		return errors.New("decode itemitem: no bytes")
	}
	version := b[0]
	if version != versionCosine && version != versionEASE {
		return fmt.Errorf("decode itemitem: version %d: this build reads %d and %d", version, versionCosine, versionEASE)
	}
	header := codecHeader
	if version == versionEASE {
		header += codecReport
	}
	if len(b) < header {
		return fmt.Errorf("decode itemitem: %d bytes: the header alone has %d", len(b), header)
	}
	flags, n := b[1], binary.LittleEndian.Uint32(b[2:])
	if flags > 1 {
		return fmt.Errorf("decode itemitem: flags %d: this build reads 0 and 1", flags)
	}
	if uint64(len(b)-header) < 4*uint64(n) || n > math.MaxInt32 {
		return fmt.Errorf("decode itemitem: %d bytes do not hold %d items", len(b)-header, n)
	}
	report := Report{Method: MethodCosine, Items: int(n)}
	if version == versionEASE {
		var err error
		if report, err = readReport(b[codecHeader:header], int(n)); err != nil {
			return fmt.Errorf("decode itemitem: %w", err)
		}
	}
	near, err := readLists(b[header:], int(n), version == versionEASE)
	if err != nil {
		return fmt.Errorf("decode itemitem: %w", err)
	}
	*m = *newModel(flags == 1, report, near)
	return nil
}

// readReport reads the report of EASE.
func readReport(b []byte, n int) (Report, error) {
	r := Report{Method: MethodEASE, Items: n}
	for i, to := range []*int{&r.Dense, &r.Support, &r.Parts} {
		v := binary.LittleEndian.Uint32(b[4*i:])
		if v > uint32(n) {
			return r, fmt.Errorf("report: %d of %d items", v, n)
		}
		*to = int(v)
	}
	for i, to := range []*float64{&r.Kept, &r.Condition, &r.Residual} {
		v := math.Float64frombits(binary.LittleEndian.Uint64(b[12+8*i:]))
		if !(v >= 0) || math.IsInf(v, 1) || math.Signbit(v) {
			return r, fmt.Errorf("report: %v is not a finite number from 0", v)
		}
		*to = v
	}
	return r, nil
}

// readLists reads the lists of n items, which must fill b.
func readLists(b []byte, n int, signed bool) (*sparse.CSR, error) {
	near := &sparse.CSR{Rows: n, Cols: n, Ptr: make([]int64, n+1)}
	for i := range n {
		if len(b) < 4 {
			return nil, fmt.Errorf("item %d is missing", i)
		}
		count := binary.LittleEndian.Uint32(b)
		b = b[4:]
		if uint64(len(b)) < 8*uint64(count) {
			return nil, fmt.Errorf("item %d: %d neighbours do not fit into %d bytes", i, count, len(b))
		}
		for range count {
			near.Col = append(near.Col, int32(binary.LittleEndian.Uint32(b)))
			b = b[4:]
		}
		for k := range count {
			s := math.Float32frombits(binary.LittleEndian.Uint32(b))
			if size := math.Abs(float64(s)); !(size > 0) || size > math.MaxFloat32 || s < 0 && !signed {
				return nil, fmt.Errorf("item %d: similarity %d is %v: must be positive and finite, or of ease and not zero", i, k, s)
			}
			near.Val = append(near.Val, s)
			b = b[4:]
		}
		near.Ptr[i+1] = int64(len(near.Col))
	}
	if len(b) != 0 {
		return nil, fmt.Errorf("%d bytes after the last item", len(b))
	}
	return near, near.Validate()
}
