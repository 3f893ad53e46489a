// Package retrieve finds the k rows with the highest inner products with a query,
// out of up to millions, exactly: the same rows, order and scores as computing and
// sorting all of them, at the cost of reading a fraction of one byte per number.
//
// # How
//
// An Index holds a copy of the vectors with one byte per dimension. Rows stand in groups of
// 64 by falling Euclidean norm; sixteen neighbours, which have nearly one norm, share a
// scale. With x̂ the quantised copy of x and q̂ the query in 14-bit integers,
//
//	|q·x − q̂·x̂| ≤ ‖x − x̂‖ ‖q‖ + ‖q − q̂‖ ‖x̂‖
//
// by Cauchy and Schwarz, and both distances are known. The search keeps θ, the k-th
// best exact score so far. It reads the bytes in order (kernel.Scan), computes the exact
// float32 score (kernel.DotRows) of every row whose bound reaches θ and skips the
// others, which provably cannot be among the k. When ‖x‖‖q‖ falls below θ it stops: all
// later rows are shorter. The bound has room for every float32 rounding,
// the one in the exact score included; a score that equals θ is never skipped, since
// ties go to the lower row.
//
// The copy is taken in coordinates of its own (Basis): products do not change by an orthogonal
// map, and exact scores always come from the original vectors. Where few directions carry most of the
// vectors' square norm, as they do after a matrix factorisation, these come first, and a row of which the
// first part a and the rest b are known by â and ‖b‖ has
//
//	q·x ≤ q̂ₐ·â + ‖q_b‖ ‖b‖ + the errors above,
//
// which excludes most rows after the first third of their bytes (kernel.ScanHead). Rows of like norm stand by
// falling ‖b‖, so that sixteen neighbours share a tight bound. Within both parts
// coordinates are rotated at random, which makes them alike and the errors of bytes small.
//
// Where all norms are alike, order by norm stops nothing. Rows then stand by direction (Clustered): by the nearest of
// some hundred centres of a k-means clustering, and neighbouring groups are a run, of which c is the mean. Since
//
//	q·x ≤ q̂ₐ·â + q_b·c_b + ‖q_b‖ ‖b − c_b‖ + the errors above,
//
// only what the mean leaves of b is bounded by its norm. The runs nearest to the query are scanned first,
// which gives a good θ, then all others but those that are too far away as a whole.
//
// A filter makes θ lower, and with it the search longer, the fewer rows it allows. A mask that is used often is
// therefore packed (Mask.Pack): its rows have codes of their own, which makes a filter cheaper than none.
//
// What helps is decided by what is measured while the search runs: the first part is not tried for some steps
// after it excluded nothing, and steps of which the masks allow few rows are scored exactly at once.
// Queries that are not finite or beyond all scale are scored exactly. Stats tells.
//
// # Invariants
//
// An Index is immutable and safe for concurrent use; Append makes another one which
// shares all it can. The same vectors and seed give the same index for any number
// of workers. A query allocates its answer only.
//
// # Memory
//
// For each row d + 9 bytes beside the vectors, which are the caller's, where d is f rounded
// up to a multiple of 4: d of codes, 1 of scales and bounds, 8 of the order. A run, usually some
// hundred rows or more, has 4 d + 40 bytes. A mask is one
// bit a row, and so is the scratch of each concurrent query. A Principal basis has 4 f² bytes;
// a packed mask d + 5 for each of its rows.
//
// # Sources
//
// Stopping by norm, and bounds by a first part of the coordinates: Teflioudi, Gemulla &
// Mykytiuk, LEMP, SIGMOD 2015. Choosing between scan and index by measurement: Abuzaid, Sethi,
// Bailis & Zaharia, To Index or Not to Index, ICDE 2019. Balls around the means of clusters: Fukunaga & Narendra,
// A Branch and Bound Algorithm for Computing k-Nearest Neighbors, IEEE Trans. Computers 1975. Rotations: Ailon & Chazelle, STOC 2006.
package retrieve
