// Package content scores items by what they say: TF-IDF vectors of tokens and
// cosine similarity, for items too new to have been used and for explanations in words.
//
// A term t that occurs tf > 0 times in a document weighs
//
//	w(t, d) = (1 + ln tf) · idf(t),   idf(t) = ln((1 + n)/(1 + df(t))) + 1
//
// with n documents, df(t) of which hold t; vectors are scaled to length 1 (Salton
// & Buckley, "Term-weighting approaches in automatic text retrieval", 1988, for
// sublinear tf and cosine length; the idf is scikit-learn's with smooth_idf: as if
// one more document held every term, so that no weight is infinite and none is 0).
//
// A person's profile is the mean of the vectors of the items they used, weighted by
// how strongly, cut to its strongest terms (Config.ProfileTerms); an item's score
// is the cosine of profile and item, between 0 and 1. The cut bounds the cost of a
// request: scoring reads one posting list a term of the profile, O(sum of postings),
// not the catalogue.
//
// Tokens come from package features/content; this one knows them only as strings.
//
// Invariants: documents without a known term have the zero vector and score 0;
// item rows are the rows of the documents; terms are numbered in bytewise order of
// their text, so equal documents give equal bytes.
package content
