package ingest

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"kindred/data"
	"kindred/data/event"
)

// The bounds of one step of a replay.
const (
	replayPage    = 64      // letters read at a time
	replayBytes   = 1 << 20 // of the calls that are written at a time, about
	maxReplayLook = 50_000  // letters looked at by one call of Replay
	maxNewReasons = 20      // told apart
)

// Replayed says what became of the dead letters that a replay looked at.
type Replayed struct {
	Looked  int `json:"looked"`  // letters read, meant or not
	Matched int `json:"matched"` // that were meant: the sum of the following
	// Accepted are events now, or would be; Dropped were let fall by a stage, as they would be today.
	Accepted int `json:"accepted"`
	Dropped  int `json:"dropped"`
	Refused  int `json:"refused"` // again; they stay, with the new reason
	Late     int `json:"late"`    // too old to count by now; they stay
	Unable   int `json:"unable"`  // were no calls to begin with, or are not kept whole; they stay
	// Reasons are those of the refused, by how often; further ones are counted as "others".
	Reasons map[string]int `json:"reasons,omitempty"`
	// Next is the number to go on after; 0 when there is no more.
	Next uint64 `json:"next,omitempty"`
}

// Replay tries dead letters again, in their order, as if their calls came now from whom
// they came: at most most of those that which means. What is accepted or dropped is
// removed from the letters, what is refused again stays with its new reason. With dry
// nothing is written.
//
// An event keeps its message id and the time at which it was received, so it counts once,
// however often it is tried and even if the client has sent it again meanwhile; a call
// without an id is named by its letter. Limits are not asked: who replays has decided. What
// is older than the configured maximum age by now would count nowhere, and stays.
//
// The error is data.ErrOverloaded or the store's, wrapped; what was written before it stands,
// and Next says where to go on.
func (s *Service) Replay(ctx context.Context, store Letters, which Which, most int, dry bool) (Replayed, error) {
	s.replaying.Lock() // one at a time: two would write the same events twice, to no harm but to no use
	defer s.replaying.Unlock()
	out := Replayed{Next: which.After}
	for out.Matched < most && out.Looked < maxReplayLook {
		page, err := store.DeadLetters(ctx, out.Next, replayPage)
		if err != nil {
			return out, fmt.Errorf("replay: %w", err)
		}
		n, size := 0, 0
		chosen := page[:0:0]
		for n < len(page) && size < replayBytes && out.Matched+len(chosen) < most {
			l := &page[n]
			if which.Until > 0 && l.Seq > which.Until {
				break
			}
			n++
			if which.Has(l) {
				chosen = append(chosen, *l)
				size += len(l.Raw)
			}
		}
		if err := s.tryAgain(ctx, store, chosen, dry, &out); err != nil {
			return out, err
		}
		out.Looked += n
		if n == 0 || n == len(page) && len(page) < replayPage {
			out.Next = 0
			return out, nil
		}
		out.Next = page[n-1].Seq
	}
	return out, nil
}

// tryAgain tries the letters and adds what became of them to out, once that is durable.
func (s *Service) tryAgain(ctx context.Context, store Letters, list []data.DeadLetter, dry bool, out *Replayed) error {
	if len(list) == 0 {
		return nil
	}
	now := s.deps.Now().UTC().Truncate(time.Millisecond)
	w := s.workbenches.Get().(*workbench)
	defer s.release(w)
	w.limits.reset()
	var (
		sum   Replayed
		done  []uint64
		again []data.DeadLetter
	)
	for i := range list {
		l := &list[i]
		sum.Matched++
		if l.Call == nil {
			sum.Unable++
			continue
		}
		from := callerOf(l)
		w.caller.Source, w.caller.Client, w.caller.IP, w.caller.UserAgent, w.caller.Hints = from.Source, from.Client, from.IP, from.UserAgent, from.Hints
		w.caller.Again, w.caller.Fast = true, from.Fast
		in := event.Intake{
			Space: string(s.cfg.Space), Source: l.Source, Env: s.cfg.Env, Received: l.At.UTC().Truncate(time.Millisecond),
			MaxAge: s.cfg.MaxEventAge, BatchContext: l.Call.Context,
			NewID: func() string { return "dead-" + strconv.FormatUint(l.Seq, 10) },
		}
		if l.Call.Sent != 0 {
			in.SentAt = time.UnixMilli(l.Call.Sent).UTC()
		}
		ids, err := s.judge(ctx, w, l.Raw, l.Call.Type, &in)
		switch {
		case err == nil && now.Sub(w.event.Times.Event) > s.cfg.MaxEventAge:
			sum.Late++
		case err == nil:
			s.keep(w, ids)
			sum.Accepted++
			done = append(done, l.Seq)
		case err == errDropped:
			sum.Dropped++
			done = append(done, l.Seq)
		case isRefusal(err):
			sum.Refused++
			out.count(err.Error())
			l.Reason, l.Kind, l.Tried = err.Error(), kindOf(err), now
			again = append(again, *l)
		default:
			return fmt.Errorf("replay the dead letter %d: %w", l.Seq, err)
		}
	}
	if !dry {
		// Events first: a crash in between tries them once more, and their ids are known then.
		if err := s.write(ctx, w, true); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		if err := store.SettleDead(ctx, done, again); err != nil {
			return fmt.Errorf("replay: %w", err)
		}
		for kind, n := range map[string]int{"accepted": sum.Accepted, "dropped": sum.Dropped, "refused": sum.Refused, "late": sum.Late, "unable": sum.Unable} {
			s.counts.again.add(kind, n)
		}
	}
	out.Add(sum)
	return nil
}

// Add adds what became of further letters; Looked, Next and Reasons stay.
func (r *Replayed) Add(more Replayed) {
	r.Matched += more.Matched
	r.Accepted += more.Accepted
	r.Dropped += more.Dropped
	r.Refused += more.Refused
	r.Late += more.Late
	r.Unable += more.Unable
}

// count counts a reason.
func (r *Replayed) count(reason string) {
	if r.Reasons == nil {
		r.Reasons = map[string]int{}
	}
	if _, known := r.Reasons[reason]; !known && len(r.Reasons) >= maxNewReasons {
		reason = "others"
	}
	r.Reasons[reason]++
}
