// Package report turns the result of an evaluation into three files that say the
// same thing: report.json for programs, report.md for a terminal and report.html
// for people, self-contained and readable on a phone.
//
// The required part of report.json is a contract that others script against:
//
//	{"dataset","protocol","people","items","interactions",
//	 "models":[{"name","metrics":{"ndcg@10":{"mean","low","high"}},
//	            "seconds","peak_memory_bytes","seed","config"}]}
//
// Everything else in it is optional and absent when empty. Metric names are
// ndcg@k, recall@k, recall_capped@k, precision@k, map@k, mrr@k, hitrate@k,
// coverage@k, and beside them novelty@k and diversity@k. A metric's low and high
// are the ends of its bootstrap 95 % interval over people; a metric that has no
// interval (coverage is one number for all people) repeats its mean there.
//
// Invariants: the same Report gives the same bytes (no clock, no map order); the
// page makes no request to anywhere and runs no script; every number in a plot is
// also in a table; a baseline is drawn beside the model, never left out.
//
// The plots are SVG written by our own templates, because they have to follow the
// reader's light or dark theme and be read aloud, which plots rendered with fixed
// colours cannot.
package report
