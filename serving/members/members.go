package members

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"kindred/data"
	"kindred/features"
	"kindred/serving/changes"
)

// Config says what is kept and how often it is saved.
type Config struct {
	// Days is how many past days can be asked for.
	Days int `yaml:"days"`
	// Checkpoint is how often what is known is written to disk; after a crash the changes since are read again.
	Checkpoint time.Duration `yaml:"checkpoint"`
}

// Default keeps 90 days.
func Default() Config { return Config{Days: 90, Checkpoint: 5 * time.Minute} }

// Validate reports the first field that makes no sense, and what would.
func (c Config) Validate() error {
	switch {
	case c.Days < 1 || c.Days > 3660:
		return fmt.Errorf("members: days is %d; use 1 to 3660", c.Days)
	case c.Checkpoint < time.Second:
		return fmt.Errorf("members: checkpoint is %v; use 1s or more", c.Checkpoint)
	}
	return nil
}

// Feed is where changes come from; *changes.Feed is one.
type Feed interface {
	Partitions() int32
	Any() <-chan struct{}
	Read(ctx context.Context, partition int32, at changes.At, limit int) (list []data.Change, next changes.At, more bool, err error)
	Now(ctx context.Context) (changes.Position, error)
}

// Checkpoints keeps one file.
type Checkpoints interface {
	Save(name string, write func(io.Writer) error) error
	// Load reads what was saved last; data.ErrNotFound if nothing was.
	Load(name string, read func(io.Reader) error) error
}

// Deps are what Members is made of. Logger may be nil.
type Deps struct {
	Feed        Feed
	Checkpoints Checkpoints
	Now         func() time.Time
	Logger      *slog.Logger
}

// Members knows who is in which segment. It is safe for concurrent use.
type Members struct {
	cfg     Config
	deps    Deps
	started time.Time
	fresh   *changes.Histogram

	audited, mismatched atomic.Uint64

	mu       sync.RWMutex
	position changes.Position
	people   numbers
	crowds   map[string]*crowd
	today    int32 // the newest day of a change, in days since 1970
	ready    bool  // what was there at the start has been read
}

// crowd is one segment.
type crowd struct {
	now             *roaring.Bitmap
	days            map[int32]*roaring.Bitmap // who is in at the end of the day and was not at its beginning, or the other way round
	entered, exited uint64
}

// New makes an empty Members, which Run fills.
func New(cfg Config, deps Deps) *Members {
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	m := &Members{cfg: cfg, deps: deps, started: deps.Now(), fresh: changes.NewHistogram()}
	m.reset()
	return m
}

func (m *Members) reset() {
	m.position, m.people, m.crowds, m.today = changes.Start(m.deps.Feed.Partitions()), newNumbers(), map[string]*crowd{}, 0
}

func (m *Members) crowd(segment string) *crowd {
	c := m.crowds[segment]
	if c == nil {
		c = &crowd{now: roaring.New(), days: map[int32]*roaring.Bitmap{}}
		m.crowds[segment] = c
	}
	return c
}

const day = 24 * time.Hour

// dayOf is the UTC day of a time, in days since 1970.
func dayOf(t time.Time) int32 {
	days := t.Unix() / int64(day/time.Second)
	if t.Unix() < 0 && t.Unix()%int64(day/time.Second) != 0 {
		days--
	}
	return int32(days)
}

// apply folds one change in.
func (m *Members) apply(c *data.Change) {
	switch c.Type {
	case features.SegmentEntered:
		m.put(m.people.of(c.Profile), c.To, true, dayOf(c.At))
	case features.SegmentExited:
		if n, ok := m.people.find(c.Profile); ok {
			m.put(n, c.From, false, dayOf(c.At))
		}
	case "merged": // from now on they are somebody else
		if n, ok := m.people.find(c.Profile); ok {
			for segment := range m.crowds {
				m.put(n, segment, false, dayOf(c.At))
			}
		}
	case "deleted":
		if n, ok := m.people.find(c.Profile); ok {
			m.forget(n)
		}
	default:
		return
	}
	m.passed(dayOf(c.At))
}

// put says whether a person is in a segment, from a day on.
func (m *Members) put(n uint32, segment string, in bool, day int32) {
	c := m.crowd(segment)
	if c.now.Contains(n) == in {
		return
	}
	if in {
		c.now.Add(n)
		c.entered++
	} else {
		c.now.Remove(n)
		c.exited++
	}
	if day <= m.today-int32(m.cfg.Days) {
		return // nobody can ask for the days before
	}
	if c.days[day] == nil {
		c.days[day] = roaring.New()
	}
	c.days[day].Flip(uint64(n), uint64(n)+1)
}

// forget leaves nothing of a person.
func (m *Members) forget(n uint32) {
	for _, c := range m.crowds {
		if c.now.Contains(n) {
			c.now.Remove(n)
			c.exited++
		}
		for _, d := range c.days {
			d.Remove(n)
		}
	}
	m.people.forget(n)
}

// passed drops days that nobody can ask for once a new day has begun.
func (m *Members) passed(day int32) {
	if day <= m.today {
		return
	}
	m.today = day
	for _, c := range m.crowds {
		for d := range c.days {
			if d <= day-int32(m.cfg.Days) {
				delete(c.days, d)
			}
		}
	}
}

// numbers gives each person a number.
type numbers struct {
	names  []data.ProfileID // by number; "" is forgotten
	byName map[data.ProfileID]uint32
}

func newNumbers() numbers { return numbers{byName: map[data.ProfileID]uint32{}} }

func (p *numbers) find(id data.ProfileID) (uint32, bool) {
	n, ok := p.byName[id]
	return n, ok
}

func (p *numbers) of(id data.ProfileID) uint32 {
	n, ok := p.byName[id]
	if !ok {
		n = uint32(len(p.names))
		p.names, p.byName[id] = append(p.names, id), n
	}
	return n
}

func (p *numbers) forget(n uint32) {
	delete(p.byName, p.names[n])
	p.names[n] = ""
}
