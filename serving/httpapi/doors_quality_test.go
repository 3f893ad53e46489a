package httpapi_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/maxmind/mmdbwriter"
	"github.com/maxmind/mmdbwriter/mmdbtype"

	"kindred/serving/ingest/clean"
	"kindred/serving/ingest/plan"
)

// from are the headers of a browser at that address, told by a proxy.
func from(address string, more ...string) []string {
	return append(append([]string{"X-API-Key", "ingest-secret", "X-Forwarded-For", address}, chrome...), more...)
}

// cleaned is a server with keys that cleans up and believes the proxy on this machine.
func cleaned(t testing.TB, change func(*clean.Config), more ...func(*overrides)) *opened {
	t.Helper()
	return openDoors(t, true, append(more, func(o *overrides) {
		o.http.TrustedProxies = []string{"127.0.0.0/8"}
		o.clean = cleaner(t, change)
	})...)
}

// london is a geography in which 81.2.69.0/24 is London.
func london(t testing.TB) string {
	t.Helper()
	tree, err := mmdbwriter.New(mmdbwriter.Options{DatabaseType: "Test-City", RecordSize: 24})
	if err != nil {
		t.Fatal(err)
	}
	_, network, _ := net.ParseCIDR("81.2.69.0/24")
	if err := tree.Insert(network, mmdbtype.Map{"country": mmdbtype.Map{"iso_code": mmdbtype.String("GB")}, "city": mmdbtype.Map{"names": mmdbtype.Map{"en": mmdbtype.String("London")}},
		"location": mmdbtype.Map{"time_zone": mmdbtype.String("Europe/London")}}); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := tree.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return file(t, "city.mmdb", b.String())
}

func TestDevicePlaceAndTimeOfDayAreKnown(t *testing.T) {
	o := cleaned(t, func(c *clean.Config) { c.Geo = london(t) })
	at := o.clock.Now()
	o.want(200, "/v1/t", fmt.Sprintf(`{"type":"track","event":"Product Viewed","userId":"ann","messageId":"1","timestamp":%q,"context":{"timezone":"Europe/London","locale":"en-GB","screen":{"width":1280}}}`, at.Format(time.RFC3339)), from("81.2.69.142")...)
	o.want(200, "/v1/t", `{"type":"track","event":"Product Viewed","userId":"ann","messageId":"2"}`, from("81.2.69.142", "Sec-CH-UA-Mobile", "?1", "Sec-CH-UA-Platform", `"Android"`, "Sec-CH-UA-Model", `"Pixel 9"`)...)
	o.want(200, "/v1/t", `{"type":"track","event":"Product Viewed","userId":"ann","messageId":"3","context":{"userAgentData":{"brands":[{"brand":"Microsoft Edge","version":"142"}],"mobile":false,"platform":"macOS"}}}`, from("203.0.113.9")...)
	for id, want := range map[string]map[string]any{
		"1": {"geo.country": "GB", "geo.city": "London", "geo.tz": "Europe/London", "ip": "81.2.69.0/24", "device.type": "desktop", "device.browser": "Chrome", "device.browser_version": "142.0.0.0", "tz": "Europe/London", "locale": "en-GB", "screen.width": 1280.0},
		"2": {"device.type": "mobile", "device.os": "Android", "device.model": "Pixel 9", "geo.city": "London"},
		"3": {"device.type": "desktop", "device.os": "macOS", "device.browser": "Microsoft Edge", "geo": nil, "ip": "203.0.113.0/24"},
	} {
		e := o.named(id)
		for path, value := range want {
			if got := field(t, e.Ctx, strings.Split(path, ".")...); got != value {
				t.Errorf("event %s: %s = %v, want %v, in %s", id, path, got, value, e.Ctx)
			}
		}
		if strings.Contains(string(e.Ctx), "69.142") {
			t.Errorf("event %s keeps the address: %s", id, e.Ctx)
		}
		if !e.Times.Event.Equal(at) {
			t.Errorf("event %s happened at %v, want %v", id, e.Times.Event, at)
		}
	}
}

func TestEverySignOfAProgramIsNamed(t *testing.T) {
	networks := file(t, "networks.txt", "198.51.100.0/24\n")
	agents := file(t, "agents.txt", "ShopMonitor/\\d\n")
	o := cleaned(t, func(c *clean.Config) { c.Bot.Networks, c.Bot.UserAgents, c.Bot.PersonRate = networks, agents, 5 })
	send := func(id, user, path, call string, headers ...string) string {
		o.want(200, path, `{"userId":"`+user+`","messageId":"`+id+`",`+call+`}`, headers...)
		return string(o.named(id).Bot)
	}
	agent := func(ua string) []string {
		return []string{"X-API-Key", "ingest-secret", "Origin", "https://shop.example", "User-Agent", ua}
	}
	const viewed, scripted = `"type":"track","event":"Product Viewed"`, `"context":{"locale":"de"}`
	for _, test := range []struct {
		name, path, call string
		headers          []string
		want             string // a reason, with its score if it is alone
	}{
		{"a person", "/v1/t", viewed, from("203.0.113.9"), ""},
		{"a crawler", "/v1/t", viewed, agent("Googlebot/2.1"), `{"score":0.950,"reasons":["user_agent:Googlebot/"]}`},
		{"of the operator's list", "/v1/t", viewed, agent("ShopMonitor/2"), `{"score":0.950,"reasons":["user_agent:ShopMonitor/\\d"]}`},
		{"a data centre", "/v1/t", viewed, from("198.51.100.7"), `{"score":0.500,"reasons":["datacentre"]}`},
		{"a driven browser", "/v1/t", viewed + `,"context":{"navigator":{"webdriver":true}}`, from("203.0.113.9"), `{"score":0.900,"reasons":["webdriver"]}`},
		{"no script", "/v1/p", `"type":"page"`, from("203.0.113.9"), `{"score":0.200,"reasons":["no_script"]}`},
		{"a script", "/v1/p", `"type":"page",` + scripted, from("203.0.113.9"), ""},
		{"no dwell", "/v1/t", `"type":"track","event":"Page Left","properties":{"dwell_seconds":0}`, from("203.0.113.9"), `{"score":0.100,"reasons":["no_dwell"]}`},
	} {
		if got := send(test.name, test.name, test.path, test.call, test.headers...); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
	for i := range 7 {
		if got := send(fmt.Sprint("r", i), "fast", "/v1/t", viewed, from("203.0.113.9")...); strings.Contains(got, "rate") != (i >= 5) {
			t.Errorf("event %d of somebody within 10 s: %s", i+1, got)
		}
	}
}

// One call with a former shop's names and forms becomes what a tracker of today would send.
func TestUnitsDatesMoneyAndCategoriesAreOfOneForm(t *testing.T) {
	rules := file(t, "rules.yaml", `
mappings:
  site:
    - when: event.name == "article_view"
      set: {name: '"Product Viewed"', properties.product_id: properties.art_no}
dates: [properties.bought_at, properties.seen_at, properties.made_at]
aliases: {properties.category: {Shoes: [schuhe, chaussures]}}
units: [{field: properties.weight, from: lb, to: kg}]
money: {fields: [price], currency: EUR}
`)
	o := cleaned(t, func(c *clean.Config) { c.Rules = rules })
	at := func(d time.Duration) string { return o.clock.Now().Add(d).Format(time.RFC3339) }
	o.want(200, "/v1/batch", `{"sentAt":"`+at(time.Hour)+`","batch":[{"type":"track","event":"article_view","userId":"ann","messageId":"1","timestamp":"`+at(time.Hour-time.Minute)+`","properties":{
		"art_no":"A-7","price":59.9,"category":"SCHUHE","bought_at":1700000000,"seen_at":1700000000000,"made_at":"2023-11-14T23:13:20+01:00","weight":2}}]}`, from("203.0.113.9")...)
	e := o.named("1")
	if e.Name != "Product Viewed" || len(e.Items) != 1 || e.Items[0].ID != "A-7" {
		t.Errorf("the event is %+v", e)
	}
	const day = "2023-11-14T22:13:20.000Z"
	for name, want := range map[string]any{"price_minor": 5990.0, "category": "Shoes", "bought_at": day, "seen_at": day, "made_at": day, "weight": 0.90718474} {
		if got := field(t, e.Props, name); got != want {
			t.Errorf("%s = %v, want %v", name, got, want)
		}
	}
	if !e.Times.Event.Equal(o.clock.Now().Add(-time.Minute)) || e.Times.SkewMS != 3_600_000 {
		t.Errorf("the times are %+v, want a minute ago by a clock an hour fast", e.Times)
	}
}

// The session is the tracker's where it says one; else half an hour of silence ends it.
func TestSessionsAreFoundWhereNobodySaysThem(t *testing.T) {
	o := openDoors(t, true)
	view := func(id string) {
		o.want(200, "/v1/p", `{"type":"page","userId":"ann","messageId":"`+id+`","category":"Lamps","name":"Desk lamps"}`, "X-API-Key", "ingest-secret")
	}
	for i, test := range []struct {
		after           time.Duration
		sessions, views int
	}{{0, 1, 1}, {29 * time.Minute, 1, 2}, {31 * time.Minute, 2, 1}} {
		o.clock.Advance(test.after)
		view(fmt.Sprint("p", i))
		if p := o.person("ann"); p.Sessions != test.sessions || p.Session.Events != test.views {
			t.Errorf("after another %v: %+v, want %d sessions, the last of %d events", test.after, p, test.sessions, test.views)
		}
	}
	if e := o.named("p0"); e.Name != "Page Viewed" || field(t, e.Props, "category") != "Lamps" || field(t, e.Props, "name") != "Desk lamps" {
		t.Errorf("the event is %+v", e)
	}
}

func TestWhatIsTooOldOrCameBeforeCountsNowhere(t *testing.T) {
	o := openDoors(t, true)
	send := func(id string, at time.Time) person {
		t.Helper()
		o.want(200, "/v1/batch", batch(strings.Replace(call("Product Viewed", "ann", "", "lamp", id), "{", `{"timestamp":"`+at.Format(time.RFC3339)+`",`, 1)), "X-API-Key", "ingest-secret")
		return o.person("ann")
	}
	first := o.clock.Now()
	send("1", first)
	if p := send("old", first.Add(-8*24*time.Hour)); p.Counts["views_30d"] != 1 {
		t.Errorf("an event of last week counts: %+v", p)
	}
	if status, late := o.send("GET", "/v1/late-events", "", "X-API-Key", "admin-secret"); status != 200 || !strings.Contains(late, `"old"`) {
		t.Errorf("late events: %d %s", status, late)
	}
	if _, metrics := o.send("GET", "/metrics", "", "X-API-Key", "reader-secret"); !strings.Contains(metrics, `kindred_fold_outcomes_total{outcome="late"} 1`) {
		t.Error("the late event is not counted")
	}
	o.clock.Advance(6*24*time.Hour + 23*time.Hour) // as late as it may come again
	if p := send("1", first); p.Counts["views_30d"] != 1 {
		t.Errorf("the same message id, almost seven days later: %+v", p)
	}
	if p := send("2", o.clock.Now()); p.Counts["views_30d"] != 2 {
		t.Errorf("another message id: %+v", p)
	}
}

// A newer schema with other fields is read beside the older one, and bytes of neither are kept for whoever looks.
func TestSendersOfSeveralSchemasAndOfNone(t *testing.T) {
	o := openDoors(t, true)
	headers := []string{"Content-Type", "application/avro", "X-API-Key", "ingest-secret"}
	o.want(200, "/v1/batch", string(avroBatch(t, "ann")), headers...)
	o.want(200, "/v1/batch", string(avroCall(t, "ann", "a2", "lamp")), headers...)
	if a, b := o.named("a1"), o.named("a2"); a.Name != "Seen" || b.Name != "Product Viewed" || len(b.Items) != 1 {
		t.Errorf("events %+v and %+v", a, b)
	}
	if answer := o.want(400, "/v1/batch", string(avroCall(t, "ann", "a3", "lamp")[:20]), headers...); !strings.Contains(answer, "datum") {
		t.Errorf("half a datum: %s", answer)
	}
	o.want(200, "/v1/webhooks/crm", "\xff\x00", "X-Signature", hexMAC("hush", "\xff\x00"))
	var letters struct {
		DeadLetters []struct{ Reason, Raw string } `json:"dead_letters"`
	}
	_, answer := o.send("GET", "/v1/dead-letters", "", "X-API-Key", "admin-secret")
	if err := json.Unmarshal([]byte(answer), &letters); err != nil || len(letters.DeadLetters) != 1 || letters.DeadLetters[0].Reason == "" {
		t.Errorf("dead letters: %s", answer)
	}
	if p := o.person("ann"); p.Session.Events != 2 {
		t.Errorf("the profile is %+v", p)
	}
}

const shopPlan = `
plan: shop
mode: quarantine
unknown_events: warn
unknown_properties: warn
events:
  - name: Product Viewed
    version: 1
    properties: {type: object, required: [product_id], properties: {product_id: {type: string}, price: {type: number}}}
  - name: Product Viewed
    version: 2
    mode: reject
    properties: {type: object, required: [sku], properties: {sku: {type: string}, price: {type: number}}}
  - name: Order Completed
    properties: {required: [order_id]}
  - type: identify
    traits: {type: object, properties: {age: {type: integer, minimum: 0, maximum: 130, pii: true}, gender: {enum: [female, male, other], pii: true}, location: {type: string, pii: false}, birthday: {type: string, format: date, pii: true}, plan: {enum: [free, gold]}}}
`

// theReport is what the plan's report says of one event.
func (o *opened) theReport() plan.Report {
	o.t.Helper()
	var r plan.Report
	status, answer := o.send("GET", "/v1/schema/report", "", "X-API-Key", "reader-secret")
	if err := json.Unmarshal([]byte(answer), &r); status != 200 || err != nil {
		o.t.Fatalf("report: %d %s %v", status, answer, err)
	}
	return r
}

func TestThePlanJudgesEachVersionAndReportsWhatCame(t *testing.T) {
	stage, _ := planned(t, shopPlan)
	o := openDoors(t, true, func(o *overrides) { o.plan = stage })
	began := o.clock.Now()
	view := func(id, version, properties string) {
		o.want(200, "/v1/t", `{"type":"track","event":"Product Viewed","userId":"ann","messageId":"`+id+`","context":{"protocols":{"event_version":`+version+`}},"properties":{`+properties+`}}`, "X-API-Key", "ingest-secret")
	}
	view("1", "1", `"product_id":"lamp","price":9.5`)
	o.clock.Advance(time.Minute)
	view("2", "1", `"product_id":"lamp","prize":1`)
	view("3", "1", `"price":9.5`)
	view("4", "2", `"sku":"lamp","price":"9.50"`)
	o.want(200, "/v1/t", call("Unheard Of", "ann", "", "lamp", "5"), "X-API-Key", "ingest-secret")
	if events := o.events(); len(events) != 3 {
		t.Errorf("the log has %d events, want the two that fit and the one that is not in the plan", len(events))
	}
	letters := o.letters()
	if len(letters) != 2 || !strings.HasPrefix(letters[0], "plan.quarantine tracking plan: Product Viewed@1: ") || !strings.HasPrefix(letters[1], "plan.reject tracking plan: Product Viewed@2: /properties/price") {
		t.Errorf("the dead letters are %q", letters)
	}
	r := o.theReport()
	i := slices.IndexFunc(r.Events, func(e plan.EventReport) bool { return e.Name == "Product Viewed" })
	if i < 0 || !slices.Contains(r.Missing, "Order Completed@1") {
		t.Fatalf("the report is %+v", r)
	}
	e := r.Events[i]
	if e.Count != 4 || !e.Planned || !e.First.Equal(began) || !e.Last.Equal(o.clock.Now()) || e.Refused[plan.Quarantine] != 1 || e.Refused[plan.Reject] != 1 || len(e.Violations) != 2 {
		t.Errorf("the event's report is %+v", e)
	}
	for _, f := range e.Fields {
		want := map[string]plan.FieldReport{"product_id": {Coverage: .5}, "price": {Coverage: .75, Drift: true}, "prize": {Coverage: .25, Unknown: true}, "sku": {Coverage: .25}}[f.Name]
		if f.Coverage != want.Coverage || f.Drift != want.Drift || f.Unknown != want.Unknown || f.First.IsZero() || f.Last.IsZero() {
			t.Errorf("%s: %+v, want %+v", f.Name, f, want)
		}
	}
}

// Demographics have the types that the plan declares, whichever door they come by, and the report says which of
// them are tagged as personal.
func TestTraitsHaveTheTypesOfThePlan(t *testing.T) {
	stage, _ := planned(t, shopPlan)
	o := openDoors(t, true, func(o *overrides) { o.plan = stage })
	o.want(200, "/v1/i", `{"type":"identify","userId":"ann","traits":{"age":41,"gender":"female","location":"Berlin","birthday":"1985-03-01"}}`, "X-API-Key", "ingest-secret")
	o.want(200, "/v1/i", `{"type":"identify","userId":"ann","traits":{"age":"forty"}}`, "X-API-Key", "ingest-secret")
	o.want(200, "/v1/feeds/people", `<people><person><id>ann</id><plan>gold</plan></person><person><id>ann</id><plan>lead</plan></person></people>`, "X-API-Key", "ingest-secret")
	p := o.person("ann")
	for name, want := range map[string]any{"age": 41.0, "gender": "female", "location": "Berlin", "birthday": "1985-03-01", "plan": "gold"} {
		if p.Traits[name] != want {
			t.Errorf("%s is %v, want %v", name, p.Traits[name], want)
		}
	}
	var tagged []string
	for _, e := range o.theReport().Events {
		for _, f := range e.Fields {
			if f.PII {
				tagged = append(tagged, f.Name)
			}
		}
	}
	if want := []string{"age", "birthday", "gender"}; !slices.Equal(tagged, want) {
		t.Errorf("tagged as personal: %q, want %q", tagged, want)
	}
	letters := strings.Join(o.letters(), "\n")
	if !strings.Contains(letters, "/traits/age got string, want integer") || !strings.Contains(letters, "/traits/plan") {
		t.Errorf("the dead letters are %s", letters)
	}
}
