package embedded

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"kindred/data"
)

// DumpState writes the derived state of a partition as one canonical stream: equal
// states give equal bytes, whatever order they were saved in, in whatever space and
// directory. It is what `kindred replay --verify` compares.
//
// The stream is a line "kindred state 1", then for every entry, by table and key,
// the table's byte, the key after the partition and the value, both with a uvarint
// length before them. Tables are in the order of keys.go; the identity index is
// last and has the entries that the partition wrote last. The log, dead letters and
// the firing order of timers (which follows from the timers) are left out.
func (s *Store) DumpState(ctx context.Context, partition int32, w io.Writer) (err error) {
	if _, err := s.begin(ctx, partition); err != nil {
		return fmt.Errorf("dump state: %w", err)
	}
	defer s.users.leave()
	snap := s.db.NewSnapshot()
	defer func() { err = errors.Join(err, snap.Close()) }()
	out := bufio.NewWriterSize(w, 1<<16)
	out.WriteString("kindred state 1\n") // bufio keeps the error for Flush
	entry := func(table byte, key, v []byte) error {
		var n [binary.MaxVarintLen64]byte
		out.WriteByte(table)
		out.Write(n[:binary.PutUvarint(n[:], uint64(len(key)))])
		out.Write(key)
		out.Write(n[:binary.PutUvarint(n[:], uint64(len(v)))])
		_, err := out.Write(v)
		return err
	}
	for _, t := range []byte(derivedTables) {
		prefix := s.keys.part(t, partition)
		if err := s.scanPrefix(ctx, snap, prefix, func(key, v []byte) (bool, error) {
			return true, entry(t, key[len(prefix):], v)
		}); err != nil {
			return fmt.Errorf("dump state: partition %d: %w", partition, err)
		}
	}
	prefix := s.keys.part(tableOwned, partition)
	err = s.scanPrefix(ctx, snap, prefix, func(key, _ []byte) (bool, error) {
		v, err := s.get(snap, append(s.keys.table(tableIndex), key[len(prefix):]...))
		if errors.Is(err, data.ErrNotFound) {
			return true, nil
		}
		if err != nil || len(v) < 4 || int32(binary.BigEndian.Uint32(v)) != partition {
			return true, err
		}
		return true, entry(tableIndex, key[len(prefix):], v[4:])
	})
	if err != nil {
		return fmt.Errorf("dump state: partition %d: %w", partition, err)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("dump state: partition %d: %w", partition, err)
	}
	return nil
}
