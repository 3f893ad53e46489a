// Package cluster groups people by behaviour: k-means, normal mixtures and DBSCAN over scaled
// vectors, the choice of k, and numbers that survive retraining. One Model assigns by
// whichever method it was fitted with.
//
// # Scaling
//
// Each dimension becomes z = (g(x) − mean)/deviation, with g(x) = x or, where the
// dimension is counted or spent, g(x) = ln(1 + max(0, x)); mean and population
// deviation are those of the training rows. A missing value (NaN or infinite)
// becomes the mean, z = 0. The Scaler is part of the Model.
//
// # k-means
//
// Lloyd's iteration (Lloyd, 1982) from k-means++ seeds (Arthur & Vassilvitskii,
// SODA 2007), greedy with 2 + ⌊ln k⌋ trials a seed, as scikit-learn does; the best
// of several starts by inertia
//
//	J = sum_i min_c |z_i − μ_c|²
//
// A cluster that empties takes the row farthest from its own centroid. J never
// rises from one iteration to the next.
//
// # Mixture
//
// A sum of K normal distributions with weights π, means μ and full covariances Σ, fitted by
// expectation maximisation in logarithms: with l_ic = ln π_c + ln N(z_i; μ_c, Σ_c),
//
//	r_ic = exp(l_ic − ln sum_c exp(l_ic)),  π_c = sum_i r_ic / n,
//	μ_c = sum_i r_ic·z_i / sum_i r_ic,  Σ_c = sum_i r_ic (z_i − μ_c)(z_i − μ_c)ᵀ / sum_i r_ic + εI
//
// (Dempster, Laird & Rubin, 1977). Every start begins at the labels of a short k-means; the
// best goes on to the end. A component that holds no row any more is dropped.
//
// # DBSCAN
//
// A row is a core if MinPoints rows are within Radius; cores within the radius of each other
// are one group; any other row joins its nearest core within the radius or is an Outlier, −1
// (Ester, Kriegel, Sander & Xu, 1996). Neighbours come from a k-d tree.
//
// # Choosing k
//
// The silhouette of row i is s = (b − a)/max(a, b), with a its mean distance to
// its own cluster and b the least mean distance to another (Rousseeuw, 1987);
// alone in its cluster a row has s = 0. ChooseK returns the curve of J (for the
// elbow) and of the mean silhouette, and takes the k with the best silhouette. For a mixture
// it is the k of the lowest BIC, for DBSCAN the radius of the best silhouette times the
// share of rows in groups; see Find.
//
// # Numbers
//
// After retraining, old and new centroids are placed in the new model's scaled
// space and matched one to one at the least total distance (Hungarian method: Kuhn,
// 1955, in the O(n³) form of Jonker & Volgenant, 1987). A matched new cluster takes the old number;
// one that matches nothing, or only something too far away to be the same group,
// gets a number that was never used before. Numbers start at 1; 0 is no cluster.
//
// Invariants: no clock and no global randomness; the same input, seed and
// configuration give the same bytes for any worker count, because rows are reduced
// in blocks of fixed size in a fixed order.
package cluster
