package content

// Frequent makes m leave out no more than the frequent terms of a profile, Many all of the many.
func (m *Model) Frequent() { m.common.force = &m.common.frequent }
func (m *Model) Many()     { m.common.force = &m.common.many }
