package retrieve

// greatest moves the k greatest of the distinct keys to the front, in any order:
// Hoare's selection with the median of three as pivot.
func greatest(keys []uint64, k int) {
	from, to := 0, len(keys) // the k-th is within
	for to-from > 1 && k > from && k < to {
		pivot := median(keys[from], keys[(from+to)/2], keys[to-1])
		i, j := from, to-1
		for i <= j {
			for keys[i] > pivot {
				i++
			}
			for keys[j] < pivot {
				j--
			}
			if i <= j {
				keys[i], keys[j] = keys[j], keys[i]
				i++
				j--
			}
		}
		switch { // [from, j] ≥ pivot ≥ [i, to)
		case k <= j:
			to = j + 1
		case k >= i:
			from = i
		default:
			return
		}
	}
}

func median(a, b, c uint64) uint64 {
	return max(min(a, b), min(max(a, b), c))
}
