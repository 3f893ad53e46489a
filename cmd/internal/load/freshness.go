package load

import (
	"context"
	"encoding/json"
	"strconv"
	"time"
)

// probeLimit is how long a probe waits for an event to show.
const probeLimit = 5 * time.Second

// answer is what a probe reads of recommendations.
type answer struct {
	Items []struct {
		ID string `json:"id"`
	} `json:"items"`
}

// has reports whether the list holds an item.
func (a answer) has(id string) bool {
	for _, it := range a.Items {
		if it.ID == id {
			return true
		}
	}
	return false
}

// probe asks for a person's list, says that they viewed its first item, and asks
// again until the item, which is seen now, is gone from the list.
func (w *worker) probe(ctx context.Context, person int, due time.Duration) {
	before, ok := w.list(ctx, person, due)
	if !ok || len(before.Items) == 0 {
		w.probed(due, func(f *freshTally) { f.empty++ }, false)
		return
	}
	item := before.Items[0].ID
	w.render.view(person, item, w.run.probes.Add(1), time.Now())
	posted := time.Now()
	a := w.send(ctx, Freshness, due, false, func(retry int) []byte { return w.render.post("/v1/track", retry) })
	acknowledged := time.Now()
	if a.err != nil || a.Status/100 != 2 {
		w.probed(due, func(*freshTally) {}, false)
		return
	}
	w.mu.Lock()
	w.tally.everAcked++
	w.mu.Unlock()
	for polls := int64(1); time.Since(acknowledged) < probeLimit && ctx.Err() == nil; polls++ {
		now, ok := w.list(ctx, person, due)
		if seen := time.Now(); ok && !now.has(item) {
			w.probed(due, func(f *freshTally) {
				f.polls += polls
				f.changed.Add(seen.Sub(acknowledged))
				f.posted.Add(seen.Sub(posted))
			}, true)
			return
		}
	}
	w.probed(due, func(f *freshTally) { f.missed++ }, false)
}

// list asks for the person's recommendations.
func (w *worker) list(ctx context.Context, person int, due time.Duration) (list answer, ok bool) {
	a := w.send(ctx, Freshness, due, true, func(int) []byte { return w.render.recommend(person) })
	ok = a.err == nil && a.Status == 200 && json.Unmarshal(a.Body, &list) == nil
	return list, ok
}

// probed counts a probe.
func (w *worker) probed(due time.Duration, count func(*freshTally), ok bool) {
	took := w.run.now() - due
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.run.measured(due) {
		return
	}
	count(&w.tally.fresh)
	k := &w.tally.kinds[Freshness]
	if !ok {
		k.failed++
		return
	}
	k.done++
	k.latency.Add(took)
	k.service.Add(took)
}

// view fills the body with one call: the person views an item, named as the server
// named it.
func (r *renderer) view(person int, item string, probe int64, now time.Time) {
	id, _ := json.Marshal(item)
	b := append(r.body[:0], `{"type":"track","event":"Product Viewed","messageId":"load-`...)
	b = append(b, r.run...)
	b = append(b, "-probe-"...)
	b = strconv.AppendInt(b, probe, 36)
	b = append(b, `","userId":"`...)
	b = r.person(b, person)
	b = append(b, `","timestamp":"`...)
	b = stamp(b, now)
	b = append(b, `","sentAt":"`...)
	b = stamp(b, now)
	b = append(b, `","properties":{"product_id":`...)
	b = append(b, id...)
	r.body = append(b, `}}`...)
}
