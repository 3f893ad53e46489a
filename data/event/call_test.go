package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/data"
)

// intake is a server that received the call at noon.
func intake() Intake {
	return Intake{Space: "default", Source: "web", Received: noon, MaxAge: 7 * 24 * time.Hour, NewID: func() string { return "fresh" }}
}

// accept parses a call and makes its event.
func accept(t *testing.T, body string, in Intake) data.Event {
	t.Helper()
	c, err := ParseCall([]byte(body), "")
	if err != nil {
		t.Fatal(err)
	}
	e, err := c.Canonical(in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Decode(Append(nil, e)); err != nil {
		t.Fatalf("the event is refused: %v", err)
	}
	sameAsCanonical(t, new(Parser), []byte(body), "", in)
	return e
}

func TestSegmentsServerCallBecomesAnEvent(t *testing.T) {
	got := accept(t, `{"timestamp":"2026-11-20T11:59:00.000Z","integrations":{"All":false},"event":"Product Viewed","type":"track",
		"properties":{"product_id":"p1","price":9.99,"currency":"USD","category":"shoes","brand":"Acme"},
		"context":{"ip":"1.2.3.4","timezone":"Europe/Berlin","library":{"name":"@segment/analytics-node"}},
		"userId":"u1","messageId":"node-1","_metadata":{"nodeVersion":"v20"}}`, intake())
	want := data.Event{
		V: 1, ID: "node-1", Source: "web", Space: "default", Type: data.Track, Name: "Product Viewed", IDs: data.IDs{User: "u1"},
		Times: data.Times{Event: noon.Add(-60 * time.Second).Truncate(time.Second), Original: noon.Add(-60 * time.Second).Truncate(time.Second), Received: noon},
		Props: json.RawMessage(`{"product_id":"p1","price":9.99,"currency":"USD","category":"shoes","brand":"Acme"}`),
		Items: []data.EventItem{{ID: "p1", Price: 9.99, Facets: map[string][]string{"category": {"shoes"}, "brand": {"Acme"}}}},
		Ctx:   json.RawMessage(`{"ip":"1.2.3.4","tz":"Europe/Berlin","library":{"name":"@segment/analytics-node"}}`),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheClockIsCorrected(t *testing.T) {
	at := func(d time.Duration) string { return noon.Add(d).Format(`"2006-01-02T15:04:05.000Z"`) }
	for name, test := range map[string]struct {
		fields  string
		batch   time.Time
		event   time.Duration // after noon
		skew    int64
		clamped bool
		late    bool
	}{
		"neither":                   {``, time.Time{}, 0, 0, false, false},
		"original alone":            {`"timestamp":` + at(-time.Minute), time.Time{}, -time.Minute, 0, false, false},
		"original in the future":    {`"timestamp":` + at(time.Minute), time.Time{}, 0, 0, true, false},
		"clock an hour fast":        {`"timestamp":` + at(time.Hour-time.Minute) + `,"sentAt":` + at(time.Hour), time.Time{}, -time.Minute, 3_600_000, false, false},
		"clock a year slow":         {`"timestamp":` + at(-8760*time.Hour-5*time.Second) + `,"sentAt":` + at(-8760*time.Hour), time.Time{}, -5 * time.Second, -8760 * 3_600_000, false, false},
		"sent before it happened":   {`"timestamp":` + at(time.Minute) + `,"sentAt":` + at(0), time.Time{}, 0, 0, true, false},
		"the batch's sentAt":        {`"timestamp":` + at(time.Hour-time.Minute), noon.Add(time.Hour), -time.Minute, 3_600_000, false, false},
		"the call's sentAt wins":    {`"timestamp":` + at(-time.Minute) + `,"sentAt":` + at(0), noon.Add(time.Hour), -time.Minute, 0, false, false},
		"sentAt alone":              {`"sentAt":` + at(time.Hour), time.Time{}, 0, 3_600_000, false, false},
		"RudderStack's name":        {`"originalTimestamp":` + at(-time.Minute), time.Time{}, -time.Minute, 0, false, false},
		"a week is not late":        {`"timestamp":` + at(-7*24*time.Hour), time.Time{}, -7 * 24 * time.Hour, 0, false, false},
		"a millisecond more is":     {`"timestamp":` + at(-7*24*time.Hour-time.Millisecond), time.Time{}, -7*24*time.Hour - time.Millisecond, 0, false, true},
		"Unix milliseconds":         {fmt.Sprintf(`"timestamp":%d`, noon.UnixMilli()-500), time.Time{}, -500 * time.Millisecond, 0, false, false},
		"Unix milliseconds as text": {fmt.Sprintf(`"timestamp":"%d"`, noon.UnixMilli()-500), time.Time{}, -500 * time.Millisecond, 0, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			in := intake()
			in.SentAt = test.batch
			e := accept(t, `{"type":"track","event":"x","userId":"u","messageId":"m","extra":1`+strings.TrimSuffix(","+test.fields, ",")+`}`, in)
			if got := e.Times.Event.Sub(noon); got != test.event {
				t.Errorf("event = noon%+v, want noon%+v", got, test.event)
			}
			if e.Times.SkewMS != test.skew || e.Times.Clamped != test.clamped || e.Times.Late != test.late {
				t.Errorf("skew %d clamped %v late %v, want %d %v %v",
					e.Times.SkewMS, e.Times.Clamped, e.Times.Late, test.skew, test.clamped, test.late)
			}
		})
	}
}

func TestEventTimeIsNeverAfterReceivedAndFollowsTheFormula(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(0, 4_000_000_000_000)
		original, sent := ms.Draw(t, "original"), ms.Draw(t, "sent")
		c, err := ParseCall(fmt.Appendf(nil, `{"type":"page","userId":"u","timestamp":%q,"sentAt":%q}`,
			time.UnixMilli(original).UTC().Format(time.RFC3339Nano), time.UnixMilli(sent).UTC().Format(time.RFC3339Nano)), "")
		if err != nil {
			t.Fatal(err)
		}
		want := min(noon.UnixMilli()-(sent-original), noon.UnixMilli())
		e, err := c.Canonical(intake())
		if want < 0 {
			if err == nil {
				t.Fatalf("accepted a time before 1970: %v", e.Times)
			}
			return
		}
		if err != nil || e.Times.Event.UnixMilli() != want {
			t.Fatalf("event = %v, %v; want %d", e.Times.Event, err, want)
		}
	})
}

func TestClientsAreMetHalfway(t *testing.T) {
	for name, test := range map[string]struct {
		body string
		got  func(data.Event) any
		want any
	}{
		"user id of a number":    {`{"type":"page","userId":42}`, func(e data.Event) any { return e.IDs.User }, data.UserID("42")},
		"user id of a big float": {`{"type":"page","userId":1e21}`, func(e data.Event) any { return e.IDs.User }, data.UserID("1e+21")},
		"user id null":           {`{"type":"page","userId":null,"anonymousId":7}`, func(e data.Event) any { return e.IDs }, data.IDs{Anonymous: "7"}},
		"page's name":            {`{"type":"page","userId":"u","name":"Home","category":"c"}`, func(e data.Event) any { return e.Name + string(e.Props) }, `Page Viewed{"name":"Home","category":"c"}`},
		"page's own properties":  {`{"type":"page","userId":"u","name":"Home","properties":{"name":"own"}}`, func(e data.Event) any { return string(e.Props) }, `{"name":"own"}`},
		"screen":                 {`{"type":"screen","userId":"u"}`, func(e data.Event) any { return e.Name }, "Screen Viewed"},
		"group":                  {`{"type":"group","userId":"u","groupId":9,"traits":{"a": 1}}`, func(e data.Event) any { return e.IDs.Group + string(e.Traits) }, `9{"a":1}`},
		"alias":                  {`{"type":"alias","userId":"u","previousId":"p"}`, func(e data.Event) any { return e.IDs.External }, []data.ExternalID{{Type: "previous", ID: "p"}}},
		"products": {`{"type":"track","event":"Order Completed","userId":"u","properties":{"total":"12.50","product_id":"no","products":[
			{"product_id":1,"quantity":"2","price":"3.5"},{"name":"nameless"},{"id":"old"},"bare",{"sku":"s","quantity":-1,"price":"dear"}]}}`,
			func(e data.Event) any { return []any{e.Items, e.Value} },
			[]any{[]data.EventItem{{ID: "1", Quantity: 2, Price: 3.5}, {ID: "old"}, {ID: "bare"}, {ID: "s"}}, 12.5}},
		"revenue before total":   {`{"type":"track","event":"order completed","userId":"u","properties":{"total":12,"revenue":10}}`, func(e data.Event) any { return e.Value }, 10.0},
		"sku":                    {`{"type":"track","event":"x","userId":"u","properties":{"sku":"s","id":"not this"}}`, func(e data.Event) any { return e.Items[0].ID }, data.ItemID("s")},
		"tags":                   {`{"type":"page","userId":"u","properties":{"product_id":"p","tags":["a","a"," b ",1]}}`, func(e data.Event) any { return e.Items[0].Facets }, map[string][]string{"tag": {"a", "b"}}},
		"rating as text":         {`{"type":"track","event":"Item Rated","userId":"u","properties":{"product_id":"p","rating":"4.5"}}`, func(e data.Event) any { return e.Value }, 4.5},
		"rec in the context":     {`{"type":"page","userId":"u","context":{"rec":{"request_id":"r","position":"3","other":1}}}`, func(e data.Event) any { return *e.Rec }, data.RecRef{Request: "r", Position: 3}},
		"rec in the properties":  {`{"type":"page","userId":"u","properties":{"rec":{"request_id":"r"}}}`, func(e data.Event) any { return *e.Rec }, data.RecRef{Request: "r"}},
		"traits in the context":  {`{"type":"identify","userId":"u","context":{"traits":{"age":3}}}`, func(e data.Event) any { return string(e.Traits) + string(e.Ctx) }, `{"age":3}`},
		"session and device":     {`{"type":"page","userId":"u","context":{"sessionId":12,"sessionStart":true,"device":{"id":"d"}}}`, func(e data.Event) any { return []any{e.Session, e.IDs.Device} }, []any{data.SessionRef{ID: "12", First: true}, "d"}},
		"external ids":           {`{"type":"page","userId":"u","context":{"externalIds":[{"type":"email_sha","id":"f"},{"id":"x"},3]}}`, func(e data.Event) any { return e.IDs.External }, []data.ExternalID{{Type: "email_sha", ID: "f"}}},
		"consent":                {`{"type":"page","userId":"u","context":{"consent":{"a": true}}}`, func(e data.Event) any { return string(e.Consent) }, `{"a":true}`},
		"unknown fields":         {`{"type":"page","userId":"u","z":[1, 2],"profile":"forged"}`, func(e data.Event) any { return string(e.Extra["call"]) + string(e.Profile) }, `{"z":[1,2],"profile":"forged"}`},
		"traits of a page":       {`{"type":"page","userId":"u","traits":{"a":1},"z":2}`, func(e data.Event) any { return string(e.Extra["call"]) + string(e.Traits) }, `{"z":2,"traits":{"a":1}}`},
		"id without time":        {`{"type":"page","userId":"u"}`, func(e data.Event) any { return e.ID }, "fresh"},
		"message id of a number": {`{"type":"page","userId":"u","messageId":5}`, func(e data.Event) any { return e.ID }, "5"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, test.got(accept(t, test.body, intake()))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestTheBatchsContextFillsGapsOnly(t *testing.T) {
	in := intake()
	in.BatchContext = json.RawMessage(`{"ip": "9.9.9.9", "locale":"de"}`)
	e := accept(t, `{"type":"page","userId":"u","context":{"ip":"1.1.1.1"}}`, in)
	if got, want := string(e.Ctx), `{"ip":"1.1.1.1","locale":"de"}`; got != want {
		t.Errorf("ctx = %s, want %s", got, want)
	}
	in.BatchContext = json.RawMessage(`[1`)
	accept(t, `{"type":"page","userId":"u"}`, in)
}

func TestARetryWithoutMessageIDKeepsItsName(t *testing.T) {
	name := func(more string) string {
		return accept(t, `{"type":"track","event":"x","userId":"u","timestamp":"2026-11-20T11:00:00Z"`+more+`}`, intake()).ID
	}
	first := name(`,"sentAt":"2026-11-20T11:00:01Z"`)
	if len(first) != 32 {
		t.Errorf("id %q is no hash", first)
	}
	if again := name(`, "sentAt": "2026-11-20T11:09:00Z","_metadata":{"retryCount":1}`); again != first {
		t.Errorf("the retry is called %q, the first try %q", again, first)
	}
	if other := name(`,"properties":{"a":1}`); other == first {
		t.Error("another message has the same name")
	}
	asPage, _ := ParseCall([]byte(`{"event":"x"}`), data.Page)
	asTrack, _ := ParseCall([]byte(`{"event":"x"}`), data.Track)
	if asPage.hash == asTrack.hash {
		t.Error("two routes give the same bytes one name")
	}
}

func TestCallsAreRefusedWithTheFieldAtFault(t *testing.T) {
	for name, test := range map[string]struct{ body, field, reason string }{
		"no type":             {`{"userId":"u"}`, "type", "is missing"},
		"unknown type":        {`{"type":"trakc","userId":"u"}`, "type", `"trakc" is no event type`},
		"system":              {`{"type":"system","userId":"u"}`, "type", "written by the server only"},
		"nobody":              {`{"type":"page","userId":" ","anonymousId":""}`, "userId", "needs one of them"},
		"track without event": {`{"type":"track","userId":"u","event":" "}`, "event", "needs the name"},
		"event of a number":   {`{"type":"track","userId":"u","event":3}`, "event", "must be a string, not a number"},
		"group without id":    {`{"type":"group","userId":"u"}`, "groupId", "needs it"},
		"alias without id":    {`{"type":"alias","userId":"u"}`, "previousId", "needs it"},
		"user id an object":   {`{"type":"page","userId":{"id":1}}`, "userId", "must be a string or a number, not an object"},
		"user id a boolean":   {`{"type":"page","userId":true}`, "userId", "not a boolean"},
		"properties a list":   {`{"type":"page","userId":"u","properties":[]}`, "properties", "must be an object, not an array"},
		"traits a string":     {`{"type":"identify","userId":"u","traits":"x"}`, "traits", "must be an object, not a string"},
		"context a number":    {`{"type":"page","userId":"u","context":1}`, "context", "must be an object, not a number"},
		"timestamp":           {`{"type":"page","userId":"u","timestamp":"yesterday"}`, "timestamp", `"yesterday" is not a date`},
		"timestamp a list":    {`{"type":"page","userId":"u","timestamp":[]}`, "timestamp", "must be a date"},
		"timestamp negative":  {`{"type":"page","userId":"u","timestamp":-1}`, "timestamp", "1970 to 2261"},
		"long messageId":      {`{"type":"page","userId":"u","messageId":"` + strings.Repeat("é", 100) + `"}`, "messageId", "100 characters"},
		"rec without request": {`{"type":"page","userId":"u","context":{"rec":{"position":1}}}`, "context.rec.request_id", "is missing"},
		"rec position":        {`{"type":"page","userId":"u","properties":{"rec":{"request_id":"r","position":1.5}}}`, "properties.rec.position", "whole number"},
		"product id a list":   {`{"type":"page","userId":"u","properties":{"product_id":[]}}`, "properties.product_id", "must be a string or a number"},
		"product id in list":  {`{"type":"page","userId":"u","properties":{"products":[{},{"sku":true}]}}`, "properties.products[1].sku", "not a boolean"},
		"price":               {`{"type":"page","userId":"u","properties":{"product_id":"p","price":1e13}}`, "properties.price", "at most 1e+12"},
		"price in list":       {`{"type":"track","event":"Order Completed","userId":"u","properties":{"products":[{"sku":"p","price":-1e308}]}}`, "properties.products[0].price", "is -1e+308"},
		"quantity":            {`{"type":"page","userId":"u","properties":{"product_id":"p","qty":"1e300"}}`, "properties.qty", "at most"},
		"revenue":             {`{"type":"track","event":"Order Completed","userId":"u","properties":{"revenue":1e308}}`, "properties.revenue", "at most"},
		"rating":              {`{"type":"track","event":"Item Rated","userId":"u","properties":{"product_id":"p","rating":1e300}}`, "properties.rating", "at most"},
		"not JSON":            {`{"type":"page",}`, "", "not JSON"},
		"not an object":       {`"page"`, "", "must be an object, not a string"},
		"too large":           {`{"type":"page","x":"` + strings.Repeat("y", 32<<10) + `"}`, "", "at most 32768"},
		"too deep":            {`{"x":` + strings.Repeat("[", 63) + strings.Repeat("]", 63) + `}`, "x" + strings.Repeat("[0]", 62), "deeper than 64"},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := ParseCall([]byte(test.body), "")
			if err == nil {
				_, err = c.Canonical(intake())
			}
			sameAsCanonical(t, new(Parser), []byte(test.body), "", intake())
			var d *DecodeError
			if !errors.As(err, &d) || d.Field != test.field || !strings.Contains(d.Reason, test.reason) {
				t.Errorf("error = %v, want one of %q about %q", err, test.field, test.reason)
			}
		})
	}
}

func TestDatesAreReadAsPeopleWriteThem(t *testing.T) {
	for text, want := range map[string]string{
		"2026-11-20T23:30:38.503Z":      "2026-11-20T23:30:38.503Z",
		"2026-11-20T23:30:38.5039+0200": "2026-11-20T21:30:38.503Z",
		"2026-11-20T23:30:38+02:00":     "2026-11-20T21:30:38Z",
		"2026-11-20 23:30:38":           "2026-11-20T23:30:38Z",
		"2026-11-20":                    "2026-11-20T00:00:00Z",
		" 1396437466.94 ":               "2014-04-02T11:17:46.94Z",
		"1396437466940":                 "2014-04-02T11:17:46.94Z",
		"0":                             "1970-01-01T00:00:00Z",
	} {
		got, err := ParseTime(text)
		if err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("ParseTime(%q) = %v, %v; want %s", text, got, err, want)
		}
	}
	for _, bad := range []string{"", "noon", "20.11.2026", "NaN", "Inf", "-1", "1e300", "0x10", "2262-01-01", "1969-12-31", "2026-02-30"} {
		if got, err := ParseTime(bad); err == nil {
			t.Errorf("ParseTime(%q) = %v, want an error", bad, got)
		}
	}
}

func FuzzCall(f *testing.F) {
	f.Add([]byte(`{"type":"track","event":"Order Completed","userId":1,"timestamp":"2026-11-20T11:00:00Z","sentAt":1,`+
		`"properties":{"products":[{"product_id":1,"price":"2"}],"rec":{"request_id":"r"}},"context":{"sessionId":1},"z":{}}`), `{"ip":"x"}`)
	f.Add([]byte(`{"type":"page","anonymousId":"a","properties":{"tags":["x"],"sku":3,"name":null},"name":"n"}`), `null`)
	f.Fuzz(func(t *testing.T, b []byte, batch string) {
		c, err := ParseCall(b, "")
		if err != nil {
			return
		}
		in := intake()
		in.BatchContext = json.RawMessage(batch)
		e, err := c.Canonical(in)
		if err != nil {
			return
		}
		if _, err := Decode(Append(nil, e)); err != nil {
			t.Fatalf("an accepted call gives an event that is refused: %v\n%s", err, Append(nil, e))
		}
		fixedPoint(t, Append(nil, e))
	})
}
