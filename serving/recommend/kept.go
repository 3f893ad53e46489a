package recommend

import (
	"encoding/binary"
	"math"
	"sync/atomic"
	"unsafe"

	"kindred/data"
	"kindred/serving/live"
)

// kept is an answer as it is kept: what it says of items is their rows in the snapshot
// that it was made by, which has their texts. So it takes a twelfth of its JSON's
// memory, and the garbage collector has little to follow.
type kept struct {
	known, stale    bool
	model, fallback string
	components      []string // read only
	items           int
	// packed is for each item: row, score, the number of reasons and each one's component
	// (its place in components), share, causes (number, then row and share of each) and terms
	// (number, then length and bytes of each). A score is four bytes, a share the uvarint
	// of its ten-thousandths, all else a uvarint.
	packed string
	hot    atomic.Pointer[hot] // for who comes often; stored under the shard's lock
}

// hot is a kept answer's list as it goes out, and as its impression has it. Both are
// shared and read only.
type hot struct {
	list  string
	shown []data.ShownItem
}

func newHot(a *Answer) (*hot, error) {
	w := jsonWriter{}
	w.items(a)
	return &hot{string(w.b), shownItems(a.Items)}, w.err
}

func (h *hot) size() int64 {
	return int64(unsafe.Sizeof(*h)) + int64(len(h.list)) + int64(len(h.shown))*int64(unsafe.Sizeof(data.ShownItem{}))
}

// newKept keeps a, whose rows are in the order that memory has them; false where it
// says what packed has no way to say.
func newKept(a *Answer, rows []int32) (*kept, bool) {
	p := packer{rows: rows, components: a.Components, b: make([]byte, 0, 1536)}
	for i := range a.Items {
		p.item(&a.Items[i], i+1)
	}
	k := &kept{known: a.Known, stale: a.Stale, model: a.Model, fallback: a.Fallback, components: a.Components, items: len(a.Items), packed: string(p.b)}
	return k, !p.failed && len(p.rows) == 0
}

// packer appends items to b.
type packer struct {
	b          []byte
	rows       []int32 // to come
	components []string
	failed     bool
}

func (p *packer) item(it *Recommended, position int) {
	p.row()
	p.failed = p.failed || it.Position != position || it.Unknown || it.Closed
	p.b = binary.LittleEndian.AppendUint32(p.b, math.Float32bits(it.Score))
	p.count(len(it.Reasons))
	for i := range it.Reasons {
		r := &it.Reasons[i]
		p.component(r.Component)
		p.share(r.Share)
		p.count(len(r.Because))
		for j := range r.Because {
			p.row()
			p.share(r.Because[j].Share)
		}
		p.count(len(r.Terms))
		for _, t := range r.Terms {
			p.b = appendText(p.b, t)
		}
	}
}

func (p *packer) count(n int) { p.b = binary.AppendUvarint(p.b, uint64(n)) }

func (p *packer) row() {
	if p.failed = p.failed || len(p.rows) == 0; p.failed {
		return
	}
	p.count(int(p.rows[0]))
	p.rows = p.rows[1:]
}

func (p *packer) component(name string) {
	for i, c := range p.components {
		if c == name {
			p.count(i)
			return
		}
	}
	p.failed = true
}

func (p *packer) share(share float32) {
	n, ok := tenThousandths(share)
	p.failed = p.failed || !ok
	p.count(n)
}

// size is about the memory that the answer holds.
func (k *kept) size() int64 {
	const entry = 64 // of the map
	n := entry + int64(unsafe.Sizeof(*k)) + int64(len(k.packed))
	if h := k.hot.Load(); h != nil {
		n += h.size()
	}
	return n
}

// about is the answer without its items.
func (k *kept) about() Answer {
	return Answer{Known: k.known, Model: k.model, Components: k.components, Fallback: k.fallback, Stale: k.stale}
}

// answer is the answer in values again, in memory; snap is the snapshot it was made by.
func (k *kept) answer(snap *live.Snapshot, memory *memory) Answer {
	a := k.about()
	a.Items = take(&memory.items, k.items)
	u := unpacker{left: k.packed, snap: snap, components: k.components, memory: memory}
	for i := range a.Items {
		u.item(&a.Items[i], i+1)
	}
	return a
}

// unpacker reads items from what is left.
type unpacker struct {
	left       string
	snap       *live.Snapshot
	components []string
	memory     *memory
}

func (u *unpacker) item(it *Recommended, position int) {
	*it = item(u.snap.Facts(int32(u.next())), position, 0)
	it.Score = u.score()
	it.Reasons = some(take(&u.memory.reasons, u.next()))
	for i := range it.Reasons {
		r := &it.Reasons[i]
		r.Component, r.Share = u.components[u.next()], u.share()
		r.Because = some(take(&u.memory.causes, u.next()))
		for j := range r.Because {
			facts := u.snap.Facts(int32(u.next()))
			r.Because[j] = Cause{Item: facts.ID, Title: facts.Title, Share: u.share()}
		}
		r.Terms = some(take(&u.memory.texts, u.next()))
		for j := range r.Terms {
			n := u.next()
			r.Terms[j], u.left = u.left[:n], u.left[n:]
		}
	}
}

// next is the next uvarint.
func (u *unpacker) next() (n int) {
	for i, shift := 0, 0; ; i, shift = i+1, shift+7 {
		c := u.left[i]
		if n |= int(c&0x7f) << shift; c < 0x80 {
			u.left = u.left[i+1:]
			return n
		}
	}
}

func (u *unpacker) score() float32 {
	s := u.left[:4]
	u.left = u.left[4:]
	return math.Float32frombits(uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24)
}

func (u *unpacker) share() float32 { return float32(u.next()) / 1e4 }

// rounded is a share to four places, as an answer has it: more say nothing to a reader,
// and they are a fifth of its bytes.
func rounded(share float64) float32 { return finite(math.Round(share*1e4)) / 1e4 }

// tenThousandths is the number of which a share that was rounded consists; false for
// any other number.
func tenThousandths(share float32) (n int, ok bool) {
	if !(share >= 0 && share <= 1) || math.Signbit(float64(share)) {
		return 0, false
	}
	n = int(share*1e4 + .5)
	return n, float32(n)/1e4 == share
}
