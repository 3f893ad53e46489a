package door

import (
	"bytes"
	"encoding/json"
	"image/gif"
	"strings"
	"testing"

	"kindred/data"
	"kindred/data/event"
)

func TestRudderMergesAndKeys(t *testing.T) {
	for _, c := range []struct{ name, props, want string }{
		{"two users", `[{"type":"user_id","value":"a"},{"type":"userId","value":"b"}]`, `{"type":"alias","messageId":"m","userId":"a","previousId":"b"}`},
		{"two browsers", `[{"type":"anonymousId","value":"a"},{"type":"anonymous_id","value":"b"}]`, `{"type":"alias","messageId":"m","anonymousId":"a","previousId":"b"}`},
		{"user and browser", `[{"type":"user_id","value":"a"},{"type":"anonymous_id","value":"b"}]`, `{"type":"identify","messageId":"m","userId":"a","anonymousId":"b"}`},
		{"user and e-mail", `[{"type":"user_id","value":"a"},{"type":"email","value":"e"}]`,
			`{"type":"identify","messageId":"m","userId":"a","context":{"externalIds":[{"type":"email","id":"e"}]}}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := `{"type":"merge","messageId":"m","mergeProperties":` + c.props + `}`
			b, err := RudderMerge([]byte(body), DefaultLimits())
			same(t, one(t, b, err), c.want)
			b, err = Rudder([]byte(`{"batch":[`+body+`]}`), "", DefaultLimits())
			same(t, one(t, b, err), c.want)
		})
	}
	for _, props := range []string{`[]`, `7`, `[1,2]`, `[{"type":"email","value":"a"},{"type":"phone","value":"b"}]`, `[{"type":"email"},{"type":"user_id","value":"b"}]`} {
		b, err := RudderMerge([]byte(`{"mergeProperties":`+props+`}`), DefaultLimits())
		if err != nil || len(b.Rejected) != 1 {
			t.Errorf("%s: %v, %s", props, err, b.Calls)
		}
	}
	b, err := Rudder([]byte(`{"batch":[{"type":"track"}],"sentAt":"2026-11-22T12:00:00Z","context":{"a":1}}`), "from-query", DefaultLimits())
	if err != nil || b.WriteKey != "from-query" || !b.SentAt.Equal(noon) || string(b.Context) != `{"a":1}` {
		t.Errorf("the beacon's batch: %+v, %v", b, err)
	}
	for _, body := range []string{`{}`, `[]`, `{"batch":7}`, `{"batch":[]} x`, ``} {
		if _, err := Rudder([]byte(body), "", DefaultLimits()); err == nil {
			t.Errorf("%q was taken", body)
		}
	}
}

// The client demands source.id, source.config that has fields, and source.destinations (analytics-js,
// isValidSourceConfig), and stops where source.enabled is false.
func TestRudderConfigStartsTheBrowserClient(t *testing.T) {
	var c struct {
		Source struct {
			ID           string
			Enabled      bool
			Config       map[string]any
			Destinations []any
		}
	}
	if err := json.Unmarshal(RudderConfig("W\"K"), &c); err != nil || c.Source.ID == "" || !c.Source.Enabled || len(c.Source.Config) == 0 || c.Source.Destinations == nil {
		t.Errorf("%v: %+v", err, c)
	}
}

func TestPostHogEventsBecomeCalls(t *testing.T) {
	for _, c := range []struct{ name, event, want string }{
		{"page", `{"event":"$pageview","distinct_id":"u","uuid":"i","timestamp":"2026-11-22T10:00:00Z","properties":{"$current_url":"https://s/a?utm_source=n","$referrer":"r","title":"T","$browser":"B","utm_source":"n"}}`,
			`{"type":"page","name":"T","userId":"u","messageId":"i","timestamp":"2026-11-22T10:00:00Z","properties":{"title":"T","$browser":"B","url":"https://s/a?utm_source=n","path":"/a","search":"?utm_source=n","referrer":"r"},"context":{"page":{"url":"https://s/a?utm_source=n","path":"/a","search":"?utm_source=n","title":"T","referrer":"r"},"campaign":{"source":"n"}}}`},
		{"unidentified", `{"event":"x","distinct_id":"d","properties":{"$device_id":"d","$session_id":"s"}}`, `{"type":"track","event":"x","anonymousId":"d","context":{"sessionId":"s"}}`},
		{"said to be unidentified", `{"event":"x","distinct_id":"d","properties":{"$is_identified":false}}`, `{"type":"track","event":"x","anonymousId":"d","properties":{"$is_identified":false}}`},
		{"identified in a browser", `{"event":"x","properties":{"distinct_id":"u","$device_id":"d","token":"phc"}}`, `{"type":"track","event":"x","userId":"u","anonymousId":"d"}`},
		{"identify", `{"event":"$identify","distinct_id":"u","$set":{"a":1},"$set_once":{"a":2,"b":3},"properties":{"$anon_distinct_id":"d"}}`,
			`{"type":"identify","userId":"u","anonymousId":"d","traits":{"a":1,"b":3}}`},
		{"alias", `{"event":"$create_alias","distinct_id":"u","properties":{"distinct_id":"u","alias":"d"}}`, `{"type":"alias","userId":"u","previousId":"d"}`},
		{"group", `{"event":"$groupidentify","distinct_id":"u","properties":{"$group_type":"company","$group_key":"g","$group_set":{"n":1}}}`,
			`{"type":"group","userId":"u","groupId":"g","traits":{"n":1},"properties":{"$group_type":"company"}}`},
		{"leave", `{"event":"$pageleave","distinct_id":"u","properties":{"$prev_pageview_duration":41.5,"$prev_pageview_max_scroll_percentage":0.9}}`,
			`{"type":"track","event":"Page Left","userId":"u","properties":{"$prev_pageview_duration":41.5,"$prev_pageview_max_scroll_percentage":0.9,"dwell_seconds":41.5,"depth":0.9}}`},
		{"click", `{"event":"$autocapture","distinct_id":"u","properties":{"$event_type":"click"},"new_field":1}`,
			`{"type":"track","event":"Clicked","userId":"u","properties":{"$event_type":"click"},"new_field":1}`},
		{"screen", `{"event":"$screen","distinct_id":"u","properties":{"$screen_name":"Cart","$os":"iOS","$lib":"ph","$ip":"1.2.3.4"}}`,
			`{"type":"screen","name":"Cart","userId":"u","context":{"os":{"name":"iOS"},"library":{"name":"ph"},"ip":"1.2.3.4"}}`},
		{"offset", `{"event":"x","distinct_id":"u","offset":1500}`, `{"type":"track","event":"x","userId":"u","timestamp":"2026-11-22T11:59:58.500Z"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := PostHog([]byte(`{"api_key":"k","sent_at":"2026-11-22T12:00:00Z","batch":[`+c.event+`]}`), nil, DefaultLimits())
			same(t, one(t, b, err), c.want)
			if b.WriteKey != "k" || !b.SentAt.Equal(noon) {
				t.Errorf("key %q, sent %s", b.WriteKey, b.SentAt)
			}
			b, err = PostHog([]byte(`[`+c.event+`]`), query(t, "_=1795348800000"), DefaultLimits())
			same(t, one(t, b, err), c.want)
		})
	}
	b, err := PostHog([]byte(`{"api_key":"k","event":"x","uuid":"i","distinct_id":"u","properties":{"$set":{"plan":"pro"}}}`), nil, DefaultLimits())
	if calls := callsOf(t, b, err); len(calls) != 2 {
		t.Fatalf("%s", b.Calls)
	}
	same(t, string(b.Calls[1]), `{"type":"identify","messageId":"i.set","userId":"u","traits":{"plan":"pro"}}`)
	for _, body := range []string{``, `7`, `{}`, `{"batch":7}`, `"x"`} {
		if _, err := PostHog([]byte(body), nil, DefaultLimits()); err == nil {
			t.Errorf("%q was taken", body)
		}
	}
}

func TestPixelsBecomeCalls(t *testing.T) {
	for _, c := range []struct {
		name  string
		typ   data.EventType
		query string
		want  string
	}{
		{"page", data.Page, "writeKey=k&anonymousId=a&name=Home&messageId=m&properties.url=https://s/", `{"type":"page","messageId":"m","anonymousId":"a","name":"Home","properties":{"url":"https://s/"}}`},
		{"e-mail opened", data.Track, "writeKey=k&userId=u&event=Email+Opened&messageId=m&campaign_id=7&context.campaign.name=x&context.campaign.source=mail",
			`{"type":"track","messageId":"m","userId":"u","event":"Email Opened","properties":{"campaign_id":"7"},"context":{"campaign":{"name":"x","source":"mail"}}}`},
		{"JSON", data.Track, `writeKey=k&event=e&messageId=m&properties={"a":[1]}&properties.b=2`, `{"type":"track","event":"e","messageId":"m","properties":{"a":[1],"b":"2"}}`},
		{"in the way", data.Track, `writeKey=k&event=e&messageId=m&properties.a=1&properties.a.b=2`, `{"type":"track","event":"e","messageId":"m","properties":{"a":"1","a.b":"2"}}`},
		{"the type is the route's", data.Track, `writeKey=k&event=e&messageId=m&type=identify`, `{"type":"track","event":"e","messageId":"m"}`},
		{"Segment's", data.Track, "data=eyJ3cml0ZUtleSI6ImsiLCJ1c2VySWQiOiJ1IiwiZXZlbnQiOiJlIiwibWVzc2FnZUlkIjoibSJ9", `{"type":"track","userId":"u","event":"e","messageId":"m"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := Pixel(c.typ, query(t, c.query), DefaultLimits())
			same(t, one(t, b, err), c.want)
			if b.WriteKey != "k" {
				t.Errorf("key %q", b.WriteKey)
			}
		})
	}
	id := func(typ data.EventType, q string) string {
		b, err := Pixel(typ, query(t, q), DefaultLimits())
		return callsOf(t, b, err)[0].text("messageId")
	}
	first := id(data.Track, "event=e&userId=u")
	if first == "" || first != id(data.Track, "userId=u&event=e") {
		t.Error("the same query has two ids")
	}
	if first == id(data.Track, "event=e&userId=u&cb=1") || first == id(data.Page, "event=e&userId=u") {
		t.Error("two queries have one id")
	}
	if _, err := Pixel(data.Track, query(t, "event=%ff"), DefaultLimits()); err == nil {
		t.Error("bad UTF-8 was taken")
	}
	if img, err := gif.Decode(strings.NewReader(GIF)); err != nil || len(GIF) != 43 || img.Bounds().Dx() != 1 {
		t.Errorf("the GIF: %d bytes, %v", len(GIF), err)
	}
}

func TestFormsHoldJSON(t *testing.T) {
	const form = "application/x-www-form-urlencoded; charset=utf-8"
	for _, c := range []struct{ typ, body, want string }{
		{form, ` {"a":1}`, ` {"a":1}`}, {"text/plain", `{"a":1}`, `{"a":1}`}, {"", `x=1`, `x=1`},
		{form, `data=%7B%22a%22%3A1%7D`, `{"a":1}`}, {form, `payload=eyJhIjoxfQ%3D%3D`, `{"a":1}`}, {form, `b=2&a=1`, `{"a":"1","b":"2"}`}, {form, `a=%ff`, `a=%ff`},
	} {
		if got := Document(c.typ, []byte(c.body)); string(got) != c.want {
			t.Errorf("%s %s: got %s, want %s", c.typ, c.body, got, c.want)
		}
	}
}

// The mobile kits post Segment's batch; these bodies follow what their sources write.
func TestMobileKitsSpeakTheSameBatch(t *testing.T) {
	for _, name := range []string{"swift", "kotlin", "react-native"} {
		parts, ok := event.Split(bytes.TrimSpace(fixture(t, "mobile/"+name+".json")), false)
		if !ok {
			t.Fatalf("%s: no batch", name)
		}
		b := Batch{Calls: parts.Calls, Context: parts.Context, WriteKey: parts.WriteKey}
		b.SentAt, _ = event.ParseTime(parts.SentAt)
		golden(t, "mobile/"+name, b)
		for _, raw := range parts.Calls {
			if _, err := event.ParseCall(raw, ""); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}
