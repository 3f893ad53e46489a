// Package cluster groups people by behaviour: k-means over scaled vectors, the
// choice of k, and numbers that survive retraining.
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
// # Choosing k
//
// The silhouette of row i is s = (b − a)/max(a, b), with a its mean distance to
// its own cluster and b the least mean distance to another (Rousseeuw, 1987);
// alone in its cluster a row has s = 0. ChooseK returns the curve of J (for the
// elbow) and of the mean silhouette, and takes the k with the best silhouette.
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
