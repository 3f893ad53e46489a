// Package itemitem scores items by what they have in common with a person's past
// items: a neighbourhood model (Sarwar et al., "Item-Based Collaborative Filtering
// Recommendation Algorithms", 2001).
//
// Let v_ui be the strength of person u on item i (1 with Binary), divided by
// |S_u|^β (β = PersonExponent, S_u the person's items), so that people who use everything say less
// about what belongs together. The similarity of target item i and past item j is
//
//	s_ij = Σ_u v_ui v_uj / (|v_i|^2α · |v_j|^2(1−α) + shrink),   s_ii = 0,
//
// the cosine of their columns for α = ½ and shrink = 0; α = Asymmetry above ½ favours rarer
// targets. Each item keeps its Neighbours largest similarities, as target or as past item (Cut), and
//
//	score(i) = Σ_{j in history} r_j · s_ij.
//
// Invariants: a Model is immutable; every kept similarity is positive and finite; the same
// matrix and configuration give the same bytes for any worker count.
package itemitem
