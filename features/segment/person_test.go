package segment

import (
	"encoding/json"
	"math"
	"time"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"kindred/data"
	"kindred/features/window"
)

// someone is a person whose profile a test says.
type someone struct {
	traits     map[string]string
	consent    string
	open       int64
	current    data.Session
	last       data.Session
	count      int64
	own, total data.Decayed
	engagement data.Decayed
	cluster    int32
	churn      float64
	halfLife   time.Duration // of affinities and engagement, if not two weeks and one
}

func (p *someone) fades(otherwise time.Duration) time.Duration {
	if p.halfLife > 0 {
		return p.halfLife
	}
	return otherwise
}

func (p *someone) Trait(name string) []byte {
	text := p.traits[name]
	return unsafe.Slice(unsafe.StringData(text), len(text)) // no copy, for the benchmarks
}
func (p *someone) Consent() []byte { return []byte(p.consent) }
func (p *someone) Session() (int64, data.Session, data.Session, int64) {
	return p.open, p.current, p.last, p.count
}
func (p *someone) Affinity(_, _ string, now int64) (own, sum, prior, halfLife float64) {
	h := p.fades(14 * 24 * time.Hour)
	return window.At(p.own, now, h), window.At(p.total, now, h), 2, float64(h.Milliseconds())
}

func (p *someone) Engagement(now int64, threshold float64) (float64, int64) {
	const scale = 10
	halfLife := p.fades(7 * 24 * time.Hour)
	at := func(t int64) float64 { return 100 * -math.Expm1(-window.At(p.engagement, t, halfLife)/scale) }
	if x := at(now); x <= threshold || threshold <= 0 {
		return x, never
	}
	s := -scale * math.Log1p(-threshold/100)
	t := p.engagement.T + int64(float64(halfLife.Milliseconds())*math.Log2(p.engagement.S/s))
	return at(now), max(now+1, t)
}

func (p *someone) Cluster(string) (int32, float64, bool) { return p.cluster, .5, p.cluster != 0 }
func (p *someone) Predict(string) (float64, bool)        { return p.churn, p.churn != 0 }

// shown is an event of the name at a time, with properties.
func shown(name string, at int64, props string) Event {
	e := &data.Event{Type: data.Track, Name: name, Source: "web", ID: name + time.UnixMilli(at).String()}
	if name == "Page Viewed" {
		e.Type = data.Page
	}
	if props != "" {
		e.Props = json.RawMessage(props)
	}
	return Event{Event: e, At: at, Hash: xxhash.Sum64String(e.ID)}
}
