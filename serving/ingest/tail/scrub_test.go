package tail

import (
	"bytes"
	"encoding/json"
	"hash/maphash"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"
)

func scrubber() *Scrubber { return NewScrubber(Default(), maphash.MakeSeed()) }

func TestWhatPointsToAPersonIsHidden(t *testing.T) {
	for in, want := range map[string]string{
		`{"product_id":"4006381333931","price":9.99}`:              `{"product_id":"4006381333931","price":9.99}`,
		`{"email":"a@b.c","userEmail":1,"Client-IP":[1],"zip":{}}`: `{"email":"[hidden]","userEmail":"[hidden]","Client-IP":"[hidden]","zip":"[hidden]"}`,
		`{"ip":null,"IPAddress":true,"clientIp":"::1"}`:            `{"ip":null,"IPAddress":"[hidden]","clientIp":"[hidden]"}`,
		`{"description":"zipper, tripod, shipping"}`:               `{"description":"zipper, tripod, shipping"}`,
		`{"q":"mail ann.smith@example.com now"}`:                   `{"q":"mail [email] now"}`,
		`{"url":"https://x.de/a?e=ann%40x.de&b=1"}`:                `{"url":"https://x.de/a?e=[email]\u0026b=1"}`,
		`{"q":"a\u0040b.de","r":"a&#64;b.de","s":"a＠b.de"}`:        `{"q":"[email]","r":"[email]","s":"[email]"}`,
		`{"q":"call +49 (170) 123-45 67 please"}`:                  `{"q":"call +[number] please"}`,
		`{"q":"from 203.0.113.9, 1.2.3.4"}`:                        `{"q":"from [ip], [ip]"}`,
		`{"q":"٠١٢٣٤٥٦٧"}`:                                         `{"q":"[number]"}`,
		`{"at":"2023-11-14T22:13:20.000Z","n":"12 of 345"}`:        `{"at":"2023-11-14T22:13:20.000Z","n":"12 of 345"}`,
		`{"a":491701234567,"b":12345.678912345,"c":1e12,"d":-1}`:   `{"a":"[hidden]","b":12345.678912345,"c":"[hidden]","d":-1}`,
		`{"ann@x.de":1,"0170 1234567":2}`:                          `{"[email]":1,"[number]":2}`,
		`[ 1 , "a" , [ ] , { } , true ]`:                           `[1,"a",[],{},true]`,
		`{"product_name":"Lamp","name":"Ann"}`:                     `{"product_name":"Lamp","name":"[hidden]"}`,
		`{"q":"line\nbreak \u2028 \ud83d\ude00 \ud800"}`:           "{\"q\":\"line\\u000abreak \u2028 😀 �\"}",
		`"x"`:   `"x"`,
		`{"a":`: `"[not JSON]"`,
	} {
		if got, cut := scrubber().Append(nil, []byte(in), 4096); string(got) != want || cut {
			t.Errorf("%s\n got %s\nwant %s (cut %v)", in, got, want, cut)
		}
	}
}

func TestAPersonsIDIsAHashThatStaysTheSame(t *testing.T) {
	s := scrubber()
	got, _ := s.Append(nil, []byte(`{"userId":"ann","anonymousId":"bob","user_id":"ann","groupId":7,"uid":{"a":1}}`), 4096)
	var m map[string]string
	if err := json.Unmarshal(got, &m); err != nil {
		t.Fatal(err)
	}
	if m["userId"] != m["user_id"] || m["userId"] == m["anonymousId"] || !strings.HasPrefix(m["userId"], "id:") || m["uid"] != hiddenMark {
		t.Errorf("%s", got)
	}
	if bytes.Contains(got, []byte("ann")) {
		t.Errorf("%s has the id", got)
	}
	if again, _ := s.Append(nil, []byte(`{"userId":"ann"}`), 4096); !bytes.Contains(got, again[1:len(again)-1]) {
		t.Errorf("%s, then %s", got, again)
	}
	if other, _ := scrubber().Append(nil, []byte(`{"userId":"ann"}`), 4096); bytes.Contains(got, other[1:len(other)-1]) {
		t.Error("another process has the same hash")
	}
}

func TestALongDocumentIsCutAndStaysJSON(t *testing.T) {
	docs := []string{
		`{"list":[` + strings.Repeat(`{"k":"value"},`, 1000) + `1]}`,
		`{"a":{"` + strings.Repeat("k", 400) + `":{"` + strings.Repeat("é", 400) + `":["x"]}},"b":1}`,
		strings.Repeat(`[`, 200) + strings.Repeat(`]`, 200),
		strings.Repeat(`{"a":`, 200) + `1` + strings.Repeat(`}`, 200),
		`"` + strings.Repeat(`\u0001`, 5000) + `"`,
	}
	for _, doc := range docs {
		for limit := 2*maxDepth + 64; limit < 700; limit++ {
			got, _ := scrubber().Append([]byte("x"), []byte(doc), limit)
			if len(got)-1 > limit || !json.Valid(got[1:]) {
				t.Fatalf("limit %d: %d bytes: %s", limit, len(got)-1, got)
			}
		}
	}
	if got, cut := scrubber().Append(nil, []byte(docs[0]), 200); !cut || len(got) < 150 {
		t.Errorf("%d bytes, cut %v: %s", len(got), cut, got)
	}
}

// FuzzNoEmailSurvives puts an e-mail address into any document, in each of the ways in
// which they are written, and looks for its local part in what is shown.
func FuzzNoEmailSurvives(f *testing.F) {
	for _, s := range []string{"", "hello ", `{"a": "`, "x=", `\`, "12 34", "é", "%", "&#64;", "a.b+c", "\u2028", `["`, strings.Repeat("y", 250), "<", "\x00", "'"} {
		f.Add(s, s, uint8(len(s)))
	}
	f.Fuzz(func(t *testing.T, before, after string, shape uint8) {
		const local, domain = "qzjxk", "qzjxd.example"
		if strings.Contains(before+after, "qzjx") {
			return
		}
		shapes := []string{
			local + "@" + domain, strings.ToUpper(local) + "@" + domain, local + ".x+tag@" + domain, "mailto:" + local + "@" + domain, "<" + local + "@" + domain + ">",
			local + "%40" + domain, url.QueryEscape("to=" + local + "@" + domain), local + "%2540" + domain, local + "&#64;" + domain, local + "&#x40;" + domain,
			local + `\u0040` + domain, local + "＠" + domain, "o'" + local + "@" + domain, local + "@[203.0.113.9]", local + "@localhost", `{"e":"` + local + "@" + domain + `"}`,
		}
		text := before + shapes[int(shape)%len(shapes)] + after
		value, _ := json.Marshal(text)
		raw := bytes.ReplaceAll(value, []byte("@"), []byte(`\u0040`))
		for _, doc := range []string{
			`{"q":` + string(value) + `}`, `{"q":` + string(raw) + `}`, `{"sku":[` + string(value) + `,{}]}`, `{` + string(value) + `:1}`, string(value),
			`{"a":{"b":[1,` + string(raw) + `]},"c":` + string(value) + `}`,
		} {
			got, _ := scrubber().Append(nil, []byte(doc), 2048)
			if !json.Valid(got) || len(got) > 2048 || bytes.ContainsAny(got, "\n\r") {
				t.Fatalf("%s\nbecame %s", doc, got)
			}
			if strings.Contains(strings.ToLower(string(got)), local) {
				t.Fatalf("%s\nshows the address: %s", doc, got)
			}
		}
	})
}

// FuzzScrub gives it any bytes: what it shows is one line of JSON within the limit,
// and the same structure where nothing is hidden or cut.
func FuzzScrub(f *testing.F) {
	for _, s := range []string{`{"a":[1,2,{"b":null}]}`, `[[[]]]`, `{"":"\\\""}`, ` { "a" : "\ud83d" } `, `nul`, `"`, `{"a":1}}`, `-1e5`, strings.Repeat("[", 40) + strings.Repeat("]", 40)} {
		f.Add([]byte(s), 300)
	}
	f.Fuzz(func(t *testing.T, in []byte, limit int) {
		limit = 2*maxDepth + 64 + int(uint(limit)%4096)
		got, cut := scrubber().Append(nil, in, limit)
		if !json.Valid(got) || len(got) > limit || bytes.ContainsAny(got, "\n\r") {
			t.Fatalf("%q became %q (limit %d)", in, got, limit)
		}
		again, _ := scrubber().Append(nil, got, limit+1000)
		if !cut && utf8.Valid(in) && json.Valid(in) && !bytes.Contains(got, []byte(`"id:`)) && !bytes.Contains(got, []byte("…")) && !bytes.Equal(again, got) {
			t.Fatalf("%q became %q, and that %q", in, got, again)
		}
	})
}

func BenchmarkScrub(b *testing.B) {
	s, in := scrubber(), []byte(`{"product_id":"p1","name":"Lamp","price":9.99,"currency":"USD","url":"https://shop.example/lamp?utm_source=mail","query":"green lamp for ann@example.com"}`)
	var out []byte
	b.ReportAllocs()
	for b.Loop() {
		out, _ = s.Append(out[:0], in, 2048)
	}
}
