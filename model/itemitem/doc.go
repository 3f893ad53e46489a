// Package itemitem scores items by what they have in common with a person's past
// items. Whatever the method, a model is a sparse matrix s and
//
//	score(i) = Σ_{j in history} r_j · s_ij.
//
// Let v_ui be the strength of person u on item i (1 with Binary), divided by
// |S_u|^β (β = PersonExponent, S_u the person's items), so that people who use everything say less
// about what belongs together.
//
// MethodCosine is a neighbourhood model (Sarwar et al., "Item-Based Collaborative Filtering
// Recommendation Algorithms", 2001). The similarity of target item i and past item j is
//
//	s_ij = Σ_u v_ui v_uj / (|v_i|^2α · |v_j|^2(1−α) + shrink),   s_ii = 0,
//
// the cosine of their columns for α = ½ and shrink = 0; α = Asymmetry above ½ favours rarer
// targets.
//
// MethodEASE is the linear model of every item by all others that has the least squared error
// (H. Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019): S minimises
// |V − VSᵀ|² + Σ_ij Λ_jj s_ij² under s_ii = 0, which is
//
//	s_ij = −P_ij / P_ii,   P = (VᵀV + Λ)⁻¹,   Λ_jj = λ + p/(1−p)·|v_j|²,
//
// where λ = Regularization and p = Dropout; the second term is what hiding past items at random
// comes to (H. Steck, "Autoencoders that don't overfit towards the Identity", NeurIPS 2020).
// P is computed in float32, in place, in 2n² bytes, as long as Config.MemoryBytes allow
// that; beyond, every item is solved among some thousand others instead of all (parts.go), and the
// model's Report says so and how much that loses. Weights may be negative.
//
// Of either, each item keeps its Neighbours largest weights by size, as target or as past item (Cut).
//
// Invariants: a Model is immutable; every kept weight is finite and not zero, and positive
// but for EASE; the same matrix and configuration give the same bytes for any worker count.
package itemitem
