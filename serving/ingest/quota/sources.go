package quota

import (
	"iter"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
)

// OtherSource is the name under which sources beyond Config.MaxSources are counted.
const OtherSource = "(other)"

// Source is one source's bucket and counters.
type Source struct {
	name  string
	meter meter
	full  atomic.Int64 // Instant at which the bucket is full again
	count [reasons]atomic.Uint64
}

// sources finds a Source by name without a lock: the map is replaced, never
// changed, and holds at most the configured number.
type sources struct {
	cfg   Config
	known atomic.Pointer[map[string]*Source]
	other *Source
	mu    sync.Mutex // one adds at a time
}

func newSources(cfg Config) *sources {
	s := &sources{cfg: cfg, other: &Source{name: OtherSource, meter: newMeter(cfg.Source)}}
	known := map[string]*Source{}
	for name, rate := range cfg.Sources {
		known[name] = &Source{name: name, meter: newMeter(rate)}
	}
	s.known.Store(&known)
	return s
}

func (s *sources) find(name string) *Source {
	if found, ok := (*s.known.Load())[name]; ok {
		return found
	}
	return s.add(name)
}

func (s *sources) add(name string) *Source {
	if len(*s.known.Load()) >= s.cfg.MaxSources {
		return s.other
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := *s.known.Load()
	if found, ok := old[name]; ok {
		return found
	}
	if len(old) >= s.cfg.MaxSources {
		return s.other
	}
	known := make(map[string]*Source, len(old)+1)
	maps.Copy(known, old)
	added := &Source{name: strings.Clone(name), meter: newMeter(s.cfg.Source)}
	known[added.name] = added
	s.known.Store(&known)
	return added
}

func mapKeys[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }
