package load

import (
	"math"
	"math/rand/v2"
	"time"
)

// Op is one operation.
type Op struct {
	Index  int64
	Kind   Kind
	Person int           // whom it is about; of an ingest batch nobody
	Skew   time.Duration // what the client's clock is ahead, of an ingest batch
}

// Call is one tracking call of a batch. A resent call equals the original.
type Call struct {
	Op, Slot int64 // where it was first sent, which names it
	Person   int   // negative: bot −1−Person
	Item     int
	Action   int           // index into actions
	Age      time.Duration // how long ago it happened
}

// Stream is the operations of a seed. It is a pure function of the index, so any
// number of clients may take from it in any order. It is immutable.
type Stream struct {
	cfg    Config
	until  [Kinds]float64 // cumulated shares of the mix
	people *Zipf
	items  *Zipf
}

// topics is how many tastes there are: person p mostly uses items of topic p mod
// topics, so that there is something to learn and to recommend.
const topics = 20

// actions are what people do and how often.
var actions = [...]struct {
	event string
	until float64
}{{"Product Viewed", .70}, {"Product Clicked", .86}, {"Product Added", .95}, {"Order Completed", 1}}

// The streams of random numbers that one seed has.
const (
	saltOp = iota + 1
	saltCall
	saltPrefill
)

// source is the random numbers of one thing, by number.
func (s *Stream) source(salt, i, j uint64) *rand.Rand {
	const odd = 0x9e3779b97f4a7c15 // spreads neighbours over the states
	return rand.New(rand.NewPCG(s.cfg.Seed*odd+salt, (i*odd)^(j+1)*0xd1342543de82ef95))
}

// NewStream is the stream of a valid configuration.
func NewStream(cfg Config) *Stream {
	s := &Stream{cfg: cfg, people: NewZipf(cfg.People, cfg.PeopleZipf), items: NewZipf(max(1, cfg.Items/topics), cfg.ItemsZipf)}
	sum, mix := 0.0, cfg.mix()
	for _, w := range mix {
		sum += w
	}
	cumulated := 0.0
	for k, w := range mix {
		cumulated += w / sum
		s.until[k] = cumulated
	}
	s.until[Kinds-1] = math.Inf(1)
	for k := Kinds - 1; k > 0 && mix[k] == 0; k-- { // rounding must not call on a kind without weight
		s.until[k-1] = math.Inf(1)
	}
	return s
}

// Op is operation i ≥ 0.
func (s *Stream) Op(i int64) Op {
	random := s.source(saltOp, uint64(i), 0)
	op := Op{Index: i}
	for u := random.Float64(); u >= s.until[op.Kind]; {
		op.Kind++
	}
	switch {
	case op.Kind == Ingest:
		if random.Float64() < s.cfg.Skewed {
			op.Skew = logUniform(random, time.Minute, 24*time.Hour)
			if random.IntN(2) == 0 {
				op.Skew = -op.Skew
			}
		}
	case s.cfg.Distinct:
		op.Person = int((i + int64(s.cfg.First)) % int64(s.cfg.People))
	default:
		op.Person = s.people.Draw(random)
	}
	return op
}

// sameClient is how many operations back a call may come from that is sent again.
const sameClient = 16

// Call is call slot of ingest batch i: a new one, or one of this batch or a former
// one again.
func (s *Stream) Call(i, slot int64) Call {
	random := s.source(saltCall, uint64(i), uint64(slot))
	if random.Float64() < s.cfg.Duplicates {
		back, from := random.Int64N(sameClient), random.Int64N(int64(s.cfg.Batch))
		if j := i - back; back > 0 && j >= 0 && s.Op(j).Kind == Ingest {
			return s.Call(j, from)
		}
		if slot > 0 {
			return s.Call(i, from%slot)
		}
	}
	c := Call{Op: i, Slot: slot}
	if random.Float64() < s.cfg.Bots {
		c.Person = -1 - random.IntN(s.cfg.BotIDs)
		c.Item = random.IntN(s.cfg.Items)
		return c
	}
	c.Person = s.people.Draw(random)
	s.act(&c, random)
	if random.Float64() < s.cfg.Late {
		c.Age = logUniform(random, time.Minute, 14*24*time.Hour)
	}
	return c
}

// Prefill is call slot of person p's history: something of the last days.
func (s *Stream) Prefill(p int, slot int64) Call {
	random := s.source(saltPrefill, uint64(p), uint64(slot))
	c := Call{Op: -1 - int64(p), Slot: slot, Person: p, Age: logUniform(random, time.Minute, 6*24*time.Hour)}
	s.act(&c, random)
	return c
}

// act draws what the person does and to which item: two of three times one of
// their topic.
func (s *Stream) act(c *Call, random *rand.Rand) {
	for u := random.Float64(); u >= actions[c.Action].until; {
		c.Action++
	}
	topic := c.Person % topics
	if random.IntN(3) == 0 {
		topic = random.IntN(topics)
	}
	c.Item = (s.items.Draw(random)*topics + topic) % s.cfg.Items
}

// logUniform draws a duration whose logarithm is uniform.
func logUniform(random *rand.Rand, from, to time.Duration) time.Duration {
	return time.Duration(float64(from) * math.Exp(random.Float64()*math.Log(float64(to)/float64(from))))
}
