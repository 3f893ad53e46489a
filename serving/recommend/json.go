package recommend

import (
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
	w.whose(a.RequestID, a.User, a.Segments)
	w.about(&a)
	w.made(a.GeneratedAt)
	w.items(&a)
	return w.b, w.err
}

// appendWith is AppendJSON with a list that is written already.
func (a Answer) appendWith(b []byte, list string) ([]byte, error) {
	w := jsonWriter{b: b}
	w.whose(a.RequestID, a.User, a.Segments)
	w.about(&a)
	w.made(a.GeneratedAt)
	w.raw(list, "")
	return w.b, w.err
}

// jsonWriter appends JSON and remembers the first value that is none.
type jsonWriter struct {
	b   []byte
	err error
}

// whose begins an answer with what only its request knows.
func (w *jsonWriter) whose(request string, user data.UserID, segments []string) {
	w.text(`{"request_id":`, request)
	if user != "" {
		w.text(`,"user":`, string(user))
	}
	if len(segments) > 0 {
		w.texts(`,"segments":`, segments)
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

// number appends a number as ECMAScript writes it, like encoding/json.
func (w *jsonWriter) number(name string, x float64, bits int) {
	w.b = append(w.b, name...)
	if n, ok := tenThousandths(float32(x)); ok && bits == 32 {
		w.share(n)
		return
	}
	if n := uint64(x*100 + .5); bits == 64 && x > 0 && x < 1e7 && float64(n)/100 == x { // a price
		w.hundredths(n)
		return
	}
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

// share appends a number of ten-thousandths, at most 10,000, as a decimal.
func (w *jsonWriter) share(n int) {
	if n == 10_000 {
		w.b = append(w.b, '1')
		return
	}
	if w.b = append(w.b, '0'); n == 0 {
		return
	}
	w.b = append(w.b, '.', byte('0'+n/1000), byte('0'+n/100%10), byte('0'+n/10%10), byte('0'+n%10))
	for last := len(w.b) - 1; w.b[last] == '0'; last-- {
		w.b = w.b[:last]
	}
}

// hundredths appends a number of hundredths as a decimal: its few digits are the
// shortest that say it.
func (w *jsonWriter) hundredths(n uint64) {
	w.b = strconv.AppendUint(w.b, n/100, 10)
	switch n %= 100; {
	case n == 0:
	case n%10 == 0:
		w.b = append(w.b, '.', byte('0'+n/10))
	default:
		w.b = append(w.b, '.', byte('0'+n/10), byte('0'+n%10))
	}
}

func (w *jsonWriter) time(t time.Time) {
	text, err := t.MarshalJSON()
	if err != nil {
		w.err = err
	}
	w.b = append(w.b, text...)
}
