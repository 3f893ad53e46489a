package httpapi_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"kindred/data"
)

// Each door's request arrives as an event of the same person about the same item.
func TestOtherTrackersDeliverHere(t *testing.T) {
	snowplow := func(q url.Values) string { return "/i?" + q.Encode() }
	batch64 := base64.StdEncoding.EncodeToString([]byte(call("Product Viewed", "ann", "", "lamp", "f1")))
	for _, tt := range []struct {
		name, method, target, body string
		headers                    []string
		contentType                string
	}{
		{"Snowplow's POST", "POST", "/com.snowplowanalytics.snowplow/tp2",
			`{"schema":"iglu:com.snowplowanalytics.snowplow/payload_data/jsonschema/1-0-4","data":[{"e":"pv","url":"https://shop.example/lamp","page":"Lamp","uid":"ann","eid":"s1","dtm":"1795217500000","stm":"1795217500000"}]}`, nil, "application/json"},
		{"Snowplow's GET", "GET", snowplow(url.Values{"e": {"pv"}, "uid": {"ann"}, "eid": {"s2"}, "url": {"https://shop.example/"}}), "", nil, "image/gif"},
		{"the pixel", "GET", "/pixel/v1/page?userId=ann&name=Mail", "", nil, "image/gif"},
		{"the pixel of an event", "GET", "/pixel/v1/track?userId=ann&event=Email+Opened", "", nil, "image/gif"},
		{"RudderStack's beacon", "POST", "/beacon/v1/batch?writeKey=WK", batch(call("Product Viewed", "ann", "", "lamp", "b1")), nil, "application/json"},
		{"RudderStack's import", "POST", "/v1/import", batch(call("Product Viewed", "ann", "", "lamp", "i1")), []string{"Content-Type", "application/x-www-form-urlencoded"}, "application/json"},
		{"PostHog", "POST", "/batch/", `{"api_key":"k","batch":[{"event":"viewed","distinct_id":"ann","uuid":"p1","properties":{}}]}`, nil, "application/json"},
		{"Firehose", "POST", "/v1/firehose", `{"requestId":"r1","timestamp":1795217500000,"records":[{"data":"` + batch64 + `"}]}`,
			[]string{"X-Amz-Firehose-Request-Id", "r1"}, "application/json"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := open(t, nil)
			r := h.do(tt.method, tt.target, tt.body, tt.headers...).want(http.StatusOK)
			if got := r.Header().Get("Content-Type"); !strings.HasPrefix(got, tt.contentType) {
				t.Errorf("the answer is %s, want %s", got, tt.contentType)
			}
			var p struct{ IDs []struct{ Kind, ID string } }
			if got := h.do("GET", "/v1/profiles/ann", ""); got.Code != http.StatusOK {
				got = h.do("GET", "/v1/profiles/"+string(data.NewProfileID(data.IDUser, "ann")), "")
				if got.Code != http.StatusOK {
					t.Fatalf("nobody is known after it: %d %s", got.Code, got.Body)
				}
				got.into(&p)
			}
		})
	}
}

func TestAPixelIsAnImageWhateverBecomesOfItsCall(t *testing.T) {
	h := open(t, withKeys)
	for _, target := range []string{"/pixel/v1/page?userId=ann", "/pixel/v1/track?writeKey=nobody", "/i?e=pv", "/i?e=%7B"} {
		r := h.do("GET", target, "").want(http.StatusOK)
		if r.Body.Len() != 43 || r.Header().Get("Content-Type") != "image/gif" || r.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d bytes of %s, %s", target, r.Body.Len(), r.Header().Get("Content-Type"), r.Header().Get("Cache-Control"))
		}
	}
	if got := h.do("GET", "/v1/profiles/ann", "", "X-API-Key", "reader-secret").Code; got != http.StatusNotFound {
		t.Errorf("a call without a key made a profile: %d", got)
	}
}

func TestFirehoseIsAnsweredInItsOwnForm(t *testing.T) {
	h := open(t, withKeys)
	for _, tt := range []struct {
		key, body string
		status    int
	}{
		{"ingest-secret", `{"requestId":"r1","timestamp":1,"records":[]}`, 200},
		{"wrong", `{"requestId":"r1","timestamp":1,"records":[]}`, 401},
		{"ingest-secret", `{"records":`, 400},
	} {
		r := h.do("POST", "/v1/firehose", tt.body, "X-Amz-Firehose-Access-Key", tt.key, "X-Amz-Firehose-Request-Id", "r1").want(tt.status)
		var a struct {
			RequestID    string
			Timestamp    json.Number
			ErrorMessage string
		}
		r.into(&a)
		if a.RequestID != "r1" || a.Timestamp == "" || (a.ErrorMessage != "") != (tt.status != 200) {
			t.Errorf("%s: answer %+v", tt.body, a)
		}
	}
}

func TestWhatADoorCannotReadIsADeadLetter(t *testing.T) {
	h := open(t, nil)
	h.do("POST", "/com.snowplowanalytics.snowplow/tp2", `{"data":[17]}`).want(http.StatusOK)
	var list struct{ DeadLetters []struct{ Reason string } }
	r := h.do("GET", "/v1/dead-letters", "").want(http.StatusOK)
	r.into(&list)
	if !strings.Contains(r.Body.String(), "Snowplow") {
		t.Errorf("dead letters: %s", r.Body)
	}
}

func TestRudderStacksBrowserClientIsConfigured(t *testing.T) {
	h := open(t, withKeys)
	h.do("GET", "/sourceConfig/?writeKey=ingest-secret", "").want(http.StatusOK)
	h.do("GET", "/sourceConfig/?writeKey=nobody", "").want(http.StatusUnauthorized)
}
