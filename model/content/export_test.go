package content

// Defer makes m defer all profiles that are not cheap.
func (m *Model) Defer() { m.common.direct = 0 }
