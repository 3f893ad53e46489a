package load

import (
	"encoding/base64"
	"strconv"
	"time"
)

// renderer turns operations into HTTP requests, reusing its memory.
type renderer struct {
	stream *Stream
	run    string
	head   string // Host, User-Agent and credentials
	body   []byte
	req    []byte
}

// newRenderer writes requests for host.
func newRenderer(s *Stream, host string) *renderer {
	head := " HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: kindred-load\r\n"
	if key := s.cfg.Key; key != "" {
		head += "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(key+":")) + "\r\n"
	}
	return &renderer{stream: s, run: s.cfg.Run, head: head}
}

// get is a GET request.
func (r *renderer) get(path string) []byte {
	r.req = append(r.req[:0], "GET "...)
	r.req = append(r.req, path...)
	r.req = append(r.req, r.head...)
	r.req = append(r.req, "\r\n"...)
	return r.req
}

// recommend asks for a person's recommendations.
func (r *renderer) recommend(person int) []byte {
	r.req = append(r.req[:0], "GET /v1/recommendations/"...)
	r.req = r.person(r.req, person)
	r.req = append(r.req, "?n="...)
	r.req = strconv.AppendInt(r.req, int64(r.stream.cfg.N), 10)
	r.req = append(r.req, r.head...)
	r.req = append(r.req, "\r\n"...)
	return r.req
}

// post is a POST of the body so far; retry is how often it was sent before.
func (r *renderer) post(path string, retry int) []byte {
	r.req = append(r.req[:0], "POST "...)
	r.req = append(r.req, path...)
	r.req = append(r.req, r.head...)
	if retry > 0 {
		r.req = append(r.req, "X-Retry-Count: "...)
		r.req = strconv.AppendInt(r.req, int64(retry), 10)
		r.req = append(r.req, "\r\n"...)
	}
	r.req = append(r.req, "Content-Type: application/json\r\nContent-Length: "...)
	r.req = strconv.AppendInt(r.req, int64(len(r.body)), 10)
	r.req = append(r.req, "\r\n\r\n"...)
	r.req = append(r.req, r.body...)
	return r.req
}

// batch fills the body with ingest operation op, sent at now by the server's clock.
func (r *renderer) batch(op Op, now time.Time) {
	r.open()
	for slot := range int64(r.stream.cfg.Batch) {
		r.call(r.stream.Call(op.Index, slot), now.Add(op.Skew))
	}
	r.close(now.Add(op.Skew))
}

// open begins a batch, close ends it.
func (r *renderer) open() { r.body = append(r.body[:0], `{"batch":[`...) }

func (r *renderer) close(sent time.Time) {
	if r.body[len(r.body)-1] == ',' {
		r.body = r.body[:len(r.body)-1]
	}
	r.body = append(r.body, `],"sentAt":"`...)
	r.body = stamp(r.body, sent)
	r.body = append(r.body, `"}`...)
}

// call appends a call as a browser would write it, about 500 bytes, and a comma.
func (r *renderer) call(c Call, clock time.Time) {
	b := append(r.body, `{"type":"track","event":"`...)
	b = append(b, actions[c.Action].event...)
	b = append(b, `","messageId":"`...)
	b = r.messageID(b, c)
	b = append(b, `","userId":"`...)
	b = r.person(b, c.Person)
	b = append(b, `","timestamp":"`...)
	b = stamp(b, clock.Add(-c.Age))
	b = append(b, `","properties":{`...)
	if actions[c.Action].event == "Order Completed" {
		b = append(b, `"order_id":"o-`...)
		b = r.messageID(b, c)
		b = append(b, `","total":`...)
		b = price(b, c.Item)
		b = append(b, `,"currency":"EUR","products":[{"product_id":"`...)
		b = r.item(b, c.Item)
		b = append(b, `","quantity":1,"price":`...)
		b = price(b, c.Item)
		b = append(b, `}]}`...)
	} else {
		b = append(b, `"product_id":"`...)
		b = r.item(b, c.Item)
		b = append(b, `","currency":"EUR","position":1,"price":`...)
		b = price(b, c.Item)
		b = append(b, '}')
	}
	agent := browser
	if c.Person < 0 {
		agent = crawler
	}
	b = append(b, `,"context":{"library":{"name":"analytics.js","version":"npm:next-1.84.3"},"locale":"de-DE","timezone":"Europe/Berlin","userAgent":"`...)
	b = append(b, agent...)
	b = append(b, `","page":{"path":"/p/`...)
	b = r.item(b, c.Item)
	b = append(b, `","referrer":"","search":"","title":"Shop","url":"https://shop.example/p/`...)
	b = r.item(b, c.Item)
	r.body = append(b, `"}}},`...)
}

const (
	browser = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
	crawler = "Mozilla/5.0 (compatible; loadbot/1.0; +https://bot.example)"
)

// messageID names a call by where it was first sent.
func (r *renderer) messageID(b []byte, c Call) []byte {
	b = append(b, "load-"...)
	b = append(b, r.run...)
	b = append(b, '-')
	b = strconv.AppendInt(b, c.Op, 36)
	b = append(b, '-')
	return strconv.AppendInt(b, c.Slot, 36)
}

// person appends the id of a person, or of a bot.
func (r *renderer) person(b []byte, person int) []byte {
	if person < 0 {
		b = append(b, "bot-"...)
		return strconv.AppendInt(b, int64(-person), 10)
	}
	b = append(b, r.stream.cfg.PersonPrefix...)
	return strconv.AppendInt(b, int64(person)+1, 10) // "0" identifies nobody

}

// item appends the id of an item.
func (r *renderer) item(b []byte, item int) []byte {
	b = append(b, r.stream.cfg.ItemPrefix...)
	return strconv.AppendInt(b, int64(item)+1, 10)
}

// price appends an item's price, always the same.
func price(b []byte, item int) []byte {
	b = strconv.AppendInt(b, int64(1+item%200), 10)
	return append(b, ".99"...)
}

// stamp appends a time as browsers write it.
func stamp(b []byte, t time.Time) []byte {
	return t.UTC().AppendFormat(b, "2006-01-02T15:04:05.000Z")
}
