// Package training makes a model of what happened and decides whether it may serve.
//
// A run goes in one direction:
//
//	lake snapshot → people and items as rows (assemble) → split by time (split)
//	→ blend learned on a validation slice inside the training part
//	→ components fitted on the training part, judged on the holdout beside popular
//	  and item-kNN (evaluate) → gate against the incumbent
//	→ components refitted on everything, clusters → artifact → publish, promote
//
// The holdout is looked at once, by models that are complete. What the run learns
// besides, the blend's weights, is learned on a slice of the training part that is
// cut out in the same way as the holdout was, and the components are then fitted
// again on the whole training part.
//
// The gate: the candidate's metric (NDCG@10 of the hybrid) must not be below that
// of popular on the holdout, and must be at least MinRatio of the incumbent's on the
// part of the holdout that is newer than the incumbent: what neither has seen. Where
// too few people did anything since then, the two are not compared.
//
// Evaluate is the same road without a store: it judges a dataset's files, or the
// lake, by any protocol. Ladder runs the cases that the project answers for.
//
// Invariant: a run that fails, is refused or is cancelled leaves the incumbent as
// it was, and its job says why. The same interactions, configuration and seed give
// the same weights and factors for any number of workers.
package training
