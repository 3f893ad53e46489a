package features

import (
	"cmp"
	"slices"

	"kindred/data"
	"kindred/features/session"
	"kindred/features/window"
)

// Merge is p with everything that other's events added: what folding both
// histories into one profile would give. p keeps its id, its position and its
// merge log; clusters are p's, to be assigned anew.
//
// It is commutative and associative on counts, slots, traits, identifiers, history
// and recents, up to rounding on decayed sums, and up to what the caps cut off;
// sessions are commutative, and associative where at most two are kept.
// Neither argument is changed, but the result may share memory with p.
func (b *Builder) Merge(p, other data.Profile) data.Profile {
	out := p
	out.FirstSeen = earliest(p.FirstSeen, other.FirstSeen)
	out.LastSeen = max(p.LastSeen, other.LastSeen)
	out.Identity = mergeIdentity(p.Identity, other.Identity)
	out.Traits = slices.Clone(p.Traits)
	for _, t := range other.Traits {
		out.Traits = putTrait(out.Traits, t)
	}
	out.Slots = b.mergeSlots(p.Slots, other.Slots)
	out.Affinities = mergeAffinities(p.Affinities, other.Affinities, b.cfg.AffinityCap)
	out.Engagement = window.MergeDecayed(p.Engagement, other.Engagement, EngagementHalfLife)
	s := session.Merge(
		session.Sessions{Current: p.Session, Previous: p.Previous, Count: p.Sessions},
		session.Sessions{Current: other.Session, Previous: other.Previous, Count: other.Sessions}, b.gap)
	out.Session, out.Previous, out.Sessions = s.Current, s.Previous, s.Count
	out.Recent = slices.Clone(p.Recent)
	for _, r := range other.Recent {
		out.Recent = putRecent(out.Recent, r, b.cfg.RecentCap)
	}
	out.History = mergeHistory(p.History, other.History, b.cfg.HistoryCap)
	if len(out.Consent) == 0 {
		out.Consent = other.Consent
	}
	limitIDs(&out, b.cfg.Identity.MaxIDs)
	shrink(&out, b.cfg.MaxProfileBytes)
	return out
}

func earliest(a, b int64) int64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

func mergeIdentity(a, b []data.Identifier) []data.Identifier {
	out := slices.Clone(a)
	for _, id := range b {
		i, found := slices.BinarySearchFunc(out, id, compareIDs)
		if !found {
			out = slices.Insert(out, i, id)
			continue
		}
		out[i].FirstSeen, out[i].LastSeen = min(out[i].FirstSeen, id.FirstSeen), max(out[i].LastSeen, id.LastSeen)
	}
	return out
}

// mergeSlots adds the slots of both. A slot that this build does not define is
// kept from a, else from b.
func (b *Builder) mergeSlots(x, y []data.Slot) []data.Slot {
	out := slices.Clone(x)
	for _, s := range y {
		i, found := findSlot(out, s.ID)
		if !found {
			out = slices.Insert(out, i, s)
			continue
		}
		if d, known := slices.BinarySearchFunc(b.slots, s.ID, func(a slot, id uint64) int { return cmp.Compare(a.id, id) }); known {
			out[i] = b.slots[d].merge(out[i], s)
		}
	}
	return out
}

func mergeHistory(a, b []data.HistoryItem, limit int) []data.HistoryItem {
	at := make(map[data.ItemID]int, len(a)+len(b))
	out := make([]data.HistoryItem, 0, len(a)+len(b))
	for _, h := range slices.Concat(a, b) {
		if i, ok := at[h.Item]; ok {
			out[i] = mergeHistoryItem(out[i], h)
			continue
		}
		at[h.Item] = len(out)
		out = append(out, h)
	}
	slices.SortFunc(out, compareHistory)
	if len(out) == 0 {
		return nil
	}
	return out[:min(len(out), limit)]
}
