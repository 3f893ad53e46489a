package clean_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"kindred/data"
	"kindred/data/event"
	"kindred/serving/ingest/clean"
	"kindred/serving/ingest/stage"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// eventOf is the event that the server makes of a call of the source.
func eventOf(t testing.TB, source, call string) data.Event {
	t.Helper()
	c, err := event.ParseCall([]byte(call), "")
	if err != nil {
		t.Fatal(err)
	}
	e, err := c.Canonical(event.Intake{Source: source, Received: noon, NewID: func() string { return "id" }})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// write makes a file and returns its path.
func write(t testing.TB, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// cleaner is one of the default configuration, changed by with.
func cleaner(t testing.TB, with func(*clean.Config)) *clean.Cleaner {
	t.Helper()
	cfg := clean.Default()
	if with != nil {
		with(&cfg)
	}
	c, err := clean.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mmdb writes a geography in which 81.2.69.0/24 and 2001:db9::/32 are London.
func mmdb(t testing.TB, city string) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "Test-City", RecordSize: 24})
	if err != nil {
		t.Fatal(err)
	}
	for _, cidr := range []string{"81.2.69.0/24", "2a02:1234::/32"} {
		_, network, _ := net.ParseCIDR(cidr)
		if err := tree.Insert(network, mmdbtype.Map{
			"country": mmdbtype.Map{"iso_code": mmdbtype.String("GB")}, "continent": mmdbtype.Map{"code": mmdbtype.String("EU")},
			"subdivisions": mmdbtype.Slice{mmdbtype.Map{"iso_code": mmdbtype.String("ENG")}},
			"city":         mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String(city)}}, "location": mmdbtype.Map{"time_zone": mmdbtype.String("Europe/London")},
		}); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if _, err := tree.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const (
	iphone   = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1"
	chromeUA = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"
	google   = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
)

// same reports what differs between two JSON texts.
func same(got, want string) string {
	var g, w any
	if want == "" || got == "" {
		return cmp.Diff(want, got)
	}
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		return err.Error() + ": " + got
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		return err.Error() + ": " + want
	}
	return cmp.Diff(w, g)
}

func TestContext(t *testing.T) {
	london := write(t, "city.mmdb", mmdb(t, "London"))
	browser := stage.Caller{Client: true, IP: netip.MustParseAddr("81.2.69.142"), UserAgent: iphone}
	device := `"device":{"type":"mobile","os":"iOS","os_version":"17.1","browser":"Safari","browser_version":"17.1","model":"iPhone"}`
	geo := `"geo":{"continent":"EU","country":"GB","region":"ENG","city":"London","tz":"Europe/London"}`
	for _, tt := range []struct {
		name    string
		with    func(*clean.Config)
		context string
		from    stage.Caller
		want    string // of the context
	}{
		{"a browser", nil, `{"locale":"de"}`, browser, `{"locale":"de",` + device + `,"ip":"81.2.69.0/24"}`},
		{"IPv6", nil, `{"userAgent":""}`, stage.Caller{Client: true, IP: netip.MustParseAddr("2a02:1234:5678:9abc::1")}, `{"userAgent":"","ip":"2a02:1234:5678::/48"}`},
		{"IPv4 in IPv6", nil, `{}`, stage.Caller{Client: true, IP: netip.MustParseAddr("::ffff:81.2.69.142")}, `{"ip":"81.2.69.0/24"}`},
		{"a server", nil, `{"x":1}`, stage.Caller{IP: browser.IP, UserAgent: "okhttp"}, `{"x":1}`},
		{"a server that asks", nil, `{"direct":true}`, stage.Caller{IP: browser.IP}, `{"direct":true,"ip":"81.2.69.0/24"}`},
		{"a server that says", func(c *clean.Config) { c.Geo = london }, `{"ip":"81.2.69.160"}`, stage.Caller{IP: netip.MustParseAddr("10.0.0.1")}, `{` + geo + `,"ip":"81.2.69.0/24"}`},
		{"a page that says its own", nil, `{"ip":"0.0.0.0"}`, stage.Caller{Client: true, IP: browser.IP}, `{"ip":"0.0.0.0/24"}`},
		{"no address", nil, `{"ip":"nonsense","x":1}`, stage.Caller{}, `{"x":1}`},
		{"shortened before", nil, `{"ip":"81.2.69.0/24"}`, stage.Caller{}, `{"ip":"81.2.69.0/24"}`},
		{"full", func(c *clean.Config) { c.IP = clean.IPFull }, `{}`, browser, `{` + device + `,"ip":"81.2.69.142"}`},
		{"none", func(c *clean.Config) { c.IP, c.Geo = clean.IPNone, london }, `{"ip":"81.2.69.142"}`, browser, `{` + device + `,` + geo + `}`},
		{"nothing left", func(c *clean.Config) { c.IP = clean.IPNone }, `{"ip":"81.2.69.142"}`, stage.Caller{}, ``},
		{"a place of the page's", func(c *clean.Config) { c.Geo, c.IP = london, clean.IPNone }, `{"geo":{"country":"XX"}}`, stage.Caller{Client: true, IP: browser.IP}, `{` + geo + `}`},
		{"a place of the server's", func(c *clean.Config) { c.Geo = london }, `{"geo":{"country":"XX"},"ip":"81.2.69.142"}`, stage.Caller{}, `{"geo":{"country":"XX"},"ip":"81.2.69.0/24"}`},
		{"nowhere", func(c *clean.Config) { c.Geo = london }, `{"ip":"203.0.113.9"}`, stage.Caller{}, `{"ip":"203.0.113.0/24"}`},
		{"the client's own device stands", nil, `{"device":{"id":"d1","type":"desktop","browser":"Mine"}}`, stage.Caller{Client: true, UserAgent: iphone},
			`{"device":{"id":"d1","type":"desktop","browser":"Mine","os":"iOS","os_version":"17.1","browser_version":"17.1","model":"iPhone"}}`},
		{"Segment's mobile library", nil, `{"device":{"type":"ios","model":"iPad7,5"},"os":{"name":"iPadOS","version":"17.2"}}`, stage.Caller{Client: true, UserAgent: "okhttp/4"},
			`{"device":{"type":"tablet","model":"iPad7,5","os":"iPadOS","os_version":"17.2","browser":"okhttp","browser_version":"4"},"os":{"name":"iPadOS","version":"17.2"}}`},
		{"hints of the page", nil, `{"userAgent":` + q(chromeUA) + `,"userAgentData":{"brands":[{"brand":"Not?A_Brand","version":"8"},{"brand":"Chromium","version":"120"},{"brand":"Google Chrome","version":"120"}],"mobile":false,"platform":"Windows","platformVersion":"15.0.0"}}`, stage.Caller{Client: true},
			`{"userAgent":` + q(chromeUA) + `,"userAgentData":{"brands":[{"brand":"Not?A_Brand","version":"8"},{"brand":"Chromium","version":"120"},{"brand":"Google Chrome","version":"120"}],"mobile":false,"platform":"Windows","platformVersion":"15.0.0"},"device":{"type":"desktop","os":"Windows","os_version":"11","browser":"Chrome","browser_version":"120"}}`},
		{"hints of the request", nil, ``, stage.Caller{Client: true, UserAgent: "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
			Hints: map[string]string{"sec-ch-ua-mobile": "?0", "sec-ch-ua-platform": `"Android"`, "sec-ch-ua-model": `"Pixel Tablet"`, "sec-ch-ua": `"Microsoft Edge";v="121", "Chromium";v="121"`}},
			`{"device":{"type":"tablet","os":"Android","os_version":"10","browser":"Microsoft Edge","browser_version":"121","model":"Pixel Tablet"}}`},
		{"off", func(c *clean.Config) { c.Device, c.Bot.Enabled, c.IP = false, false, clean.IPNone }, `{"locale":"de"}`, browser, `{"locale":"de"}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			call := `{"type":"track","event":"X","userId":"u"}`
			if tt.context != "" {
				call = `{"type":"track","event":"X","userId":"u","context":` + tt.context + `}`
			}
			e := eventOf(t, "shop", call)
			if v := cleaner(t, tt.with).Apply(&e, &tt.from); v != (stage.Verdict{}) {
				t.Fatalf("verdict %+v", v)
			}
			if d := same(string(e.Ctx), tt.want); d != "" {
				t.Error(d)
			}
		})
	}
}

func q(s string) string { b, _ := json.Marshal(s); return string(b) }

func TestBotScores(t *testing.T) {
	lists := func(c *clean.Config) {
		c.Bot.UserAgents = write(t, "agents.txt", "# ours\nShopMonitor/\\d\n!^Googlebot-Friend\n")
		c.Bot.Networks = write(t, "networks.txt", "# two\n198.51.100.0/24 some cloud\n198.51.100.128/25\n2001:db8::/32\n10.1.2.3\n")
	}
	client := func(ua, ip string) stage.Caller {
		from := stage.Caller{Client: true, UserAgent: ua}
		if ip != "" {
			from.IP = netip.MustParseAddr(ip)
		}
		return from
	}
	page := `{"type":"page","userId":"u","context":{"locale":"de"}}`
	for _, tt := range []struct {
		name, call string
		from       stage.Caller
		want       string
	}{
		{"a person", page, client(chromeUA, "203.0.113.9"), ``},
		{"a crawler", page, client(google, ""), `{"score":0.950,"reasons":["user_agent:Googlebot/"]}`},
		{"the operator's", page, client("ShopMonitor/2", ""), `{"score":0.950,"reasons":["user_agent:ShopMonitor/\\d"]}`},
		{"never", page, client("Googlebot-Friend Googlebot/2.1", ""), ``},
		{"no user agent", page, client("", ""), `{"score":0.500,"reasons":["no_user_agent"]}`},
		{"a data centre", page, client(chromeUA, "198.51.100.7"), `{"score":0.500,"reasons":["datacentre"]}`},
		{"a data centre of IPv6", page, client(chromeUA, "2001:db8::7"), `{"score":0.500,"reasons":["datacentre"]}`},
		{"one address", page, client(chromeUA, "10.1.2.3"), `{"score":0.500,"reasons":["datacentre"]}`},
		{"its neighbour", page, client(chromeUA, "10.1.2.4"), ``},
		{"driven", `{"type":"page","userId":"u","context":{"locale":"de","navigator":{"webdriver":true}}}`, client(chromeUA, ""), `{"score":0.900,"reasons":["webdriver"]}`},
		{"no script", `{"type":"page","userId":"u"}`, client(chromeUA, ""), `{"score":0.200,"reasons":["no_script"]}`},
		{"no dwell", `{"type":"track","event":"Page Left","userId":"u","properties":{"dwell_seconds":0}}`, client(chromeUA, ""), `{"score":0.100,"reasons":["no_dwell"]}`},
		{"two signs", page, client("curl/8", "198.51.100.7"), `{"score":0.975,"reasons":["user_agent:^curl","datacentre"]}`},
		{"a server's own agent", page, stage.Caller{UserAgent: "curl/8"}, ``},
		{"the agent that a server tells of", `{"type":"page","userId":"u","context":{"userAgent":"curl/8"}}`, stage.Caller{}, `{"score":0.950,"reasons":["user_agent:^curl"]}`},
	} {
		e := eventOf(t, "shop", tt.call)
		v := cleaner(t, lists).Apply(&e, &tt.from)
		if d := same(string(e.Bot), tt.want); d != "" || v != (stage.Verdict{}) {
			t.Errorf("%s: %s %+v", tt.name, d, v)
		}
	}
}

func TestBotActions(t *testing.T) {
	c := cleaner(t, func(c *clean.Config) { c.Bot.QuarantineAt, c.Bot.DropAt = 0.5, 0.95 })
	for _, tt := range []struct {
		ua   string
		fate stage.Fate
		kind string
	}{{chromeUA, stage.Keep, ""}, {"", stage.Refuse, "bot.quarantine"}, {"curl/8", stage.Drop, "bot.drop"}} {
		e := eventOf(t, "shop", `{"type":"page","userId":"u","context":{"locale":"de"}}`)
		v := c.Apply(&e, &stage.Caller{Client: true, UserAgent: tt.ua})
		if v.Fate != tt.fate || v.Kind != tt.kind || (v.Reason == "") != (v.Fate == stage.Keep) {
			t.Errorf("%q: %+v", tt.ua, v)
		}
	}
	got := c.Counts()
	if got[clean.Count{"bot.drop", ""}] != 1 || got[clean.Count{"bot.quarantine", ""}] != 1 || got[clean.Count{"bot.reason", "no_user_agent"}] != 1 {
		t.Errorf("counts %v", got)
	}
}

func TestMoreThanAPersonCanDo(t *testing.T) {
	c := cleaner(t, func(c *clean.Config) { c.Bot.PersonRate, c.Bot.AddressRate = 5, 12 })
	from := stage.Caller{Client: true, UserAgent: chromeUA, IP: netip.MustParseAddr("203.0.113.9")}
	at := func(user string, received time.Time) string {
		e := eventOf(t, "shop", `{"type":"track","event":"X","userId":"`+user+`"}`)
		e.Times.Received = received
		c.Apply(&e, &from)
		return string(e.Bot)
	}
	for i := range 7 {
		if got := at("ann", noon); (got != "") != (i >= 5) || i >= 5 && !strings.Contains(got, `"rate"`) {
			t.Errorf("event %d of ann: %s", i+1, got)
		}
	}
	if got := at("ann", noon.Add(10*time.Second)); got != "" {
		t.Errorf("in the next window: %s", got)
	}
	last := ""
	for i := range 13 {
		last = at(fmt.Sprint("user", i), noon.Add(20*time.Second))
	}
	if !strings.Contains(last, "address_rate") {
		t.Errorf("the thirteenth of an address: %q", last)
	}
}

func TestFilesAreReadAgainWhenTheyChange(t *testing.T) {
	london := write(t, "city.mmdb", mmdb(t, "London"))
	rules := write(t, "rules.yaml", "mappings: {shop: [{set: {name: '\"One\"'}}]}")
	c := cleaner(t, func(c *clean.Config) { c.Geo, c.Rules = london, rules })
	look := func() string {
		e := eventOf(t, "shop", `{"type":"track","event":"X","userId":"u","context":{"ip":"81.2.69.1"}}`)
		c.Apply(&e, &stage.Caller{})
		var ctx struct{ Geo struct{ City string } }
		json.Unmarshal(e.Ctx, &ctx)
		return e.Name + " " + ctx.Geo.City
	}
	touch := func(path, content string, at time.Time) {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if changed, err := c.Refresh(); changed || err != nil {
		t.Errorf("nothing has changed: %v, %v", changed, err)
	}
	touch(london, mmdb(t, "Leeds"), noon)
	touch(rules, "mappings: {shop: [{set: {nmae: '1'}}]}", noon)
	changed, err := c.Refresh()
	if !changed || err == nil || !strings.Contains(err.Error(), rules) {
		t.Errorf("one good file, one bad: %v, %v", changed, err)
	}
	if got := look(); got != "One Leeds" {
		t.Errorf("the bad file's former content stays: %s", got)
	}
	touch(rules, "mappings: {shop: [{set: {name: '\"Two\"'}}]}", noon.Add(time.Second))
	if changed, err := c.Refresh(); !changed || err != nil {
		t.Errorf("mended: %v, %v", changed, err)
	}
	if got := look(); got != "Two Leeds" {
		t.Errorf("mended: %s", got)
	}
}

func TestNewRefusesFilesThatItCannotRead(t *testing.T) {
	for _, tt := range []struct {
		with func(*clean.Config)
		want string
	}{
		{func(c *clean.Config) { c.Geo = write(t, "x", "no mmdb") }, "not an MMDB file"},
		{func(c *clean.Config) { c.Geo = "/nowhere/x" }, "no such file"},
		{func(c *clean.Config) { c.Bot.UserAgents = write(t, "x", "ok\n(") }, "line 2"},
		{func(c *clean.Config) { c.Bot.UserAgents = write(t, "x", ".*") }, "matches everything"},
		{func(c *clean.Config) { c.Bot.Networks = write(t, "x", "\n300.0.0.0/8") }, "line 2"},
		{func(c *clean.Config) { c.IP = "half" }, "use full, truncated or none"},
		{func(c *clean.Config) { c.Bot.QuarantineAt, c.Bot.DropAt = 0.9, 0.5 }, "nothing would be quarantined"},
	} {
		cfg := clean.Default()
		tt.with(&cfg)
		if _, err := clean.New(cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q", err, tt.want)
		}
	}
}

func TestCachesStayBounded(t *testing.T) {
	c := cleaner(t, func(c *clean.Config) { c.DeviceCache = 64 })
	for i := range 5000 {
		e := eventOf(t, "shop", `{"type":"page","userId":"u"}`)
		c.Apply(&e, &stage.Caller{Client: true, UserAgent: fmt.Sprintf("Mozilla/5.0 (X11; Linux) number/%d %s", i, strings.Repeat("x", 2000))})
	}
	if n := c.Remembered(); n == 0 || n > 64 {
		t.Errorf("%d agents are remembered, want at most 64", n)
	}
}

func TestConcurrentUse(t *testing.T) {
	c := cleaner(t, func(c *clean.Config) { c.Geo = write(t, "city.mmdb", mmdb(t, "London")) })
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			from := stage.Caller{Client: true, UserAgent: iphone, IP: netip.MustParseAddr("81.2.69.142")}
			for i := range 300 {
				e := eventOf(t, "shop", `{"type":"track","event":"X","userId":"u`+fmt.Sprint(g, i)+`"}`)
				if c.Apply(&e, &from); !bytes.Contains(e.Ctx, []byte("London")) || !bytes.Contains(e.Ctx, []byte("iPhone")) {
					t.Errorf("context %s", e.Ctx)
					return
				}
				if from.Reset(); i%50 == 0 {
					c.Refresh()
				}
			}
		})
	}
	all.Wait()
}

func TestTheSteadyStateAllocatesNothing(t *testing.T) {
	c := cleaner(t, func(c *clean.Config) { c.Geo = write(t, "city.mmdb", mmdb(t, "London")) })
	e := eventOf(t, "shop", `{"type":"track","event":"X","userId":"u","context":{"locale":"de","userAgent":`+q(chromeUA)+`,"page":{"path":"/"}}}`)
	from := stage.Caller{Client: true, UserAgent: iphone, IP: netip.MustParseAddr("81.2.69.142")}
	ctx := e.Ctx
	one := func() {
		e.Ctx, e.Times.Received = ctx, e.Times.Received.Add(time.Second)
		c.Apply(&e, &from)
		from.Reset()
	}
	one()
	if n := testing.AllocsPerRun(200, one); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
	if !strings.Contains(string(e.Ctx), "London") || !strings.Contains(string(e.Ctx), "Chrome") {
		t.Errorf("context %s", e.Ctx)
	}
}
