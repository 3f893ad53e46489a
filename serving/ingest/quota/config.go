package quota

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// Rate is a token bucket's speed and size. The zero value is no limit.
type Rate struct {
	PerSecond float64 `yaml:"per_second"` // tokens that come back each second; 0 is no limit
	Burst     int     `yaml:"burst"`      // tokens of a full bucket: what may come at once
}

// Config are the limits.
type Config struct {
	// Source limits the calls of one source (API key); a body above it is answered with 429.
	Source Rate `yaml:"source"`
	// Sources are limits of single sources, by name, instead of Source.
	Sources map[string]Rate `yaml:"sources"`
	// MaxSources is how many sources have counters and a bucket of their own; others share those of "(other)".
	MaxSources int `yaml:"max_sources"`

	// Person limits the calls of one profile; calls above it are kept and flagged bot.rate.
	Person Rate `yaml:"person"`
	// PersonHard limits the calls of one profile; calls above it go to the dead letters. It has no default.
	PersonHard Rate `yaml:"person_hard"`
	// Users limits how often one anonymous id may come with another user id than before; calls above it go to the dead letters.
	Users Rate `yaml:"users"`
	// MaxPersons is how many people are watched at the same time, 25 bytes each for their calls and 25 for their users; beyond, the quietest are forgotten.
	MaxPersons int `yaml:"max_persons"`

	// MaxBytes bounds the bodies that are being taken in, after decompression; 0 is no bound.
	MaxBytes int64 `yaml:"max_bytes"`
	// MaxBodies bounds the number of bodies that are being taken in; 0 is no bound.
	MaxBodies int `yaml:"max_bodies"`
	// RetryAfter is what is asked of clients while the bodies in flight are at their bound.
	RetryAfter time.Duration `yaml:"retry_after"`
}

// Default limits what memory asks for and flags what no person does, above 50 calls a
// second for a while. It refuses nobody's calls but those of an anonymous id that comes with a
// new user again and again.
func Default() Config {
	return Config{
		MaxSources: 1024,
		Person:     Rate{PerSecond: 50, Burst: 1000},
		Users:      Rate{PerSecond: 1. / 60, Burst: 20},
		MaxPersons: 1 << 17,
		MaxBytes:   128 << 20, MaxBodies: 4096,
		RetryAfter: time.Second,
	}
}

// Validate reports the first field that makes no sense, and what would.
func (c Config) Validate() error {
	rates := []struct {
		name string
		rate Rate
	}{{"source", c.Source}, {"person", c.Person}, {"person_hard", c.PersonHard}, {"users", c.Users}}
	for _, name := range slices.Sorted(mapKeys(c.Sources)) {
		rates = append(rates, struct {
			name string
			rate Rate
		}{"sources." + name, c.Sources[name]})
	}
	for _, r := range rates {
		if err := r.rate.validate(); err != nil {
			return fmt.Errorf("quota: %s: %w", r.name, err)
		}
	}
	switch {
	case c.MaxSources < 1 || c.MaxSources > 1<<16:
		return fmt.Errorf("quota: max_sources is %d; use 1 to 65536", c.MaxSources)
	case len(c.Sources) > c.MaxSources:
		return fmt.Errorf("quota: sources has %d entries; max_sources is %d", len(c.Sources), c.MaxSources)
	case c.MaxPersons < ways || c.MaxPersons > 1<<26:
		return fmt.Errorf("quota: max_persons is %d; use %d to %d", c.MaxPersons, ways, 1<<26)
	case c.Person.on() && c.PersonHard.on() && c.PersonHard.PerSecond < c.Person.PerSecond:
		return fmt.Errorf("quota: person_hard.per_second is %v; use person.per_second (%v) or more", c.PersonHard.PerSecond, c.Person.PerSecond)
	case c.MaxBytes < 0 || c.MaxBytes > maxFlightBytes:
		return fmt.Errorf("quota: max_bytes is %d; use 0 (no bound) to %d", c.MaxBytes, int64(maxFlightBytes))
	case c.MaxBodies < 0 || c.MaxBodies > maxFlightBodies:
		return fmt.Errorf("quota: max_bodies is %d; use 0 (no bound) to %d", c.MaxBodies, maxFlightBodies)
	case c.RetryAfter < time.Second || c.RetryAfter > maxRetry:
		return fmt.Errorf("quota: retry_after is %v; use 1s to %v", c.RetryAfter, maxRetry)
	}
	return nil
}

func (r Rate) on() bool { return r.PerSecond > 0 }

// maxEmptySeconds bounds how long an empty bucket may take to fill: a year.
const maxEmptySeconds = 365 * 24 * 3600

func (r Rate) validate() error {
	switch {
	case math.IsNaN(r.PerSecond) || r.PerSecond < 0 || r.PerSecond > 1e8:
		return fmt.Errorf("per_second is %v; use 0 (no limit) to 1e8", r.PerSecond)
	case r.on() && r.Burst < 1:
		return fmt.Errorf("burst is %d; use 1 or more", r.Burst)
	case r.on() && float64(r.Burst)/r.PerSecond > maxEmptySeconds:
		return fmt.Errorf("burst is %d, which takes %.0f days to come back; use less, or a higher per_second",
			r.Burst, float64(r.Burst)/r.PerSecond/86400)
	}
	return nil
}
