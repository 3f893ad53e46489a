// Package evaluate measures how well rankings find what people went on to use.
//
// A Case is one person (or one prefix of a session) with what was known before
// the holdout and the items that count as found. A Recommender answers a case
// with a list; Run puts every contender's lists beside each other. The catalogue
// is ranked in full unless the case brings its own candidates, and what the
// person used in training is hidden; both are checked, so that a recommender
// that breaks the rules is an error and not a good number.
//
// With hits the relevant items among the first k, R the relevant items and rank
// a 1-based position, gains are binary:
//
//	precision@k      hits / k
//	recall@k         hits / |R|
//	recall_capped@k  hits / min(k, |R|)
//	ndcg@k           Σ_{rank of a hit} 1/log2(1+rank)  /  Σ_{rank ≤ min(k,|R|)} 1/log2(1+rank)
//	map@k            Σ_{rank of a hit} precision@rank  /  min(k, |R|)
//	mrr@k            1 / rank of the first hit, 0 without one
//	hitrate@k        1 when there is a hit
//	coverage@k       distinct items over all lists / items in the catalogue
//	novelty@k        mean of −log2(people who used the item / people), over the list
//	diversity@k      1 − mean pairwise similarity of the list's items
//
// (Järvelin & Kekäläinen 2002 for NDCG; Vargas & Castells 2011 for novelty and
// intra-list diversity.) Popularity bias is told beside them, see Bias. A mean is over
// cases; its 95 % interval is the percentile bootstrap over people (Efron 1979),
// so the prefixes of one session stand or fall together.
//
// Invariant: the result is a function of the input and the seed, for any number
// of workers; nothing here reads what is relevant before the list is complete.
package evaluate
