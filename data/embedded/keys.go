package embedded

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"kindred/data"
)

// All keys of the pebble instance:
//
//	space 00 m name                              → JSON        format, and drop/<partition> while a drop runs
//	space 00 l partition offset                  → record      the log
//	space 00 s partition                         → cursor+state
//	space 00 p partition profile                 → profile
//	space 00 d partition day profile             → hashes      ids of live events; the day leads, so that old days go in one range
//	space 00 k partition profile day             → hashes      ids of imported events, kept for good
//	space 00 t partition profile* slot           → at          timers by identity, so that one can be moved or cleared
//	space 00 u partition at profile* slot        →             timers in firing order
//	space 00 c partition key                     → counter
//	space 00 g partition offset k                → JSON        changes
//	space 00 e partition offset                  → record      late events
//	space 00 i kind* id                          → partition+profile   identity index
//	space 00 o partition kind* id                →             which index entries a partition wrote, for DropState
//	space 00 x seq                               → JSON        dead letters
//
// Numbers are big endian, so that byte order is number order: partition 4 bytes,
// offset and seq 8, k 4; day (4) and at (8) are signed and have their sign bit
// flipped. A name marked * is escaped (00 becomes 00 FF) and ended by 00 01, which
// keeps byte order and lets another part follow; the last part of a key is raw.
// A space has no 00 byte, so no space's keys lie among another's.
const (
	tableMeta     = 'm'
	tableLog      = 'l'
	tableState    = 's'
	tableProfile  = 'p'
	tableDedup    = 'd'
	tableImported = 'k'
	tableTimer    = 't'
	tableDue      = 'u'
	tableCounter  = 'c'
	tableChange   = 'g'
	tableLate     = 'e'
	tableIndex    = 'i'
	tableOwned    = 'o'
	tableDead     = 'x'
)

// derivedTables are the tables of a partition that its fold writes and DropState
// empties by range, in the order DumpState writes them. The identity index is
// derived too, but ordered by identifier; tableDue follows from tableTimer.
const derivedTables = "spdktcge"

// formatVersion counts incompatible changes of this file.
const formatVersion = 1

// keys builds the keys of one space.
type keys struct {
	space data.Space
}

// table starts a key: the space, then the table.
func (k keys) table(t byte) []byte {
	b := make([]byte, 0, 64)
	b = append(b, k.space...)
	return append(b, 0, t)
}

// part starts a key of a table that is split by partition.
func (k keys) part(t byte, partition int32) []byte {
	return binary.BigEndian.AppendUint32(k.table(t), uint32(partition))
}

func (k keys) meta(name string) []byte { return append(k.table(tableMeta), name...) }

func (k keys) log(partition int32, offset int64) []byte {
	return binary.BigEndian.AppendUint64(k.part(tableLog, partition), uint64(offset))
}

func (k keys) state(partition int32) []byte { return k.part(tableState, partition) }

func (k keys) profile(partition int32, id data.ProfileID) []byte {
	return append(k.part(tableProfile, partition), id...)
}

// dedupDay starts the keys of live ids of one day.
func (k keys) dedupDay(partition, day int32) []byte {
	return appendInt32(k.part(tableDedup, partition), day)
}

func (k keys) dedup(partition int32, d data.DedupKey) []byte {
	if !d.Imported {
		return append(k.dedupDay(partition, d.Day), d.Profile...)
	}
	// The day has a fixed length, so the name before it needs no end mark.
	return appendInt32(append(k.part(tableImported, partition), d.Profile...), d.Day)
}

func (k keys) timer(partition int32, t data.Timer) []byte {
	return append(appendName(k.part(tableTimer, partition), string(t.Profile)), t.Slot...)
}

func (k keys) due(partition int32, t data.Timer) []byte {
	b := appendInt64(k.part(tableDue, partition), t.At)
	return append(appendName(b, string(t.Profile)), t.Slot...)
}

func (k keys) counter(partition int32, key string) []byte {
	return append(k.part(tableCounter, partition), key...)
}

func (k keys) change(partition int32, offset int64, n int32) []byte {
	b := binary.BigEndian.AppendUint64(k.part(tableChange, partition), uint64(offset))
	return binary.BigEndian.AppendUint32(b, uint32(n))
}

func (k keys) late(partition int32, offset int64) []byte {
	return binary.BigEndian.AppendUint64(k.part(tableLate, partition), uint64(offset))
}

func (k keys) indexKind(kind data.IDKind) []byte {
	return appendName(k.table(tableIndex), string(kind))
}

func (k keys) index(kind data.IDKind, id string) []byte { return append(k.indexKind(kind), id...) }

func (k keys) owned(partition int32, kind data.IDKind, id string) []byte {
	return append(appendName(k.part(tableOwned, partition), string(kind)), id...)
}

func (k keys) dead(seq uint64) []byte {
	return binary.BigEndian.AppendUint64(k.table(tableDead), seq)
}

// parseDue is the inverse of due, for what follows its partition prefix.
func parseDue(rest []byte) (data.Timer, error) {
	if len(rest) < 8 {
		return data.Timer{}, errKey
	}
	name, slot, err := cutName(rest[8:])
	if err != nil {
		return data.Timer{}, err
	}
	return data.Timer{At: readInt64(rest), Profile: data.ProfileID(name), Slot: string(slot)}, nil
}

var errKey = errors.New("malformed key; the store is damaged")

// prefixEnd is the first key after all keys that start with prefix.
func prefixEnd(prefix []byte) []byte {
	end := bytes.Clone(prefix)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i]++; end[i] != 0 {
			return end[:i+1]
		}
	}
	return nil
}

// after is the smallest key greater than key.
func after(key []byte) []byte { return append(bytes.Clone(key), 0) }

// appendName appends an escaped, ended name.
func appendName(b []byte, name string) []byte {
	for i := range len(name) {
		if b = append(b, name[i]); name[i] == 0 {
			b = append(b, 0xff)
		}
	}
	return append(b, 0, 1)
}

// cutName is the inverse of appendName; rest follows the name.
func cutName(b []byte) (name, rest []byte, err error) {
	for i := 0; i < len(b); i++ {
		if b[i] != 0 {
			name = append(name, b[i])
			continue
		}
		switch {
		case i+1 < len(b) && b[i+1] == 1:
			return name, b[i+2:], nil
		case i+1 < len(b) && b[i+1] == 0xff:
			name = append(name, 0)
			i++
		default:
			return nil, nil, errKey
		}
	}
	return nil, nil, errKey
}

func appendInt32(b []byte, v int32) []byte {
	return binary.BigEndian.AppendUint32(b, uint32(v)^1<<31)
}

func appendInt64(b []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(b, uint64(v)^1<<63)
}

func readInt64(b []byte) int64 { return int64(binary.BigEndian.Uint64(b) ^ 1<<63) }

// appendHashes encodes dedup hashes, 8 bytes each.
func appendHashes(b []byte, hashes []uint64) []byte {
	for _, h := range hashes {
		b = binary.BigEndian.AppendUint64(b, h)
	}
	return b
}

func parseHashes(b []byte) ([]uint64, error) {
	if len(b)%8 != 0 {
		return nil, fmt.Errorf("dedup ids have %d bytes, not a multiple of 8; the store is damaged", len(b))
	}
	hashes := make([]uint64, 0, len(b)/8)
	for ; len(b) > 0; b = b[8:] {
		hashes = append(hashes, binary.BigEndian.Uint64(b))
	}
	return hashes, nil
}
