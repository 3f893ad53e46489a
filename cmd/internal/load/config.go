package load

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Kind is what one operation asks of the server.
type Kind int

// The kinds.
const (
	Noop      Kind = iota // GET of a route that does nothing
	Recommend             // GET /v1/recommendations/{person}
	Ingest                // POST /v1/batch
	Freshness             // an event, then recommendations until they show it
	kinds
)

// Kinds is how many kinds there are.
const Kinds = int(kinds)

var kindNames = [Kinds]string{"noop", "recommendations", "ingest", "freshness"}

// String is the kind's name in flags and reports.
func (k Kind) String() string { return kindNames[k] }

// Mix is how often each kind occurs, relative to the others.
type Mix [Kinds]float64

// Targets are the mixes with a name of their own, one for each kind and "mixed".
func Targets() []string { return append(slices.Clone(kindNames[:]), Mixed) }

// Mixed is the target that follows Config.Mix.
const Mixed = "mixed"

// ParseMix reads "ingest=10,recommendations=88,freshness=2".
func ParseMix(s string) (Mix, error) {
	var m Mix
	for _, part := range strings.Split(s, ",") {
		name, weight, ok := strings.Cut(strings.TrimSpace(part), "=")
		k := slices.Index(kindNames[:], name)
		w, err := strconv.ParseFloat(weight, 64)
		if !ok || k < 0 || err != nil || !(w >= 0 && w < 1e9) {
			return m, fmt.Errorf("mix %q: write KIND=WEIGHT, KIND one of %s and WEIGHT a number from 0", part, strings.Join(kindNames[:], ", "))
		}
		m[k] = w
	}
	if m == (Mix{}) {
		return m, fmt.Errorf("mix %q: every weight is 0; give one kind some", s)
	}
	return m, nil
}

// Config is what to send, when, and for how long.
type Config struct {
	Addr        string // HOST:PORT, or http://HOST:PORT
	AllowRemote bool   // send to an address that is not loopback
	Key         string // API key, empty for none
	Target      string // one of Targets
	Mix         Mix    // of the target mixed

	Duration time.Duration // that is measured
	Warmup   time.Duration // before it, sent and not measured
	// Rate is the operations a second of the open loop; 0 is the closed loop.
	Rate     float64
	Arrivals string // uniform or poisson, of the open loop
	// Clients is how many send at the same time; in the open loop the most that may.
	Clients int

	Diurnal      time.Duration // period of the compressed day, 0 for none
	DiurnalSwing float64       // the rate goes from 1−swing to 1+swing times Rate
	SpikeEvery   time.Duration // 0 for no spikes
	SpikeFor     time.Duration
	SpikeTimes   float64 // the rate during a spike, in Rates

	Seed         uint64
	Run          string // part of every messageId; runs of one name are duplicates of each other
	Batch        int    // calls in an ingest batch
	N            int    // items asked for
	People       int
	PeopleZipf   float64 // exponent; 0 is uniform
	Distinct     bool    // ask for the people in turn, each once before anybody comes again
	First        int     // whom Distinct begins with, from 0
	Items        int
	ItemsZipf    float64
	PersonPrefix string // a person's id is this and a number from 1
	ItemPrefix   string
	NoopPath     string
	Check        bool // read every list whole and count those that are wrong as failed

	Duplicates float64 // share of calls that are sent again under a messageId used before
	Late       float64 // share of calls that happened a minute to two weeks ago
	Skewed     float64 // share of batches from a client whose clock is off by a minute to a day
	Bots       float64 // share of calls that few ids make
	BotIDs     int
	Prefill    int // calls that everybody gets before the warm-up, not measured
}

// The kinds of arrivals.
const (
	Uniform = "uniform"
	Poisson = "poisson"
)

// Default sends a mix to a server on this machine for ten seconds.
func Default() Config {
	return Config{
		Addr: "127.0.0.1:8080", Target: Mixed, Mix: Mix{Ingest: 10, Recommend: 88, Freshness: 2},
		Duration: 10 * time.Second, Arrivals: Poisson, Clients: 16, DiurnalSwing: .8, SpikeFor: time.Second, SpikeTimes: 5,
		Seed: 1, Batch: 100, N: 10, People: 100_000, PeopleZipf: 1, Items: 10_000, ItemsZipf: 1,
		PersonPrefix: "user-", ItemPrefix: "item-", NoopPath: "/healthz", BotIDs: 3,
	}
}

// What the server's documentation bounds a batch by, with room for the envelope.
const (
	maxBatchCalls = 2500
	maxBatchBytes = 500_000 - 1000
)

// Validate names the first field that makes no sense, and what would.
func (c Config) Validate() error {
	shares := []struct {
		name  string
		value float64
	}{{"duplicates", c.Duplicates}, {"late", c.Late}, {"skewed", c.Skewed}, {"bots", c.Bots}}
	for _, s := range shares {
		if !(s.value >= 0 && s.value <= .9) {
			return fmt.Errorf("%s is %v; use a share from 0 to 0.9", s.name, s.value)
		}
	}
	for _, id := range []struct{ name, value string }{
		{"person-prefix", c.PersonPrefix}, {"item-prefix", c.ItemPrefix}, {"run", c.Run},
	} {
		if len(id.value) > 48 || strings.TrimLeft(id.value, safe) != "" {
			return fmt.Errorf("%s is %q; use at most 48 letters, digits and - . _", id.name, id.value)
		}
	}
	switch {
	case !slices.Contains(Targets(), c.Target):
		return fmt.Errorf("target is %q; use %s", c.Target, strings.Join(Targets(), ", "))
	case c.Duration <= 0 || c.Duration > 24*time.Hour:
		return fmt.Errorf("duration is %v; use more than 0 and at most 24h", c.Duration)
	case c.Warmup < 0:
		return fmt.Errorf("warmup is %v; use 0 or more", c.Warmup)
	case !(c.Rate >= 0 && c.Rate <= 1e6):
		return fmt.Errorf("rate is %v; use operations a second up to 1000000, or 0 for the closed loop", c.Rate)
	case c.Arrivals != Uniform && c.Arrivals != Poisson:
		return fmt.Errorf("arrivals is %q; use %s or %s", c.Arrivals, Uniform, Poisson)
	case c.Clients < 1 || c.Clients > 10_000:
		return fmt.Errorf("clients is %d; use 1 to 10000", c.Clients)
	case c.Rate == 0 && (c.Diurnal != 0 || c.SpikeEvery != 0):
		return errors.New("diurnal and spike-every shape the rate of the open loop; give a rate")
	case c.Diurnal < 0 || !(c.DiurnalSwing >= 0 && c.DiurnalSwing <= 1):
		return fmt.Errorf("diurnal is %v with swing %v; use a period from 0 and a swing from 0 to 1", c.Diurnal, c.DiurnalSwing)
	case c.SpikeEvery < 0 || c.SpikeEvery > 0 && (c.SpikeFor <= 0 || c.SpikeFor >= c.SpikeEvery || !(c.SpikeTimes >= 0 && c.SpikeTimes <= 1000)):
		return fmt.Errorf("spikes of %v times the rate for %v every %v; use a shorter spike than its period, and 0 to 1000 times", c.SpikeTimes, c.SpikeFor, c.SpikeEvery)
	case c.Batch < 1 || c.Batch > maxBatchCalls:
		return fmt.Errorf("batch is %d; use 1 to %d", c.Batch, maxBatchCalls)
	case c.N < 1 || c.N > 500:
		return fmt.Errorf("n is %d; use 1 to 500", c.N)
	case c.People < 1 || c.People > 1<<30:
		return fmt.Errorf("people is %d; use 1 to %d", c.People, 1<<30)
	case c.First < 0:
		return fmt.Errorf("first is %d; use 0 or more", c.First)
	case c.Items < 1 || c.Items > 1<<30:
		return fmt.Errorf("items is %d; use 1 to %d", c.Items, 1<<30)
	case !(c.PeopleZipf >= 0 && c.PeopleZipf <= 10) || !(c.ItemsZipf >= 0 && c.ItemsZipf <= 10):
		return fmt.Errorf("zipf exponents are %v for people and %v for items; use 0 (uniform) to 10", c.PeopleZipf, c.ItemsZipf)
	case c.BotIDs < 1:
		return fmt.Errorf("bot-ids is %d; use 1 or more", c.BotIDs)
	case c.Prefill < 0 || c.Prefill > 10_000:
		return fmt.Errorf("prefill is %d; use 0 to 10000", c.Prefill)
	case !strings.HasPrefix(c.NoopPath, "/") || strings.ContainsAny(c.NoopPath, " \r\n"):
		return fmt.Errorf("noop-path is %q; use a path such as /healthz", c.NoopPath)
	case strings.ContainsAny(c.Key, "\r\n\x00"):
		return errors.New("key has a line break")
	}
	return nil
}

// safe are the bytes that need no escaping in a path, in JSON or in a header.
const safe = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"

// mix is what the target sends.
func (c Config) mix() Mix {
	if c.Target == Mixed {
		return c.Mix
	}
	var m Mix
	m[slices.Index(kindNames[:], c.Target)] = 1
	return m
}

// mode is the name of the loop.
func (c Config) mode() string {
	if c.Rate > 0 {
		return "open"
	}
	return "closed"
}
