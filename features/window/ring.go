package window

import "slices"

// AddRing puts event time t into the ring, oldest first, and keeps the newest n.
// The ring is changed in place where it has room.
func AddRing(ring []int64, t int64, n int) []int64 {
	i, _ := slices.BinarySearch(ring, t)
	if len(ring) >= n {
		if i == 0 {
			return ring // older than everything in a full ring
		}
		copy(ring, ring[1:i])
		ring[i-1] = t
		return ring
	}
	return slices.Insert(ring, i, t)
}

// MergeRings keeps the newest n times of both.
func MergeRings(a, b []int64, n int) []int64 {
	out := slices.Concat(a, b)
	slices.Sort(out)
	if len(out) > n {
		out = slices.Delete(out, 0, len(out)-n)
	}
	return out
}

// CountRing is the number of times in (now−w, now], w in milliseconds.
func CountRing(ring []int64, now, w int64) int {
	from, _ := slices.BinarySearch(ring, now-w+1)
	to, _ := slices.BinarySearch(ring, now+1)
	return max(0, to-from)
}
