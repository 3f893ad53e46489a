package itemitem

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"kindred/model/sparse"
)

// codecVersion is the first byte of an encoded model.
const codecVersion = 1

// codecHeader is the length of everything before the lists: version, flags, n.
const codecHeader = 1 + 1 + 4

// MarshalBinary encodes the model, little-endian: version byte, flags byte (bit 0:
// binary), uint32 n, then for each item uint32 count, count × uint32 row, count × float32 similarity.
func (m *Model) MarshalBinary() ([]byte, error) {
	b := make([]byte, 0, codecHeader+4*m.near.Rows+8*m.near.NNZ())
	flags := byte(0)
	if m.binary {
		flags = 1
	}
	b = append(b, codecVersion, flags)
	b = binary.LittleEndian.AppendUint32(b, uint32(m.near.Rows))
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
// bytes that are too few or too many, rows out of range or order, and similarities
// that are not positive and finite.
func (m *Model) UnmarshalBinary(b []byte) error {
	if len(b) == 0 {
		return errors.New("decode itemitem: no bytes")
	}
	if b[0] != codecVersion {
		return fmt.Errorf("decode itemitem: version %d: this build reads %d", b[0], codecVersion)
	}
	if len(b) < codecHeader {
		return fmt.Errorf("decode itemitem: %d bytes: the header alone has %d", len(b), codecHeader)
	}
	flags, n := b[1], binary.LittleEndian.Uint32(b[2:])
	if flags > 1 {
		return fmt.Errorf("decode itemitem: flags %d: this build reads 0 and 1", flags)
	}
	b = b[codecHeader:]
	if uint64(len(b)) < 4*uint64(n) || n > math.MaxInt32 {
		return fmt.Errorf("decode itemitem: %d bytes do not hold %d items", len(b), n)
	}
	near := &sparse.CSR{Rows: int(n), Cols: int(n), Ptr: make([]int64, n+1)}
	for i := range int(n) {
		if len(b) < 4 {
			return fmt.Errorf("decode itemitem: item %d is missing", i)
		}
		count := binary.LittleEndian.Uint32(b)
		b = b[4:]
		if uint64(len(b)) < 8*uint64(count) {
			return fmt.Errorf("decode itemitem: item %d: %d neighbours do not fit into %d bytes", i, count, len(b))
		}
		for range count {
			near.Col = append(near.Col, int32(binary.LittleEndian.Uint32(b)))
			b = b[4:]
		}
		for k := range count {
			s := math.Float32frombits(binary.LittleEndian.Uint32(b))
			if !(s > 0) || s > math.MaxFloat32 {
				return fmt.Errorf("decode itemitem: item %d: similarity %d is %v: must be positive and finite", i, k, s)
			}
			near.Val = append(near.Val, s)
			b = b[4:]
		}
		near.Ptr[i+1] = int64(len(near.Col))
	}
	if len(b) != 0 {
		return fmt.Errorf("decode itemitem: %d bytes after the last item", len(b))
	}
	if err := near.Validate(); err != nil {
		return fmt.Errorf("decode itemitem: %w", err)
	}
	*m = *newModel(flags == 1, near)
	return nil
}
