package clean

import (
	"net/netip"
	"sync/atomic"
	"unsafe"

	"kindred/data"
	"kindred/features/expr/rawjson"
	"kindred/serving/ingest/stage"
)

// Cleaner is the clean-up stage. It is safe for concurrent use.
type Cleaner struct {
	cfg    Config
	now    atomic.Pointer[files]
	rates  *rates
	counts counts
}

var _ stage.Stage = (*Cleaner)(nil)

// New reads the files that cfg names. The error names the file and what is wrong with it.
func New(cfg Config) (*Cleaner, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	c := &Cleaner{cfg: cfg, rates: newRates(), counts: counts{n: map[Count]uint64{}}}
	first, _, err := c.read(nil)
	if err != nil {
		return nil, err
	}
	c.now.Store(first)
	return c, nil
}

// Counts are totals since the start.
func (c *Cleaner) Counts() map[Count]uint64 { return c.counts.totals() }

// Apply cleans the event. It is refused where a mapping made it one that a client could
// not have sent, and where its bot score says so.
func (c *Cleaner) Apply(e *data.Event, from *stage.Caller) stage.Verdict {
	if e.Type == data.System {
		return stage.Verdict{}
	}
	now := c.now.Load()
	if now.rules != nil {
		if v := applyRules(now.rules, e, c.countsFor(from)); v.Fate != stage.Keep {
			return v
		}
	}
	return c.enrich(now, e, from)
}

// countsFor are the totals that an event counts in: none where it was counted before.
func (c *Cleaner) countsFor(from *stage.Caller) *counts {
	if from.Again {
		return nil
	}
	return &c.counts
}

func applyRules(r *rules, e *data.Event, counts *counts) stage.Verdict {
	changed := false
	for _, list := range [...][]mapping{r.every, r.mappings[e.Source]} {
		for i := range list {
			did, discarded := list[i].apply(e, counts)
			if discarded {
				counts.add("mapping.discarded", list[i].label)
				return stage.Verdict{Fate: stage.Drop, Kind: "mapping.discard", Reason: "discarded by the mapping " + list[i].label}
			}
			changed = changed || did
		}
	}
	if r.normalise(e, counts) || changed {
		if err := derive(e); err != nil {
			return stage.Verdict{Fate: stage.Refuse, Kind: "mapping.refuse", Reason: "after clean-up: " + err.Error()}
		}
	}
	return stage.Verdict{}
}

// contextParts is what enriching looks for in the context.
type contextParts struct {
	agent     string
	ip        []byte // the value, or nil
	device    []byte // an object, or nil
	os        []byte // an object, or nil
	geo       []byte // an object, or nil
	hints     []byte // userAgentData, or nil
	direct    bool   // asks for the address of the request
	webdriver bool
	scripted  bool // a script said something that a fetched page cannot
}

func readParts(ctx []byte) (p contextParts) {
	for o := rawjson.Fields(ctx); o.Next(); {
		switch v := o.Value; alias(o.Name) {
		case "userAgent":
			p.agent, _ = rawjson.Text(v)
		case "ip":
			p.ip = v
		case "device":
			p.device = objectOnly(v)
		case "os":
			p.os = objectOnly(v)
		case "geo":
			p.geo = objectOnly(v)
		case "userAgentData":
			p.hints = objectOnly(v)
			p.scripted = true
		case "direct":
			p.direct = v[0] == 't'
		case "webdriver":
			p.webdriver = v[0] == 't'
		case "navigator":
			w := rawjson.Field(v, "webdriver")
			p.webdriver = p.webdriver || len(w) > 0 && w[0] == 't'
		case "page", "screen", "locale", "timezone", "tz", "library", "app":
			p.scripted = true
		}
	}
	return p
}

func objectOnly(v []byte) []byte {
	if v[0] != '{' {
		return nil
	}
	return v
}

// enrich adds device and place, scores, and shortens the address, in one rewriting of the context.
func (c *Cleaner) enrich(now *files, e *data.Event, from *stage.Caller) stage.Verdict {
	parts := readParts(e.Ctx)
	headers := false
	if parts.agent == "" && from.Client {
		parts.agent, headers = from.UserAgent, true
	}
	var a *agent
	if (c.cfg.Device || c.cfg.Bot.Enabled) && (parts.agent != "" || parts.hints != nil) {
		a = c.agentOf(now, &parts, from, headers || from.Client && parts.hints == nil)
	}
	addr := from.IP.Unmap().WithZone("")
	text, said := rawjson.Text(parts.ip)
	switch {
	case said && !from.Client: // the server that sends knows whose address it is
		addr = address(text)
	case !from.Client && !parts.direct:
		addr = netip.Addr{}
	}
	var verdict stage.Verdict
	if c.cfg.Bot.Enabled {
		var s signs
		if c.suspect(e, from, &parts, a, addr, now, &s); s.n > 0 {
			verdict = c.judge(e, from, &s)
			if verdict.Fate != stage.Keep {
				return verdict
			}
		}
	}
	place := now.geography.find(addr)
	var ip [64]byte
	kept := parts.ip
	switch {
	case c.cfg.IP == IPNone:
		kept = nil
	case said && truncated(parts.ip) && c.cfg.IP == IPTruncated:
	case said && c.cfg.IP == IPFull: // as the client wrote it, which may be 0.0.0.0 on purpose
	case said:
		kept = appendIP(ip[:0], address(text), c.cfg.IP)
	default:
		kept = appendIP(ip[:0], addr, c.cfg.IP)
	}
	c.write(e, from, &parts, a, place, kept)
	return verdict
}

// agentOf is what the user agent and its hints mean, remembered by their bytes.
func (c *Cleaner) agentOf(now *files, p *contextParts, from *stage.Caller, headers bool) *agent {
	ua := clip(p.agent, maxAgentBytes)
	raw := p.hints
	if len(raw) > maxHintBytes {
		raw = nil
	}
	var room [maxAgentBytes + 4*maxHintBytes]byte
	key := append(append(append(room[:0], ua...), '\n'), raw...)
	headers = headers && raw == nil && len(from.Hints) > 0
	if headers {
		for _, name := range hintHeaders {
			key = append(append(key, '\n'), clip(from.Hints[name], maxHintBytes/2)...)
		}
	}
	return now.agents.get(key, func() *agent {
		h := hints{}
		if raw != nil {
			h = readHintData(raw)
		} else if headers {
			h = readHintHeaders(from.Hints)
		}
		return tell(ua, h, now.list)
	})
}

// judge writes the score into the event and says what becomes of it.
func (c *Cleaner) judge(e *data.Event, from *stage.Caller, s *signs) stage.Verdict {
	score := s.score()
	e.Bot = s.json(score, from)
	kind, fate := "bot.flag", stage.Keep
	switch {
	case c.cfg.Bot.DropAt > 0 && score >= c.cfg.Bot.DropAt:
		kind, fate = "bot.drop", stage.Drop
	case c.cfg.Bot.QuarantineAt > 0 && score >= c.cfg.Bot.QuarantineAt:
		kind, fate = "bot.quarantine", stage.Refuse
	}
	counts := c.countsFor(from)
	counts.add(kind, "")
	for _, x := range s.list[:s.n] {
		counts.add("bot.reason", x.reason)
	}
	if fate == stage.Keep {
		return stage.Verdict{}
	}
	return stage.Verdict{Fate: fate, Kind: kind, Reason: reasonPrefix + string(e.Bot)}
}

// alias is b as a string without a copy.
func alias(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
