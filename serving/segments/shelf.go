package segments

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"kindred/data"
	"kindred/features/segment"
)

// Versions are the catalog's versions of the rules.
type Versions interface {
	RulesByVersion(ctx context.Context, version string) (data.RuleSet, error)
}

// Shelf finds compiled rules by version, for the fold, and keeps them. It is safe for concurrent use.
type Shelf struct {
	versions Versions
	horizon  int64 // ms

	mu   sync.Mutex
	kept map[string]*shelved
}

// shelved is one version.
type shelved struct {
	set  *segment.Set
	born map[string]int64 // by meaning: the generation of the set's slots
	ever map[string]bool  // meanings of this version and all before
}

// NewShelf compiles for a fold that takes events as late as horizon says, in ms.
func NewShelf(v Versions, horizon int64) *Shelf {
	return &Shelf{versions: v, horizon: horizon, kept: map[string]*shelved{}}
}

// Find is a features.Rules.
func (s *Shelf) Find(ctx context.Context, version string) (*segment.Set, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, err := s.find(ctx, version)
	if err != nil {
		return nil, err
	}
	return found.set, nil
}

// generous are no limits: those of the configuration are for what is to be published.
func generous(horizon int64) segment.Config {
	return segment.Config{MaxBytes: 1 << 30, MaxSegments: 1 << 20, Horizon: horizon}
}

func (s *Shelf) find(ctx context.Context, version string) (*shelved, error) {
	if found, ok := s.kept[version]; ok {
		return found, nil
	}
	r, err := s.versions.RulesByVersion(ctx, version)
	if err != nil {
		return nil, err
	}
	out := &shelved{born: map[string]int64{}, ever: map[string]bool{}}
	former := &shelved{}
	if r.Previous != "" {
		if former, err = s.find(ctx, r.Previous); errors.Is(err, data.ErrNotFound) {
			former = &shelved{} // what it counted is unknown: its slots begin anew
		} else if err != nil {
			return nil, err
		}
	}
	rules, err := segment.ParseRules([]byte(r.Text))
	if err != nil {
		return nil, fmt.Errorf("rules %s: %w", version, err)
	}
	set, err := segment.Compile(rules, generous(s.horizon))
	if err != nil {
		return nil, fmt.Errorf("rules %s: %w", version, err)
	}
	for m := range former.ever {
		out.ever[m] = true
	}
	for _, m := range set.Meanings() {
		switch g, stays := former.born[m]; {
		case stays:
			out.born[m] = g
		case former.ever[m]:
			out.born[m] = r.Seq
		default:
			out.born[m] = 0
		}
		out.ever[m] = true
	}
	out.set = set.Born(func(m string) int64 { return out.born[m] })
	if r.State == data.RulesLive || r.State == data.RulesRetired { // its place in the history is settled
		s.kept[version] = out
	}
	return out, nil
}

// Next compiles a text as if it were published after the version former, "" for none.
func (s *Shelf) Next(ctx context.Context, text, former string) (*segment.Set, error) {
	after := &Shelf{versions: next{s.versions, text, former}, horizon: s.horizon, kept: map[string]*shelved{}}
	s.mu.Lock()
	for v, k := range s.kept {
		after.kept[v] = k
	}
	s.mu.Unlock()
	return after.Find(ctx, nextVersion)
}

const nextVersion = "next"

type next struct {
	Versions
	text, former string
}

func (n next) RulesByVersion(ctx context.Context, version string) (data.RuleSet, error) {
	if version == nextVersion {
		return data.RuleSet{Version: version, Seq: 1 << 40, Text: n.text, Previous: n.former}, nil
	}
	return n.Versions.RulesByVersion(ctx, version)
}
