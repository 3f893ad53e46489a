package clean

import (
	"strings"

	"kindred/data"
	"kindred/features/expr/rawjson"
	"kindred/serving/ingest/stage"
)

// write makes the event's context with device, place and address, in room of the caller's;
// a context that would not change is left alone.
func (c *Cleaner) write(e *data.Event, from *stage.Caller, p *contextParts, a *agent, place, ip []byte) {
	device := c.cfg.Device && (a != nil && len(a.device) > 0 || p.device != nil || p.os != nil)
	geo := len(place) > 0 && (p.geo == nil || from.Client) // a server that sends a place knows better
	if len(ip) == 0 {
		ip = nil
	}
	if !device && !geo && string(ip) == string(p.ip) {
		return
	}
	n := len(e.Ctx) + len(place) + len(ip) + 64
	if a != nil {
		n += len(a.device)
	}
	b := append(from.Room(n + 128)[:0], '{')
	for o := rawjson.Fields(e.Ctx); o.Next(); {
		switch name := alias(o.Name); {
		case name == "ip", name == "device" && device && p.device != nil, name == "geo" && geo:
			continue
		}
		b = append(append(comma(b), '"'), o.Name...)
		b = append(append(b, '"', ':'), o.Value...)
	}
	if device {
		b = append(comma(b), `"device":{`...)
		b = append(appendDevice(b, p, a), '}')
	}
	if geo {
		b = append(append(append(comma(b), `"geo":{`...), place...), '}')
	}
	if ip != nil {
		b = append(append(comma(b), `"ip":`...), ip...)
	}
	if b = append(b, '}'); len(b) == 2 {
		b = nil
	}
	e.Ctx = b
}

// comma appends the comma before another field, unless it is the first.
func comma(b []byte) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	return b
}

// appendDevice appends what the client says about its device, and behind it what the user
// agent told and the client did not. Segment's mobile libraries write the system into
// type (ios, android): there type becomes mobile or tablet, and the system os.
func appendDevice(b []byte, p *contextParts, a *agent) []byte {
	var kind, os, version string
	if t, ok := rawjson.Text(rawjson.Field(p.device, "type")); ok {
		switch t {
		case "ios", "iOS":
			kind, os = "mobile", "iOS"
		case "android", "Android":
			kind, os = "mobile", "Android"
		}
		model, _ := rawjson.Text(rawjson.Field(p.device, "model"))
		if kind != "" && (a != nil && a.kind == "tablet" || strings.HasPrefix(model, "iPad")) {
			kind = "tablet"
		}
	}
	if name, _ := rawjson.Text(rawjson.Field(p.os, "name")); name != "" {
		os = name
		version, _ = rawjson.Text(rawjson.Field(p.os, "version"))
	}
	for o := rawjson.Fields(p.device); o.Next(); {
		if kind == "" || !o.Is("type") {
			b = append(append(comma(b), '"'), o.Name...)
			b = append(append(b, '"', ':'), o.Value...)
		}
	}
	for _, f := range [...][2]string{{"type", kind}, {"os", os}, {"os_version", version}} {
		if f[1] != "" && (f[0] == "type" || rawjson.Field(p.device, f[0]) == nil) {
			b = rawjson.AppendText(append(rawjson.AppendText(comma(b), f[0]), ':'), clip(f[1], 60))
		}
	}
	if a == nil {
		return b
	}
	for o := rawjson.Bare(a.device); o.Next(); {
		if o.Is("type") && kind != "" || (o.Is("os") || o.Is("os_version")) && os != "" || rawjson.Field(p.device, alias(o.Name)) != nil {
			continue
		}
		b = append(append(comma(b), '"'), o.Name...)
		b = append(append(b, '"', ':'), o.Value...)
	}
	return b
}
