package clean_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"kindred/serving/ingest/clean"
	"kindred/serving/ingest/stage"
)

func BenchmarkApply(b *testing.B) {
	london := write(b, "city.mmdb", mmdb(b, "London"))
	call := `{"type":"track","event":"Product Viewed","userId":"u","properties":{"product_id":"p1","price":59.9,"currency":"EUR","category":"schuhe","at":1700000000},` +
		`"context":{"page":{"path":"/p/48213","url":"https://shop.example/p/48213"},"userAgent":` + q(chromeUA) + `,"locale":"en-GB","library":{"name":"analytics.js","version":"2.1.0"}}}`
	for _, bm := range []struct {
		name  string
		with  func(*clean.Config)
		rules string
	}{
		{"off", func(c *clean.Config) { c.Device, c.Bot.Enabled, c.IP = false, false, clean.IPNone }, ""},
		{"device", func(c *clean.Config) { c.Bot.Enabled, c.IP = false, clean.IPNone }, ""},
		{"bot", func(c *clean.Config) { c.Device, c.IP = false, clean.IPNone }, ""},
		{"ip", func(c *clean.Config) { c.Device, c.Bot.Enabled = false, false }, ""},
		{"geo", func(c *clean.Config) { c.Device, c.Bot.Enabled, c.Geo = false, false, london }, ""},
		{"default", func(*clean.Config) {}, ""},
		{"dates", func(c *clean.Config) { c.Device, c.Bot.Enabled, c.IP = false, false, clean.IPNone }, "dates: [properties.at]"},
		{"money", func(c *clean.Config) { c.Device, c.Bot.Enabled, c.IP = false, false, clean.IPNone }, "money: {fields: [price]}"},
		{"mapping-not-meant", func(c *clean.Config) { c.Device, c.Bot.Enabled, c.IP = false, false, clean.IPNone }, `mappings: {shop: [{when: event.name == "x", drop: [properties.a]}]}`},
		{"mapping", func(c *clean.Config) { c.Device, c.Bot.Enabled, c.IP = false, false, clean.IPNone }, `mappings: {shop: [{when: properties.price > 1.0, set: {properties.cents: properties.price * 100.0}}]}`},
	} {
		b.Run(bm.name, func(b *testing.B) {
			c := cleaner(b, func(cfg *clean.Config) {
				if bm.with(cfg); bm.rules != "" {
					cfg.Rules = write(b, "rules.yaml", bm.rules)
				}
			})
			e := eventOf(b, "shop", call)
			former := e
			from := stage.Caller{Source: "shop", Client: true, UserAgent: iphone, IP: netip.MustParseAddr("81.2.69.142")}
			b.ReportAllocs()
			for b.Loop() {
				received := e.Times.Received.Add(time.Second)
				e = former
				e.Times.Received = received
				if v := c.Apply(&e, &from); v.Fate != stage.Keep {
					b.Fatal(v)
				}
				from.Reset()
			}
		})
	}
	b.Run("new-agent", func(b *testing.B) {
		c := cleaner(b, nil)
		e := eventOf(b, "shop", call)
		n := 0
		for b.Loop() {
			n++
			e.Ctx = fmt.Appendf(e.Ctx[:0], `{"userAgent":"%s %d"}`, chromeUA, n)
			c.Apply(&e, &stage.Caller{})
		}
	})
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		cleaner(b, nil)
	}
}
