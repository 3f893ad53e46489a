package ingest

import (
	"kindred/data"
	"kindred/data/event"
	"kindred/serving/ingest/stage"
)

// workbench is the memory of one request: its events on their way from calls to
// records. Strings on it alias the request's body.
type workbench struct {
	parser  event.Parser
	caller  stage.Caller
	limits  limits
	event   data.Event     // the one in hand
	profile data.ProfileID // the last event's

	sealed []byte // the records' values, one behind the other
	ends   []int  // of each value in sealed
	recs   []data.Record
	ids    []data.IDs       // the user and anonymous identifiers of each record that identify somebody
	homes  []data.ProfileID // the profile that each record is sent to
}

// maxSealed bounds what a workbench keeps for the next request, in bytes: ten
// times a usual large batch.
const maxSealed = 4 << 20

// add seals e, which the workbench's parser made, behind the others.
func (w *workbench) add(e *data.Event, partition int32, ids data.IDs) {
	w.sealed = w.parser.Seal(w.sealed, e)
	w.record(partition, ids, e.Profile)
}

// addAny seals any event behind the others.
func (w *workbench) addAny(e *data.Event, partition int32, ids data.IDs) {
	w.sealed = event.AppendSealed(w.sealed, *e)
	w.record(partition, ids, e.Profile)
}

func (w *workbench) record(partition int32, ids data.IDs, home data.ProfileID) {
	w.ends = append(w.ends, len(w.sealed))
	w.recs = append(w.recs, data.Record{Partition: partition})
	w.ids = append(w.ids, data.IDs{User: ids.User, Anonymous: ids.Anonymous})
	w.homes = append(w.homes, home)
}

// last are the identifiers of the last event, if there is one.
func (w *workbench) last() (ids data.IDs) {
	if n := len(w.ids); n > 0 {
		ids = w.ids[n-1]
	}
	return ids
}

// records are the records with their values, which have stopped moving.
func (w *workbench) records() []data.Record {
	from := 0
	for i, end := range w.ends {
		w.recs[i].Value = w.sealed[from:end:end]
		from = end
	}
	return w.recs
}

// release clears w for the next request.
func (s *Service) release(w *workbench) {
	if cap(w.sealed) > maxSealed || cap(w.recs) > 2*s.cfg.MaxCalls {
		return // a request like this one is rare
	}
	w.parser.Reset()
	w.caller.Reset()
	w.caller.UserAgent, w.caller.Hints = "", nil
	w.limits.reset()
	w.caller.Again, w.caller.Fast = false, false
	clear(w.recs)
	clear(w.ids)
	clear(w.homes)
	w.event, w.profile = data.Event{}, ""
	w.sealed, w.ends, w.recs, w.ids, w.homes = w.sealed[:0], w.ends[:0], w.recs[:0], w.ids[:0], w.homes[:0]
	s.workbenches.Put(w)
}
