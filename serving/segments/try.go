package segments

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"kindred/data"
	"kindred/features"
	"kindred/features/segment"
	"kindred/features/stream"
)

// Preview is who would be in the segments of a rule set if it were live now.
type Preview struct {
	People   int           `json:"people"` // that there are
	Folded   bool          `json:"folded"` // from the history, since a rule counts what the live rules do not
	Segments []PreviewSize `json:"segments"`
	Sample   []Sampled     `json:"sample"`
}

// PreviewSize is how many are in a segment.
type PreviewSize struct {
	Segment string `json:"segment"`
	Size    int    `json:"size"`
}

// Sampled is somebody who would be in a segment, and why.
type Sampled struct {
	Profile data.ProfileID      `json:"profile"`
	Why     segment.Explanation `json:"why"`
}

// everybody calls fn with all people who are somebody, and their states as the rules have them now:
// from the store where all that they count is there, else from a fold of the history.
func (s *Service) everybody(ctx context.Context, set *segment.Set, fn func(p *data.Profile) error) (folded bool, err error) {
	stored := set.Slots() == 0
	if l := s.Live(); l != nil && l.Backfill != data.BackfillWanted {
		stored = set.Within(l.Set)
	}
	if !stored {
		opt, err := s.history(ctx, set)
		if err != nil {
			return true, err
		}
		var failed error
		opt.Person = func(p data.Profile) {
			if failed == nil && p.Redirect == "" && !p.Deleted {
				failed = cmp.Or(ctx.Err(), fn(&p))
			}
		}
		if err := s.heavy.take(ctx); err != nil {
			return true, err
		}
		defer s.heavy.give()
		return true, cmp.Or(stream.Backfill(ctx, opt), failed)
	}
	for n := range s.deps.Partitions {
		err := s.deps.Profiles.ScanProfiles(ctx, n, "", func(id data.ProfileID, v []byte) (bool, error) {
			var p data.Profile
			if err := p.UnmarshalBinary(v); err != nil {
				return false, fmt.Errorf("profile %s: %w", id, err)
			}
			if p.Redirect != "" || p.Deleted {
				return true, nil
			}
			return true, fn(&p)
		})
		if err != nil {
			return false, err
		}
	}
	return false, nil
}

// next compiles a text as what would follow the live version.
func (s *Service) next(ctx context.Context, text string) (*segment.Set, error) {
	if _, _, err := s.Check(text); err != nil {
		return nil, &Invalid{err}
	}
	former := ""
	if l := s.Live(); l != nil {
		former = l.Version
	}
	return s.deps.Shelf.Next(ctx, text, former)
}

// Preview evaluates a text on everybody, now, and explains up to sample people who would be in the
// named segment, or in any.
func (s *Service) Preview(ctx context.Context, text, name string, sample int) (Preview, error) {
	set, err := s.next(ctx, text)
	if err != nil {
		return Preview{}, err
	}
	out, sizes := Preview{Segments: []PreviewSize{}, Sample: []Sampled{}}, map[string]int{}
	w, now := set.NewWork(), s.deps.Now().UnixMilli()
	var names []string
	out.Folded, err = s.everybody(ctx, set, func(p *data.Profile) error {
		out.People++
		r, err := set.Due(w, p.Segments, features.PersonOf(p), segment.Affected{}, now)
		if err != nil {
			return err
		}
		state := slices.Clone(r.State)
		names = set.Names(names[:0], state)
		for _, n := range names {
			sizes[n]++
		}
		if len(out.Sample) < sample && len(names) > 0 && (name == "" || slices.Contains(names, name)) {
			about := names
			if name != "" {
				about = []string{name}
			}
			why, err := set.Explain(w, state, features.PersonOf(p), now, about...)
			if err != nil {
				return err
			}
			out.Sample = append(out.Sample, Sampled{p.ID, why})
		}
		return nil
	})
	for _, r := range set.Rules() {
		out.Segments = append(out.Segments, PreviewSize{r.Segment, sizes[r.Segment]})
	}
	return out, err
}

// Diff is whom another rule set would bring in or take out, by segment.
type Diff struct {
	People   int           `json:"people"`
	Segments []DiffSegment `json:"segments"`
}

// DiffSegment is what would change in one segment.
type DiffSegment struct {
	Segment string           `json:"segment"`
	Before  int              `json:"before"`
	After   int              `json:"after"`
	Enter   int              `json:"enter"`
	Leave   int              `json:"leave"`
	Enters  []data.ProfileID `json:"enters,omitempty"` // some of them
	Leaves  []data.ProfileID `json:"leaves,omitempty"`
}

// Diff compares a text with the live version on everybody, now, and names up to sample people.
func (s *Service) Diff(ctx context.Context, text string, sample int) (Diff, error) {
	set, err := s.next(ctx, text)
	if err != nil {
		return Diff{}, err
	}
	now := s.deps.Now().UnixMilli()
	before := map[data.ProfileID][]string{}
	if l := s.Live(); l != nil {
		w := l.Set.NewWork()
		if _, err := s.everybody(ctx, l.Set, func(p *data.Profile) error {
			r, err := l.Set.Due(w, p.Segments, features.PersonOf(p), segment.Affected{}, now)
			if err != nil {
				return err
			}
			if names := l.Set.Names(nil, r.State); len(names) > 0 {
				before[p.ID] = names
			}
			return nil
		}); err != nil {
			return Diff{}, err
		}
	}
	out, at := Diff{Segments: []DiffSegment{}}, map[string]*DiffSegment{}
	one := func(name string) *DiffSegment {
		if at[name] == nil {
			at[name] = &DiffSegment{Segment: name}
		}
		return at[name]
	}
	note := func(id data.ProfileID, was, is []string) {
		for _, n := range was {
			d := one(n)
			if d.Before++; !slices.Contains(is, n) {
				if d.Leave++; len(d.Leaves) < sample {
					d.Leaves = append(d.Leaves, id)
				}
			}
		}
		for _, n := range is {
			d := one(n)
			if d.After++; !slices.Contains(was, n) {
				if d.Enter++; len(d.Enters) < sample {
					d.Enters = append(d.Enters, id)
				}
			}
		}
	}
	w := set.NewWork()
	if _, err := s.everybody(ctx, set, func(p *data.Profile) error {
		out.People++
		r, err := set.Due(w, p.Segments, features.PersonOf(p), segment.Affected{}, now)
		if err != nil {
			return err
		}
		note(p.ID, before[p.ID], set.Names(nil, r.State))
		return nil
	}); err != nil {
		return Diff{}, err
	}
	for _, d := range at {
		out.Segments = append(out.Segments, *d)
	}
	slices.SortFunc(out.Segments, func(a, b DiffSegment) int { return cmp.Compare(a.Segment, b.Segment) })
	return out, nil
}

// Backtest is what rules would have done over the last days.
type Backtest struct {
	From     time.Time         `json:"from"` // day 0 begins
	Days     int               `json:"days"`
	Segments []BacktestSegment `json:"segments"`
	Overlaps []Overlap         `json:"overlaps"`
}

// BacktestSegment is that of one segment.
type BacktestSegment struct {
	Segment string  `json:"segment"`
	Size    []int   `json:"size"` // members at the end of each day
	Entries []int   `json:"entries"`
	Exits   []int   `json:"exits"`
	Churn   float64 `json:"churn"` // exits a member-day
}

// Overlap is how many are in two segments at the end.
type Overlap struct {
	A    string `json:"a"`
	B    string `json:"b"`
	Both int    `json:"both"`
}

const dayMS = 24 * 3600 * 1000

// StartBacktest plays the history under a text's rules, as a job whose id it returns; its report is an
// evaluation of that id.
func (s *Service) StartBacktest(ctx context.Context, text string, days int) (data.Job, error) {
	set, err := s.next(ctx, text)
	if err != nil {
		return data.Job{}, err
	}
	if !s.heavy.try() {
		return data.Job{}, fmt.Errorf("the history is being folded for another question: %w", data.ErrConflict)
	}
	now := s.deps.Now()
	j := data.Job{ID: fmt.Sprintf("backtest-%d", now.UnixNano()), Kind: BacktestKind, State: data.JobRunning, Stage: "folding the history", Started: now, Heartbeat: now}
	if err := s.deps.Catalog.StartJob(ctx, j); err != nil {
		s.heavy.give()
		return data.Job{}, err
	}
	s.tasks <- func(ctx context.Context) {
		defer s.heavy.give()
		err := s.job(ctx, j, func(progress func(string, float64)) (string, error) {
			report, err := s.backtest(ctx, set, now, days, func(done float64) { progress(j.Stage, done) })
			if err != nil {
				return "", err
			}
			b, err := json.Marshal(report)
			if err != nil {
				return "", err
			}
			return "", s.deps.Catalog.PutEvaluation(ctx, data.Evaluation{ID: j.ID, Created: now, Dataset: "segments", Report: b})
		})
		if err != nil {
			s.deps.Logger.Warn("backtest of segment rules", "job", j.ID, "error", err)
		}
	}
	return j, nil
}

func (s *Service) backtest(ctx context.Context, set *segment.Set, now time.Time, days int, progress func(float64)) (*Backtest, error) {
	first := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1-days)
	out := &Backtest{From: first, Days: days, Segments: []BacktestSegment{}, Overlaps: []Overlap{}}
	at := map[string]int{}
	for _, r := range set.Rules() {
		at[r.Segment] = len(out.Segments)
		out.Segments = append(out.Segments, BacktestSegment{Segment: r.Segment, Size: make([]int, days), Entries: make([]int, days), Exits: make([]int, days)})
	}
	opt, err := s.history(ctx, set)
	if err != nil {
		return nil, err
	}
	opt.Progress = func(folded, end int64) { progress(float64(folded) / float64(max(1, end))) }
	before := make([]int, len(out.Segments))
	opt.Change = func(c data.Change) {
		i, entered := at[c.To], c.Type == features.SegmentEntered
		if !entered {
			if c.Type != features.SegmentExited {
				return
			}
			i = at[c.From]
		}
		day := int((c.At.UnixMilli() - first.UnixMilli()) / dayMS)
		switch seg := &out.Segments[i]; {
		case c.At.Before(first) && entered:
			before[i]++
		case c.At.Before(first):
			before[i]--
		case day >= days:
		case entered:
			seg.Entries[day]++
		default:
			seg.Exits[day]++
		}
	}
	both := map[[2]string]int{}
	var names []string
	opt.Person = func(p data.Profile) {
		names = set.Names(names[:0], p.Segments)
		for i, a := range names {
			for _, b := range names[i+1:] {
				both[[2]string{a, b}]++
			}
		}
	}
	if err := stream.Backfill(ctx, opt); err != nil {
		return nil, err
	}
	for i := range out.Segments {
		seg, size, left, there := &out.Segments[i], before[i], 0, 0
		for d := range days {
			size += seg.Entries[d] - seg.Exits[d]
			seg.Size[d] = size
			left, there = left+seg.Exits[d], there+size+seg.Exits[d]
		}
		if there > 0 {
			seg.Churn = float64(left) / float64(there)
		}
	}
	for pair, n := range both {
		out.Overlaps = append(out.Overlaps, Overlap{pair[0], pair[1], n})
	}
	slices.SortFunc(out.Overlaps, func(x, y Overlap) int {
		return cmp.Or(cmp.Compare(y.Both, x.Both), cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B))
	})
	return out, nil
}
