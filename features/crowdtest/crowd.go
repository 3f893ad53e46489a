package crowdtest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"kindred/data"
)

// Config is the shape of a crowd.
type Config struct {
	Seed       uint64
	People     int
	Items      int
	Categories int
	Brands     int
	Visits     int           // that go on at once
	Pause      time.Duration // mean time between two events of a visit
	Offset     float64       // q of the law of people; 1 is Zipf's
	Exponent   float64       // s of the law of people
}

// Shop is the crowd of the benchmarks: 200,000 people, 10,000 items.
func Shop() Config {
	return Config{Seed: 1, People: 200_000, Items: 10_000, Categories: 60, Brands: 300,
		Visits: 5_000, Pause: 10 * time.Minute, Offset: 1, Exponent: 1}
}

// Crowd is a stream of events.
type Crowd struct {
	cfg    Config
	rng    *rand.Rand
	people law
	items  law
	who    []person
	what   []item
	visits []visit
	now    time.Time
	step   time.Duration
	again  *data.Event // a delivery to repeat
}

type person struct {
	ids     data.IDs
	profile data.ProfileID
}

type item struct {
	id     data.ItemID
	price  float64
	facets map[string][]string
	props  string
}

type visit struct {
	person int
	left   int // events to come
}

// Begin is the time of a crowd's first event.
var Begin = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

// New returns the crowd of a configuration. Cost is O(people + items).
func New(cfg Config) *Crowd {
	c := &Crowd{cfg: cfg, rng: rand.New(rand.NewPCG(cfg.Seed, 0x9e3779b97f4a7c15)), now: Begin,
		people: newLaw(cfg.People, cfg.Offset, cfg.Exponent), items: newLaw(cfg.Items, 10, 1),
		step: cfg.Pause / time.Duration(cfg.Visits)}
	for k := range cfg.People {
		var p person
		if k%2 == 0 {
			p.ids.User = data.UserID(fmt.Sprintf("u%06d", k))
			p.profile = data.NewProfileID(data.IDUser, string(p.ids.User))
		} else {
			p.ids.Anonymous = data.AnonymousID(c.uuid())
			p.profile = data.NewProfileID(data.IDAnonymous, string(p.ids.Anonymous))
		}
		c.who = append(c.who, p)
	}
	for k := range cfg.Items {
		category, brand := fmt.Sprintf("category-%02d", c.rng.IntN(cfg.Categories)), fmt.Sprintf("brand-%03d", c.rng.IntN(cfg.Brands))
		price := float64(c.rng.IntN(20_000)) / 100
		c.what = append(c.what, item{id: data.ItemID(fmt.Sprintf("sku-%05d", k)), price: price,
			facets: map[string][]string{"category": {category}, "brand": {brand}},
			props:  fmt.Sprintf(`{"product_id":"sku-%05d","price":%g,"currency":"EUR"}`, k, price)})
	}
	for range cfg.Visits {
		c.visits = append(c.visits, c.arrive())
	}
	return c
}

// arrive is a new visit of one to eleven events.
func (c *Crowd) arrive() visit {
	return visit{person: c.people.draw(c.rng), left: 1 + c.rng.IntN(11)}
}

// Names of the events and how many of a hundred are one.
var names = [...]struct {
	name  string
	share int
}{{"Product Viewed", 80}, {"Product Clicked", 12}, {"Product Added", 6}, {"Order Completed", 2}}

const context = `{"ip":"203.0.113.7","locale":"de-DE","page":{"path":"/p/12345"}}`

// People is how many people there are.
func (c *Crowd) People() int { return len(c.who) }

// First is a view of one item by the k-th person, at the beginning: after it they are known.
func (c *Crowd) First(k int) data.Event {
	e := c.event(c.who[k], Begin)
	e.Name, e.Items, e.Value = names[0].name, e.Items[:1], 0
	return e
}

// Next is the next delivery.
func (c *Crowd) Next() data.Event {
	if again := c.again; again != nil {
		c.again = nil
		again.Times.Received = c.now.Add(5 * time.Second)
		return *again
	}
	c.now = c.now.Add(c.step).Truncate(time.Millisecond)
	i := c.rng.IntN(len(c.visits))
	who := c.who[c.visits[i].person]
	if c.visits[i].left--; c.visits[i].left == 0 {
		c.visits[i] = c.arrive()
	}
	at := c.now
	if c.rng.IntN(100) == 0 {
		at = at.Add(-time.Duration(c.rng.IntN(7200)) * time.Second)
	}
	e := c.event(who, at)
	if c.rng.IntN(200) == 0 {
		twice := e
		c.again = &twice
	}
	return e
}

// event is an event of a person that happened at the given time and arrives now.
func (c *Crowd) event(who person, at time.Time) data.Event {
	e := data.Event{
		V: data.EventVersion, ID: c.uuid(), Source: "web", Space: data.DefaultSpace, Env: "production", Type: data.Track,
		IDs: who.ids, Profile: who.profile, Ctx: []byte(context),
		Times: data.Times{Event: at, Original: at, Sent: c.now.Add(200 * time.Millisecond), Received: c.now.Add(300 * time.Millisecond)},
	}
	kind := c.rng.IntN(100)
	for _, n := range names {
		if e.Name = n.name; kind < n.share {
			break
		}
		kind -= n.share
	}
	count := 1
	if e.Name == "Order Completed" {
		count += c.rng.IntN(3)
	}
	for range count {
		it := &c.what[c.items.draw(c.rng)]
		e.Items = append(e.Items, data.EventItem{ID: it.id, Quantity: 1, Price: it.price, Facets: it.facets})
		e.Props = []byte(it.props)
		if e.Name == "Order Completed" {
			e.Value += it.price
		}
	}
	return e
}

// uuid is a random identifier in the form that trackers send.
func (c *Crowd) uuid() string {
	a, b := c.rng.Uint64(), c.rng.Uint64()
	return fmt.Sprintf("%08x-%04x-4%03x-%04x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}
