package recommend

import (
	"encoding/json"
	"fmt"
	"time"
	"unsafe"

	"kindred/data"
)

// kept is an answer as it is kept: as JSON, without what differs from request to
// request. So a hit costs a few copies, and the garbage collector follows two
// pointers instead of a few hundred.
type kept struct {
	json  []byte           // members from known to stale, then the items to the answer's end
	items int              // where the items begin
	shown []data.ShownItem // the list as an impression has it; read only
	model string
}

// newKept keeps a; false where a holds a number that JSON does not have.
func newKept(a *Answer, shown []data.ShownItem) (*kept, bool) {
	w := jsonWriter{b: make([]byte, 0, bytesOf(a))}
	w.about(a)
	k := &kept{items: len(w.b), shown: shown, model: a.Model}
	w.items(a)
	k.json = w.b
	return k, w.err == nil
}

// bytesOf is about how much JSON an answer is, rather too much than too little.
func bytesOf(a *Answer) int {
	n := 512
	for i := range a.Items {
		it := &a.Items[i]
		n += 160 + len(it.ID) + len(it.Title) + len(it.URL) + len(it.ImageURL) + len(it.Currency)
		for _, c := range it.Categories {
			n += 4 + len(c)
		}
		for _, r := range it.Reasons {
			n += 72 + len(r.Component)
			for _, c := range r.Because {
				n += 48 + len(c.Item) + len(c.Title)
			}
			for _, t := range r.Terms {
				n += 4 + len(t)
			}
		}
	}
	return n
}

// size is about the memory that the answer holds: texts of shown are the catalog's.
func (k *kept) size() int64 {
	const entry = 64 // of the map
	return entry + int64(unsafe.Sizeof(*k)) + int64(cap(k.json)) + int64(cap(k.shown))*int64(unsafe.Sizeof(data.ShownItem{}))
}

// append is Answer.AppendJSON for the answer to one request.
func (k *kept) append(b []byte, request string, user data.UserID, at time.Time) ([]byte, error) {
	w := jsonWriter{b: b}
	w.whose(request, user)
	w.b = append(w.b, k.json[:k.items]...)
	w.made(at)
	w.b = append(w.b, k.json[k.items:]...)
	return w.b, w.err
}

// answer is the answer in values again.
func (k *kept) answer() (Answer, error) {
	var a Answer
	b, err := k.append(nil, "", "", time.Time{})
	if err == nil {
		err = json.Unmarshal(b, &a)
	}
	if err != nil {
		return Answer{}, fmt.Errorf("read a kept answer: %w", err)
	}
	return a, nil
}
