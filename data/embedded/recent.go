package embedded

// recent is a map of what was asked for or written lately, bounded by bytes: a
// generation is filled, then becomes the old one, whose entries move over when they
// are asked for, and is dropped when the next is full. It is not safe for concurrent
// use.
type recent[K comparable, V any] struct {
	limit      int            // bytes of a generation
	size       func(K, V) int // of an entry
	own        func(K) K      // a copy of the key to keep: the one asked with may be part of something large
	young, old map[K]V
	bytes      int // of young
}

// mapOverhead is about what an entry of a map takes beside what its key and value
// point to: both, and the slot's share of the table.
const mapOverhead = 96

func (r *recent[K, V]) find(k K) (v V, known bool) {
	if v, known = r.young[k]; known {
		return v, true
	}
	if v, known = r.old[k]; known {
		r.put(k, v)
	}
	return v, known
}

// put keeps an entry.
func (r *recent[K, V]) put(k K, v V) {
	r.drop(k)
	k = r.own(k)
	if r.young == nil {
		r.young = make(map[K]V)
	}
	r.young[k] = v
	if r.bytes += r.size(k, v); r.bytes > r.limit {
		r.old, r.young, r.bytes = r.young, nil, 0
	}
}

// drop forgets an entry.
func (r *recent[K, V]) drop(k K) {
	if v, known := r.young[k]; known {
		r.bytes -= r.size(k, v)
		delete(r.young, k)
	}
	delete(r.old, k)
}

// clear forgets everything.
func (r *recent[K, V]) clear() { r.young, r.old, r.bytes = nil, nil, 0 }
