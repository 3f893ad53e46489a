package assemble

// DropRepeats removes acts that are equal to an earlier one in everything, time
// included, and says how many. A log holds a message again when a client repeated
// it, or when it was forwarded to the profile that its person was merged into; the
// fold applies it once, and so must training. Two acts of one person on one item,
// of one kind, in the same millisecond count as one message. Acts without a time
// stay: nothing tells them apart. Cost is one pass; acts of one moment are compared
// with each other.
func (t *Table) DropRepeats() int {
	kept := t.Acts[:0]
	moment := 0 // where the acts of the present person and time begin in kept
	for _, a := range t.Acts {
		if len(kept) == moment || kept[moment].Person != a.Person || kept[moment].At != a.At {
			moment = len(kept)
		}
		repeat := false
		for _, b := range kept[moment:] {
			repeat = repeat || a.Timed() && a == b
		}
		if !repeat {
			kept = append(kept, a)
		}
	}
	dropped := len(t.Acts) - len(kept)
	t.Acts = kept
	return dropped
}
