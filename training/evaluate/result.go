package evaluate

import "strconv"

// Interval is a mean over cases with its 95 % bootstrap interval. A metric of
// the whole set of lists, such as coverage, has no interval: Low and High are
// then the mean.
type Interval struct {
	Mean float64 `json:"mean"`
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// At is the name of a metric with its cutoff: At("ndcg", 10) is "ndcg@10".
func At(metric string, k int) string { return metric + "@" + strconv.Itoa(k) }

// Score is one contender's row of the table.
type Score struct {
	Name      string
	Metrics   map[string]Interval // by name with cutoff
	Slices    []Slice             // the same people by length of history
	Trials    []TrialScore        // one a seed
	Seconds   float64             // wall time of fit and evaluation, mean over trials
	PeakBytes uint64              // most memory in use during either, over all trials
	Seed      uint64              // of the first trial
	Config    any
	Bias      *Bias // of the first trial's lists at the smallest cutoff; nil without Users
}

// Slice is the score over the part of the people with so much history.
type Slice struct {
	Name    string // "history 5-19"; "cold" is nobody's history
	Cases   int
	Metrics map[string]float64
}

// TrialScore is the mean of every metric for one seed.
type TrialScore struct {
	Seed    uint64
	Metrics map[string]float64
}

// Result is everything that an evaluation found.
type Result struct {
	Scores []Score // in the order of the contenders
	Cases  int
	Groups int // people, or sessions
	Items  int // size of the catalogue
	// Sampled says that candidates were given, so that the numbers do not compare
	// with full rankings.
	Sampled bool
	K       []int
	Seed    uint64
}

// Score finds a contender's row by name, or nil.
func (r *Result) Score(name string) *Score {
	for i := range r.Scores {
		if r.Scores[i].Name == name {
			return &r.Scores[i]
		}
	}
	return nil
}

// Mean is the mean of a metric for a contender, and whether there is one.
func (r *Result) Mean(name, metric string, k int) (float64, bool) {
	s := r.Score(name)
	if s == nil {
		return 0, false
	}
	v, ok := s.Metrics[At(metric, k)]
	return v.Mean, ok
}
