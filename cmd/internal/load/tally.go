package load

import (
	"maps"
	"slices"
	"time"
)

// tally is what one worker measured. Merge adds up those of all workers.
type tally struct {
	kinds        [Kinds]kindTally
	acknowledged int64 // calls of batches that were answered 200, in the measured time
	everAcked    int64 // and in the whole run
	stale, cold  int64 // answers that said so
	unknown      int64 // answers about people of whom the server knows nothing
	throttled    int64 // answers 429
	waited       time.Duration
	fresh        freshTally
}

// kindTally is what became of the operations of one kind.
type kindTally struct {
	done     int64 // succeeded
	failed   int64 // given up, or refused by the server
	unsent   int64 // due and never sent
	retries  int64
	statuses map[int]int64    // of every attempt
	errors   map[string]int64 // attempts without an answer
	latency  Histogram        // from when it was due, or from its sending in the closed loop
	service  Histogram        // from the sending of the last attempt
}

// freshTally is what the probes saw.
type freshTally struct {
	changed, posted Histogram // from the acknowledgement, and from the sending, to the changed answer
	polls           int64
	missed          int64 // no change within probeLimit
	empty           int64 // nothing was recommended, so nothing could change
}

func (t *tally) merge(o *tally) {
	for k := range t.kinds {
		t.kinds[k].merge(&o.kinds[k])
	}
	t.acknowledged += o.acknowledged
	t.everAcked += o.everAcked
	t.stale += o.stale
	t.cold += o.cold
	t.unknown += o.unknown
	t.throttled += o.throttled
	t.waited += o.waited
	t.fresh.changed.Merge(&o.fresh.changed)
	t.fresh.posted.Merge(&o.fresh.posted)
	t.fresh.polls += o.fresh.polls
	t.fresh.missed += o.fresh.missed
	t.fresh.empty += o.fresh.empty
}

func (k *kindTally) merge(o *kindTally) {
	k.done += o.done
	k.failed += o.failed
	k.unsent += o.unsent
	k.retries += o.retries
	k.latency.Merge(&o.latency)
	k.service.Merge(&o.service)
	for status, n := range o.statuses {
		k.status(status, n)
	}
	for reason, n := range o.errors {
		k.failure(reason, n)
	}
}

func (k *kindTally) status(status int, n int64) {
	if k.statuses == nil {
		k.statuses = map[int]int64{}
	}
	k.statuses[status] += n
}

func (k *kindTally) failure(reason string, n int64) {
	if k.errors == nil {
		k.errors = map[string]int64{}
	}
	k.errors[reason] += n
}

// used reports whether anything of the kind was to be sent.
func (k *kindTally) used() bool { return k.done+k.failed+k.unsent > 0 }

// sorted are the keys of a count, rising.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
