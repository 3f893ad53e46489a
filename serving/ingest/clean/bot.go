package clean

import (
	"net/netip"
	"strconv"
	"strings"

	"kindred/data"
	"kindred/features/expr/rawjson"
	"kindred/serving/ingest/stage"
)

// sign is one reason to take an event for a program's, and how sure it makes: the score of
// several is 1 − Π(1−weight), as of independent evidence.
type sign struct {
	reason string
	weight float64
}

// The weights of the signs.
const (
	weightAgent     = 0.95 // the user agent says so itself
	weightWebdriver = 0.9  // the browser is driven by a program (WebDriver, navigator.webdriver)
	weightRate      = 0.8  // more events than a person can make
	weightNetwork   = 0.5  // from a data centre; people use VPNs, too
	weightNoAgent   = 0.5  // a browser without a user agent
	weightNoScript  = 0.2  // a page view of which no script said anything: pixels and fetched pages
	weightNoDwell   = 0.1  // left a page in the instant it came
)

// signs collects what speaks for a program. They are few, so that they need no heap.
type signs struct {
	list [8]sign
	n    int
}

func (s *signs) add(reason string, weight float64) {
	if s.n < len(s.list) {
		s.list[s.n] = sign{reason, weight}
		s.n++
	}
}

func (s *signs) score() float64 {
	no := 1.0
	for _, x := range s.list[:s.n] {
		no *= 1 - x.weight
	}
	return 1 - no
}

// json is {"score":0.95,"reasons":["user_agent:curl"]}, in room of the caller's.
func (s *signs) json(score float64, from *stage.Caller) []byte {
	b := from.Room(64 + 100*s.n)[:0]
	b = strconv.AppendFloat(append(b, `{"score":`...), score, 'f', 3, 64)
	b = append(b, `,"reasons":[`...)
	for i, x := range s.list[:s.n] {
		if i > 0 {
			b = append(b, ',')
		}
		b = rawjson.AppendText(b, x.reason)
	}
	return append(b, ']', '}')
}

// WasFast reports whether the reason of a dead letter is this package's, and says that the
// event came faster than people act: what cannot be seen again when it is tried again.
func WasFast(reason string) bool {
	return strings.HasPrefix(reason, reasonPrefix) && (strings.Contains(reason, `"rate"`) || strings.Contains(reason, `"address_rate"`))
}

// reasonPrefix begins the reason of an event that is kept out for its score.
const reasonPrefix = "looks like a program's: bot "

// suspect collects the signs of an event.
func (c *Cleaner) suspect(e *data.Event, from *stage.Caller, ctx *contextParts, a *agent, addr netip.Addr, now *files, s *signs) {
	switch {
	case a != nil && a.bot != "":
		s.add(a.bot, weightAgent)
	case from.Client && ctx.agent == "":
		s.add("no_user_agent", weightNoAgent)
	}
	if ctx.webdriver {
		s.add("webdriver", weightWebdriver)
	}
	if addr.IsValid() && now.networks.contains(addr) {
		s.add("datacentre", weightNetwork)
	}
	if !from.Client {
		return
	}
	if (e.Type == data.Page || e.Type == data.Screen) && !ctx.scripted {
		s.add("no_script", weightNoScript)
	}
	if e.Name == "Page Left" {
		if f, ok := rawjson.Number(rawjson.Field(e.Props, "dwell_seconds")); ok && f <= 0 {
			s.add("no_dwell", weightNoDwell)
		}
	}
	if e.Imported {
		return
	}
	if from.Again {
		if from.Fast && (c.cfg.Bot.PersonRate > 0 || c.cfg.Bot.AddressRate > 0) {
			s.add("rate", weightRate)
		}
		return
	}
	who := string(e.IDs.User)
	if who == "" {
		who = string(e.IDs.Anonymous)
	}
	if c.cfg.Bot.PersonRate > 0 && who != "" && c.rates.add('p', who, e.Times.Received) > c.cfg.Bot.PersonRate {
		s.add("rate", weightRate)
	} else if c.cfg.Bot.AddressRate > 0 && addr.IsValid() {
		var text [48]byte
		if c.rates.add('a', alias(addr.AppendTo(text[:0])), e.Times.Received) > c.cfg.Bot.AddressRate {
			s.add("address_rate", weightRate)
		}
	}
}
