package content

import (
	"math"
	"slices"
	"sync"

	"kindred/model"
	"kindred/model/sparse"
	"kindred/model/vocab"
)

// Model is the vectors of n items. It is immutable and safe for concurrent use.
type Model struct {
	cfg     Config
	terms   *vocab.Vocab
	idf     []float32   // by term
	items   *sparse.CSR // item × term, rows of length 1 or empty
	posting *sparse.CSR // term × item: its transpose
	later   *addition   // rows after those, or nil
	scratch *sync.Pool  // *profile; shared with the models made from this one
	common  *common     // likewise
}

// addition is the rows that were appended to a model, numbered from 0.
type addition struct {
	items, posting *sparse.CSR
}

var (
	_ model.Scorer        = (*Model)(nil)
	_ model.Explainer     = (*Model)(nil)
	_ model.SimilarScorer = (*Model)(nil)
	_ model.Deferred      = (*Model)(nil)
)

// Fit learns the terms and their idf from the documents, one a row, each a list of
// tokens in any order with repetition, and keeps their vectors. docs is not
// changed. The error is cfg's. Cost is O(tokens · log tokens).
func Fit(docs [][]string, cfg Config) (*Model, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	df := map[string]int{}
	seen := map[string]bool{}
	for _, doc := range docs {
		clear(seen)
		for _, token := range doc {
			if token != "" && !seen[token] {
				seen[token] = true
				df[token]++
			}
		}
	}
	most := int(cfg.MaxDocShare * float64(len(docs)))
	var kept []string
	for token, n := range df {
		// With a handful of documents a share says little: a term of MinDocs always stays.
		if n >= cfg.MinDocs && n <= max(most, cfg.MinDocs) {
			kept = append(kept, token)
		}
	}
	terms, err := vocab.New(kept)
	if err != nil {
		return nil, err
	}
	idf := make([]float32, terms.Len())
	for t := range idf {
		idf[t] = float32(math.Log((1+float64(len(docs)))/(1+float64(df[terms.Key(int32(t))]))) + 1)
	}
	m := &Model{cfg: cfg, terms: terms, idf: idf}
	items := &sparse.CSR{Cols: terms.Len(), Ptr: []int64{0}}
	for _, doc := range docs {
		appendRow(items, m.Vector(doc))
	}
	m.setItems(items)
	return m, nil
}

// Extend is Append with the documents' vectors.
func (m *Model) Extend(docs [][]string) *Model {
	vectors := make([]Vector, len(docs))
	for i, doc := range docs {
		vectors[i] = m.Vector(doc)
	}
	return m.Append(vectors)
}

// Append returns a model with the vectors, which m.Vector made, as further rows: how
// an item that came after the training run is found before the next one. m is not
// changed and shared. Cost is O(rows that were ever appended + terms).
func (m *Model) Append(vectors []Vector) *Model {
	grown := &Model{cfg: m.cfg, terms: m.terms, idf: m.idf, items: m.items, posting: m.posting, scratch: m.scratch, common: m.common}
	items := &sparse.CSR{Cols: m.terms.Len(), Ptr: []int64{0}}
	for row := m.items.Rows; row < m.Items(); row++ {
		appendRow(items, m.ItemVector(int32(row)))
	}
	for _, v := range vectors {
		appendRow(items, v)
	}
	grown.later = &addition{items, items.Transpose()}
	return grown
}

// setItems takes ownership of the vectors and builds the inverted index.
func (m *Model) setItems(items *sparse.CSR) {
	m.items, m.posting, m.later, m.scratch = items, items.Transpose(), nil, new(sync.Pool)
	m.common = new(common)
}

// appendRow appends a vector to x.
func appendRow(x *sparse.CSR, v Vector) {
	x.Col = append(x.Col, v.Terms...)
	x.Val = append(x.Val, v.Weights...)
	x.Ptr = append(x.Ptr, int64(len(x.Col)))
	x.Rows++
}

// Vector is a sparse vector: terms rise, each with a positive weight.
type Vector struct {
	Terms   []int32
	Weights []float32
}

// Vector weighs the tokens with the trained idf and scales to length 1. Tokens the
// fit did not keep are ignored; without any known one the vector is empty.
func (m *Model) Vector(tokens []string) Vector {
	known := make([]int32, 0, len(tokens))
	for _, token := range tokens {
		if t, ok := m.terms.Row(token); ok {
			known = append(known, t)
		}
	}
	slices.Sort(known)
	var v Vector
	square := 0.0
	weights := make([]float64, 0, len(known))
	for from := 0; from < len(known); {
		to := from + 1
		for to < len(known) && known[to] == known[from] {
			to++
		}
		w := (1 + math.Log(float64(to-from))) * float64(m.idf[known[from]])
		v.Terms = append(v.Terms, known[from])
		weights = append(weights, w)
		square += w * w
		from = to
	}
	length := math.Sqrt(square)
	for _, w := range weights {
		v.Weights = append(v.Weights, float32(w/length))
	}
	return v
}

// Name is "content".
func (m *Model) Name() string { return "content" }

// Items is the number of item rows, extended ones included.
func (m *Model) Items() int {
	if m.later == nil {
		return m.items.Rows
	}
	return m.items.Rows + m.later.items.Rows
}

// row is the terms and weights of an item row.
func (m *Model) row(item int32) ([]int32, []float32) {
	if n := m.items.Rows; int(item) >= n {
		return m.later.items.Row(int(item) - n)
	}
	return m.items.Row(int(item))
}

// Terms is the number of terms the fit kept.
func (m *Model) Terms() int { return m.terms.Len() }

// Term is the text of term t in [0, Terms).
func (m *Model) Term(t int32) string { return m.terms.Key(t) }

// ItemVector is the vector of an item row, without copying; do not change it.
func (m *Model) ItemVector(item int32) Vector {
	terms, weights := m.row(item)
	return Vector{Terms: terms, Weights: weights}
}

// Score writes the cosine of the person's profile and every item; false when no
// item of the history has a known term. Cost is O(terms of the history's items +
// postings of the profile's ProfileTerms strongest terms).
func (m *Model) Score(h model.History, dst []float32) bool {
	clear(dst)
	p := m.profile(h)
	defer m.scratch.Put(p)
	for i, t := range p.top {
		m.addPostings(t, p.weight[i], dst)
	}
	return len(p.top) > 0
}

// ScoreSparse adds the same cosines for the items that share a term with the
// profile; to all others they are 0. Cost is that of Score without its O(items).
func (m *Model) ScoreSparse(h model.History, into *model.SparseScores) bool {
	p := m.profile(h)
	defer m.scratch.Put(p)
	for i, t := range p.top {
		items, weights := m.posting.Row(int(t))
		into.AddScaled(items, p.weight[i], weights)
		m.addLater(t, p.weight[i], into)
	}
	return len(p.top) > 0
}

// addLater adds w times every appended row's weight of term t.
func (m *Model) addLater(t int32, w float32, into *model.SparseScores) {
	if m.later == nil {
		return
	}
	items, weights := m.later.posting.Row(int(t))
	for j, item := range items {
		into.Add(int32(m.items.Rows)+item, w*weights[j])
	}
}

// ScoreVector writes the cosine of v and every item; false when v is empty.
func (m *Model) ScoreVector(v Vector, dst []float32) bool {
	clear(dst)
	for i, t := range v.Terms {
		m.addPostings(t, v.Weights[i], dst)
	}
	return len(v.Terms) > 0
}

// Similar writes the cosine of the item and every item (1 with itself); false when
// the item has no known term.
func (m *Model) Similar(item int32, dst []float32) bool {
	return m.ScoreVector(m.ItemVector(item), dst)
}

// addPostings adds w times every item's weight of term t.
func (m *Model) addPostings(t int32, w float32, dst []float32) {
	items, weights := m.posting.Row(int(t))
	for i, item := range items {
		dst[item] += w * weights[i]
	}
	if m.later != nil {
		items, weights := m.later.posting.Row(int(t))
		for i, item := range items {
			dst[m.items.Rows+int(item)] += w * weights[i]
		}
	}
}
