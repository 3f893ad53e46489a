package recommend

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"kindred/data"
)

// AppendJSON appends the answer as encoding/json writes it without escaping HTML,
// byte for byte, at a fraction of the cost: an answer is a few hundred small
// values, for each of which reflection costs more than the value. The error is a
// number that JSON does not have, or a time that it cannot say.
func (a Answer) AppendJSON(b []byte) ([]byte, error) {
	w := jsonWriter{b: b}
	w.whose(a.RequestID, a.User)
	w.about(&a)
	w.made(a.GeneratedAt)
	w.items(&a)
	return w.b, w.err
}

// jsonWriter appends JSON and remembers the first value that is none.
type jsonWriter struct {
	b   []byte
	err error
}

// whose begins an answer with what only its request knows.
func (w *jsonWriter) whose(request string, user data.UserID) {
	w.text(`{"request_id":`, request)
	if user != "" {
		w.text(`,"user":`, string(user))
	}
}

// about writes the members from known to stale.
func (w *jsonWriter) about(a *Answer) {
	w.raw(`,"known":`, strconv.FormatBool(a.Known))
	w.text(`,"model":`, a.Model)
	w.texts(`,"components":`, a.Components)
	if a.Fallback != "" {
		w.text(`,"fallback":`, a.Fallback)
	}
	w.raw(`,"stale":`, strconv.FormatBool(a.Stale))
}

// made writes when the answer was given.
func (w *jsonWriter) made(at time.Time) {
	w.raw(`,"generated_at":`, "")
	w.time(at)
}

// items writes the list and ends the answer.
func (w *jsonWriter) items(a *Answer) {
	w.raw(`,"items":`, "")
	w.list(len(a.Items), a.Items == nil, func(i int) { w.item(&a.Items[i]) })
	w.raw(`}`, "")
}

func (w *jsonWriter) item(it *Recommended) {
	w.text(`{"id":`, string(it.ID))
	if it.Title != "" {
		w.text(`,"title":`, it.Title)
	}
	w.raw(`,"position":`, "")
	w.b = strconv.AppendInt(w.b, int64(it.Position), 10)
	w.number(`,"score":`, float64(it.Score), 32)
	if len(it.Categories) > 0 {
		w.texts(`,"categories":`, it.Categories)
	}
	if it.URL != "" {
		w.text(`,"url":`, it.URL)
	}
	if it.ImageURL != "" {
		w.text(`,"image_url":`, it.ImageURL)
	}
	if it.Price != 0 {
		w.number(`,"price":`, it.Price, 64)
	}
	if it.Currency != "" {
		w.text(`,"currency":`, it.Currency)
	}
	if len(it.Reasons) > 0 {
		w.raw(`,"reasons":`, "")
		w.list(len(it.Reasons), false, func(i int) { w.reason(&it.Reasons[i]) })
	}
	if it.Unknown {
		w.raw(`,"unknown":true`, "")
	}
	if it.Closed {
		w.raw(`,"closed":true`, "")
	}
	w.raw(`}`, "")
}

func (w *jsonWriter) reason(r *Reason) {
	w.text(`{"component":`, r.Component)
	w.number(`,"share":`, float64(r.Share), 32)
	if len(r.Because) > 0 {
		w.raw(`,"because":`, "")
		w.list(len(r.Because), false, func(i int) { w.cause(&r.Because[i]) })
	}
	if len(r.Terms) > 0 {
		w.texts(`,"terms":`, r.Terms)
	}
	w.raw(`}`, "")
}

func (w *jsonWriter) cause(c *Cause) {
	w.text(`{"item":`, string(c.Item))
	if c.Title != "" {
		w.text(`,"title":`, c.Title)
	}
	w.number(`,"share":`, float64(c.Share), 32)
	w.raw(`}`, "")
}

// raw appends what is JSON already.
func (w *jsonWriter) raw(name, value string) { w.b = append(append(w.b, name...), value...) }

// list appends n elements in brackets, or null.
func (w *jsonWriter) list(n int, null bool, element func(i int)) {
	if null {
		w.b = append(w.b, "null"...)
		return
	}
	w.b = append(w.b, '[')
	for i := range n {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		element(i)
	}
	w.b = append(w.b, ']')
}

func (w *jsonWriter) texts(name string, list []string) {
	w.raw(name, "")
	w.list(len(list), list == nil, func(i int) { w.text("", list[i]) })
}

// text appends a string: at once where nothing in it has to be escaped.
func (w *jsonWriter) text(name, s string) {
	w.b = append(w.b, name...)
	if !plain(s) {
		w.escaped(s)
		return
	}
	w.b = append(append(append(w.b, '"'), s...), '"')
}

// plain reports whether every byte of s is itself in JSON, eight at a time: a byte of
// a word is 0 somewhere exactly if (word − 0x01…) &^ word has a high bit, and is below
// ' ' exactly if (word − 0x20…) &^ word has one.
func plain(s string) bool {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; len(s) >= 8; s = s[8:] {
		x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		quote, slash, del := x^ones*'"', x^ones*'\\', x^ones*0x7f
		if (x|(x-ones*' ')&^x|(quote-ones)&^quote|(slash-ones)&^slash|(del-ones)&^del)&highs != 0 {
			return false
		}
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			return false
		}
	}
	return true
}

// escaped leaves a string to encoding/json.
func (w *jsonWriter) escaped(s string) {
	var quoted quotedText
	encoder := json.NewEncoder(&quoted)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil {
		w.err = err
		return
	}
	w.b = append(w.b, quoted[:len(quoted)-1]...) // without the newline
}

type quotedText []byte

func (q *quotedText) Write(p []byte) (int, error) {
	*q = append(*q, p...)
	return len(p), nil
}

// number appends a number as ECMAScript writes it, like encoding/json.
func (w *jsonWriter) number(name string, x float64, bits int) {
	w.b = append(w.b, name...)
	if math.IsInf(x, 0) || math.IsNaN(x) {
		w.err = fmt.Errorf("answer: %v is no JSON number", x)
		return
	}
	format := byte('f')
	if a := math.Abs(x); a != 0 && (bits == 64 && (a < 1e-6 || a >= 1e21) || bits == 32 && (float32(a) < 1e-6 || float32(a) >= 1e21)) {
		format = 'e'
	}
	w.b = strconv.AppendFloat(w.b, x, format, -1, bits)
	if n := len(w.b); format == 'e' && w.b[n-4] == 'e' && w.b[n-3] == '-' && w.b[n-2] == '0' { // e-09 is e-9
		w.b[n-2] = w.b[n-1]
		w.b = w.b[:n-1]
	}
}

func (w *jsonWriter) time(t time.Time) {
	text, err := t.MarshalJSON()
	if err != nil {
		w.err = err
	}
	w.b = append(w.b, text...)
}
