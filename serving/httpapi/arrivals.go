package httpapi

import (
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kindred/serving/ingest/door"
)

// outcome is what became of a request at a named door.
type outcome int

const (
	arrived         outcome = iota // taken in
	arrivedUnknown                 // could not prove who sends
	arrivedUnread                  // could not be read
	arrivedTooEarly                // could not be read yet
	arrivedPartly                  // taken in, with parts that are dead letters
	outcomes
)

var outcomeNames = [outcomes]string{"accepted", "unauthorized", "unreadable", "later", "partly"}

func outcomeOf(err error) outcome {
	if door.IsLater(err) {
		return arrivedTooEarly
	}
	return arrivedUnread
}

// arrivals counts the requests at the named doors, which are as many as the configuration has.
type arrivals struct {
	names []door.Name

	mu sync.Mutex
	by map[door.Name]*doorReport
}

// doorReport is what came in by a door.
type doorReport struct {
	Door         string    `json:"door"`
	Accepted     uint64    `json:"accepted"`     // requests
	Unauthorized uint64    `json:"unauthorized"` // with a wrong signature, token or key
	Unreadable   uint64    `json:"unreadable"`
	Later        uint64    `json:"later"`  // that could not be judged yet, such as without the issuer's keys
	Partly       uint64    `json:"partly"` // accepted ones with records that are dead letters
	LastAccepted time.Time `json:"last_accepted,omitzero"`
	LastRefusal  string    `json:"last_refusal,omitempty"`
	LastRefused  time.Time `json:"last_refused,omitzero"`
}

func (r *doorReport) of(o outcome) *uint64 {
	return [outcomes]*uint64{&r.Accepted, &r.Unauthorized, &r.Unreadable, &r.Later, &r.Partly}[o]
}

func newArrivals(doors *door.Doors) *arrivals {
	a := &arrivals{names: doors.Names(), by: map[door.Name]*doorReport{}}
	for _, n := range a.names {
		a.by[n] = &doorReport{Door: n.Door}
	}
	return a
}

// count notes what became of a request at a door that is set up.
func (a *arrivals) count(n door.Name, o outcome, reason string, at time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := a.by[n]
	*r.of(o)++
	if o == arrived {
		r.LastAccepted = at
		return
	}
	r.LastRefusal, r.LastRefused = shorten(reason), at
}

// of are the reports of a source's doors.
func (a *arrivals) of(source string) (out []doorReport) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range a.names {
		if n.Source == source {
			out = append(out, *a.by[n])
		}
	}
	return out
}

// Describe sends nothing: the collector is unchecked.
func (a *arrivals) Describe(chan<- *prometheus.Desc) {}

var descArrivals = prometheus.NewDesc("kindred_door_requests_total", "Requests at the doors that the configuration sets up, by what became of them.", []string{"door", "source", "outcome"}, nil)

// Collect reads the counts.
func (a *arrivals) Collect(out chan<- prometheus.Metric) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, n := range a.names {
		for o := range outcomes {
			out <- prometheus.MustNewConstMetric(descArrivals, prometheus.CounterValue, float64(*a.by[n].of(o)), n.Door, n.Source, outcomeNames[o])
		}
	}
}
