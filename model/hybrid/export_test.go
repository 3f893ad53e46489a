package hybrid

import "kindred/model/retrieve"

// Mask is how the set is laid out by now.
func (r *RowSet) Mask() *retrieve.Mask { return r.mask.Load() }
