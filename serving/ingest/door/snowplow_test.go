package door

import (
	"encoding/base64"
	"strings"
	"testing"
)

func TestSnowplowEventsBecomeCalls(t *testing.T) {
	const ecommerce = "iglu:com.snowplowanalytics.snowplow.ecommerce/"
	ue := func(schema, data string) string {
		return `"e":"ue","uid":"u","ue_pr":` + string(quote(`{"schema":"iglu:com.snowplowanalytics.snowplow/unstruct_event/jsonschema/1-0-0","data":{"schema":"`+schema+`","data":`+data+`}}`))
	}
	co := func(entities ...string) string {
		return `,"co":` + string(quote(`{"schema":"iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0","data":[`+strings.Join(entities, ",")+`]}`))
	}
	entity := func(schema, data string) string { return `{"schema":"` + schema + `","data":` + data + `}` }
	action := func(kind string) string {
		return ue(ecommerce+"snowplow_ecommerce_action/jsonschema/1-0-2", `{"type":"`+kind+`"}`)
	}
	lamp := entity(ecommerce+"product/jsonschema/1-0-0", `{"id":"p1","price":9.5,"currency":"EUR"}`)
	desk := entity(ecommerce+"product/jsonschema/1-0-0", `{"id":"p2","price":100,"currency":"EUR","quantity":2}`)
	for _, c := range []struct{ name, event, kind, props string }{
		{"page view", `"e":"pv","uid":"u","url":"https://s/a?b","page":"T","refr":"https://r/"`, "page",
			`{"url":"https://s/a?b","path":"/a","search":"?b","title":"T","referrer":"https://r/"}`},
		{"page ping with depth", `"e":"pp","uid":"u","pp_mix":"0","pp_max":"0","pp_miy":"0","pp_may":"700","vp":"100x300","ds":"100x2000"`, "Page Pinged",
			`{"mix":0,"max":0,"miy":0,"may":700,"depth":0.5}`},
		{"structured", `"e":"se","uid":"u","se_ca":"c","se_ac":"a","se_la":"l","se_pr":"p","se_va":"1.5"`, "a",
			`{"category":"c","label":"l","property":"p","value":1.5}`},
		{"unknown schema", ue("iglu:com.acme/quiz_done/jsonschema/1-0-0", `{"score":7}`), "quiz_done", `{"score":7}`},
		{"link click", ue("iglu:com.snowplowanalytics.snowplow/link_click/jsonschema/1-0-1", `{"targetUrl":"https://x/","elementId":"e"}`), "Clicked",
			`{"href":"https://x/","element_id":"e"}`},
		{"button click", ue("iglu:com.snowplowanalytics.snowplow/button_click/jsonschema/1-0-0", `{"label":"Buy","id":"b"}`), "Clicked", `{"text":"Buy","element_id":"b"}`},
		{"search", ue("iglu:com.snowplowanalytics.snowplow/site_search/jsonschema/1-0-0", `{"terms":["red","lamp"],"totalResults":3}`), "Products Searched",
			`{"query":"red lamp","terms":["red","lamp"],"total_results":3}`},
		{"form", ue("iglu:com.snowplowanalytics.snowplow/submit_form/jsonschema/1-0-0", `{"formId":"f"}`), "Form Submitted", `{"form_id":"f"}`},
		{"screen", ue("iglu:com.snowplowanalytics.mobile/screen_view/jsonschema/1-0-0", `{"name":"Cart","id":"s"}`), "screen", `{"screen_id":"s"}`},
		{"cart, old", ue("iglu:com.snowplowanalytics.snowplow/remove_from_cart/jsonschema/1-0-0", `{"sku":"p","unitPrice":2,"quantity":1}`), "Product Removed",
			`{"sku":"p","product_id":"p","price":2,"quantity":1}`},
		{"product view", action("product_view") + co(lamp), "Product Viewed", `{"product_id":"p1","price":9.5,"currency":"EUR"}`},
		{"list view", action("list_view") + co(lamp, desk), "Product List Viewed",
			`{"products":[{"product_id":"p1","price":9.5,"currency":"EUR"},{"product_id":"p2","price":100,"currency":"EUR","quantity":2}]}`},
		{"list click", action("list_click") + co(lamp), "Product Clicked", `{"product_id":"p1","price":9.5,"currency":"EUR"}`},
		{"checkout", action("checkout_step") + co(entity(ecommerce+"checkout_step/jsonschema/1-0-0", `{"step":2}`)), "Checkout Step Viewed", `{"step":2}`},
		{"transaction", action("transaction") + co(entity(ecommerce+"transaction/jsonschema/1-0-0", `{"transaction_id":"o1","revenue":209.5,"currency":"EUR"}`), desk), "Order Completed",
			`{"order_id":"o1","revenue":209.5,"currency":"EUR","products":[{"product_id":"p2","price":100,"currency":"EUR","quantity":2}]}`},
		{"refund", action("refund") + co(entity(ecommerce+"refund/jsonschema/1-0-0", `{"transaction_id":"o1","refund_amount":5}`)), "Order Refunded", `{"order_id":"o1","total":5}`},
		{"promotion", action("promo_click") + co(entity(ecommerce+"promotion/jsonschema/1-0-0", `{"id":"x","slot":"top"}`)), "Promotion Clicked", `{"promotion_id":"x","slot":"top"}`},
		{"google's", ue("iglu:com.google.analytics.enhanced-ecommerce/action/jsonschema/1-0-0", `{"action":"add"}`) +
			co(entity("iglu:com.google.analytics.enhanced-ecommerce/productFieldObject/jsonschema/1-0-0", `{"id":"p9","quantity":1}`)), "Product Added", `{"product_id":"p9","quantity":1}`},
		{"lone order line", `"e":"ti","uid":"u","ti_id":"o1","ti_sk":"p1","ti_pr":"2","ti_qu":"3"`, "Order Completed",
			`{"order_id":"o1","order_line":true,"products":[{"product_id":"p1","sku":"p1","price":2,"quantity":3}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := Snowplow([]byte(`{"schema":"iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4","data":[{`+c.event+`}]}`), false, DefaultLimits())
			o := callsOf(t, b, err)[0]
			if got := o.text("event"); got != c.kind && o.text("type") != c.kind {
				t.Errorf("got %s %q, want %s", o.text("type"), got, c.kind)
			}
			same(t, string(o.get("properties")), c.props)
		})
	}
}

func TestSnowplowPeopleTimesAndContext(t *testing.T) {
	get := func(q string, anonymous bool) *object {
		b, err := SnowplowGet(query(t, q), anonymous, DefaultLimits())
		if b.Anonymous != anonymous {
			t.Error("the caller is not told about anonymity")
		}
		return callsOf(t, b, err)[0]
	}
	field := func(o *object, path ...string) string {
		for _, name := range path[:len(path)-1] {
			o = o.child(name)
		}
		return o.text(path[len(path)-1])
	}
	known := get("e=pv&uid=u&duid=d&nuid=n&sid=s&ip=1.2.3.4&dtm=1795273592567&stm=1795273592600&vid=3&lang=de&tz=Europe/Berlin&ua=UA&res=10x20&tv=js-3&aid=shop", false)
	for want, path := range map[string][]string{
		"u": {"userId"}, "d": {"anonymousId"}, "s": {"context", "sessionId"}, "1.2.3.4": {"context", "ip"}, "n": {"context", "snowplow", "nuid"},
		"1795273592567": {"timestamp"}, "1795273592600": {"sentAt"}, "3": {"context", "snowplow", "vid"}, "de": {"context", "locale"},
		"UA": {"context", "userAgent"}, "20": {"context", "screen", "height"}, "js-3": {"context", "library", "version"}, "shop": {"context", "app", "namespace"},
	} {
		if got := field(known, path...); got != want {
			t.Errorf("%v = %q, want %q", path, got, want)
		}
	}
	if o := get("e=pv&nuid=n", false); o.text("anonymousId") != "n" {
		t.Error("without duid the network id is the anonymous one")
	}
	for _, o := range []*object{get("e=pv&nuid=n&tnuid=m&ip=1.2.3.4&duid=d", true), get("e=pv&nuid=n&tnuid=m&ip=1.2.3.4&sid=s", true)} {
		if text := string(o.bytes()); strings.Contains(text, "1.2.3.4") || strings.Contains(text, `"n"`) || strings.Contains(text, `"m"`) {
			t.Errorf("SP-Anonymous kept an address or a network id: %s", text)
		}
	}
	if o := get("e=pv&ttm=1795273592567&dtm=1&stm=2&uid=u", false); o.text("timestamp") != "1795273592567" || o.get("sentAt") != nil {
		t.Errorf("the true time stands alone: %s", o.bytes())
	}
	cx := base64.RawURLEncoding.EncodeToString([]byte(`{"schema":"iglu:com.snowplowanalytics.snowplow/contexts/jsonschema/1-0-0","data":[
		{"schema":"iglu:com.snowplowanalytics.snowplow/client_session/jsonschema/1-0-2","data":{"userId":"device-1","sessionId":"s1"}},
		{"schema":"iglu:com.snowplowanalytics.snowplow/mobile_context/jsonschema/1-0-2","data":{"osType":"ios","osVersion":"17","deviceModel":"X","deviceManufacturer":"Apple","appleIdfv":"v1"}},
		{"schema":"iglu:com.snowplowanalytics.snowplow/geolocation_context/jsonschema/1-1-0","data":{"latitude":52.5,"longitude":13.4}},
		{"schema":"iglu:com.acme/ticket/jsonschema/1-0-0","data":{"n":1}}]}`))
	mobile := get("e=pv&cx="+cx, false)
	if mobile.text("anonymousId") != "device-1" || field(mobile, "context", "sessionId") != "s1" || field(mobile, "context", "os", "name") != "ios" ||
		field(mobile, "context", "device", "id") != "v1" || field(mobile, "context", "snowplow", "contexts", "com.acme/ticket", "n") != "1" {
		t.Errorf("mobile contexts: %s", mobile.bytes())
	}
	if strings.Contains(string(mobile.bytes()), "52.5") {
		t.Error("coordinates were kept")
	}
	if o := get("e=pv&cx="+cx, true); strings.Contains(string(o.bytes()), "v1") {
		t.Error("SP-Anonymous kept the device's id")
	}
}

func TestAnOrderKeepsItsLinesWhereItIsBroken(t *testing.T) {
	b, err := Snowplow([]byte(`{"data":[{"e":"ti","uid":"u","ti_id":"o","ti_sk":"p"},{"e":"tr","uid":"u","tr_id":"o","co":"{"},7,{"e":"zz"},{"e":"se","uid":"u"}]}`), false, DefaultLimits())
	if err != nil || len(b.Calls) != 1 || len(b.Rejected) != 4 {
		t.Fatalf("%v: %s, %d rejected", err, b.Calls, len(b.Rejected))
	}
	for _, body := range []string{``, `[]`, `{}`, `{"data":{}}`, `{"schema":"iglu:a/b/jsonschema/1","data":[]}`, `{"data":[],"data":[]}`, "{\"data\":[\"\xff\"]}", `{"data":["\ud800"]}`} {
		if _, err := Snowplow([]byte(body), false, DefaultLimits()); err == nil {
			t.Errorf("%q was taken", body)
		}
	}
}
