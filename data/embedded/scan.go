package embedded

import (
	"bytes"
	"context"
	"errors"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"kindred/data"
)

// setter is the part of a batch that adds a value.
type setter interface {
	Set(key, value []byte, o *pebble.WriteOptions) error
}

// begin checks that a call may run and finds its partition. On success the caller
// must call s.users.leave.
func (s *Store) begin(ctx context.Context, partition int32) (*partition, error) {
	part, err := s.partition(partition)
	if err != nil {
		return nil, err
	}
	return part, s.enter(ctx)
}

func (s *Store) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.users.enter()
}

// get reads one value, copied; data.ErrNotFound when there is none.
func (s *Store) get(r pebble.Reader, key []byte) ([]byte, error) {
	v, closer, err := r.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, data.ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	return append([]byte{}, v...), closer.Close()
}

// getAll calls fn with the number and value of every key that is there, by key; the
// others are skipped. A value is only valid during the call. One iterator over the
// sorted keys costs half of as many gets: each get would look up the tables of all
// levels again, and neighbours share blocks.
func (s *Store) getAll(r pebble.Reader, keys [][]byte, fn func(i int, v []byte) error) (err error) {
	if len(keys) == 0 {
		return nil
	}
	order := make([]int, len(keys))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return bytes.Compare(keys[i], keys[j]) })
	it, err := r.NewIter(nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	for _, i := range order {
		if !it.SeekPrefixGE(keys[i]) || !bytes.Equal(it.Key(), keys[i]) {
			if err := it.Error(); err != nil {
				return err
			}
			continue
		}
		v, err := it.ValueAndErr()
		if err == nil {
			err = fn(i, v)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// scan calls fn for every key in [lower, upper) until it says no more. Key and
// value are only valid during the call.
func (s *Store) scan(ctx context.Context, r pebble.Reader, lower, upper []byte, fn func(key, value []byte) (more bool, err error)) (err error) {
	it, err := r.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	n := 0
	for ok := it.First(); ok; ok = it.Next() {
		if n++; n%256 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		v, err := it.ValueAndErr()
		if err != nil {
			return err
		}
		if more, err := fn(it.Key(), v); err != nil || !more {
			return err
		}
	}
	return it.Error()
}

// scanPrefix is scan over all keys that start with prefix.
func (s *Store) scanPrefix(ctx context.Context, r pebble.Reader, prefix []byte, fn func(key, value []byte) (more bool, err error)) error {
	return s.scan(ctx, r, prefix, prefixEnd(prefix), fn)
}

// first and last are the ends of the keys that start with prefix; nil if none do.
func (s *Store) first(prefix []byte) ([]byte, error) {
	return s.edge(prefix, (*pebble.Iterator).First)
}

func (s *Store) last(prefix []byte) ([]byte, error) {
	return s.edge(prefix, (*pebble.Iterator).Last)
}

func (s *Store) edge(prefix []byte, seek func(*pebble.Iterator) bool) (_ []byte, err error) {
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: prefix, UpperBound: prefixEnd(prefix)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	if !seek(it) {
		return nil, it.Error()
	}
	return bytes.Clone(it.Key()), nil
}
