package segments

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"kindred/data"
	"kindred/data/event"
	"kindred/features/segment"
	"kindred/features/stream"
)

// JobKind is the kind of jobs that bring new slots what was before; BacktestKind of those that try
// rules on the past.
const (
	JobKind      = "segments-backfill"
	BacktestKind = "segments-backtest"
)

// poll is how often the catalog is looked at: a command may have published beside the server.
const poll = time.Second

// rest is how long a failure is left alone.
const rest = 10 * time.Second

// Start publishes what the configuration says, before anybody is answered.
func (s *Service) Start(ctx context.Context) error {
	_, err := s.deps.Catalog.RulesIn(ctx, data.RulesLive)
	none := errors.Is(err, data.ErrNotFound)
	if err != nil && !none {
		return err
	}
	if s.cfg.File != "" {
		text, err := os.ReadFile(s.cfg.File)
		if err != nil {
			return fmt.Errorf("segments.file: %w", err)
		}
		if err := s.publishFile(ctx, string(text)); err != nil {
			return fmt.Errorf("segments.file: %s: %w", s.cfg.File, err)
		}
	} else if none && s.cfg.Starter {
		if _, err := s.Starter(ctx, "configuration"); err != nil {
			return err
		}
		if _, err := s.Publish(ctx, "", "configuration", true); err != nil {
			return err
		}
	}
	return s.follow(ctx)
}

// publishFile publishes the file's text unless it is what the file said when it was published last.
func (s *Service) publishFile(ctx context.Context, text string) error {
	const note = "the rules file"
	all, err := s.History(ctx, 0, 1000)
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.Note != note || r.Source != "" { // a rollback repeats the note of what it repeats
			continue
		}
		full, err := s.deps.Catalog.RulesByVersion(ctx, r.Version)
		if err != nil || full.Text == text {
			return err
		}
		break
	}
	r, err := s.Put(ctx, text, "configuration", note, "")
	if err == nil {
		_, err = s.Publish(ctx, r.Version, "configuration", true)
	}
	return err
}

// Run follows the catalog and does the backfills that versions want, oldest first, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(poll)
	defer tick.Stop()
	var tasks sync.WaitGroup
	defer tasks.Wait()
	tasks.Go(func() { s.work(ctx) })
	for {
		if err := s.once(ctx); err != nil && ctx.Err() == nil {
			s.deps.Logger.Warn("segment rules; tried again", "error", err, "after", rest)
			select {
			case <-ctx.Done():
			case <-time.After(rest):
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.kick:
		}
	}
}

// work does the tasks that requests left, beside everything else. A task that is there when ctx
// ends is called, so that it can say so.
func (s *Service) work(ctx context.Context) {
	for {
		select {
		case task := <-s.tasks:
			task(ctx)
			continue
		case <-ctx.Done():
		}
		select {
		case task := <-s.tasks:
			task(ctx)
		default:
		}
		return
	}
}

// wantedAmong is how many of the newest versions are looked at for one that wants its backfill.
const wantedAmong = 100

func (s *Service) once(ctx context.Context) error {
	s.publish.Lock()
	err := s.follow(ctx)
	s.publish.Unlock()
	if err != nil {
		return err
	}
	all, err := s.History(ctx, 0, wantedAmong)
	if err != nil {
		return err
	}
	var errs []error
	for i := len(all) - 1; i >= 0 && ctx.Err() == nil; i-- {
		version, now := all[i].Version, s.deps.Now()
		if all[i].Backfill != data.BackfillWanted || now.Before(s.retries[version].at) {
			continue
		}
		if err := s.Backfill(ctx, all[i]); err != nil {
			s.retries[version] = s.retries[version].after(now)
			errs = append(errs, err)
		} else {
			delete(s.retries, version)
		}
	}
	return errors.Join(errs...)
}

// Backfill brings everybody what their past makes of the slots that are new in the version, as a job. It may
// be done again.
func (s *Service) Backfill(ctx context.Context, r data.RuleSet) error {
	set, former, err := s.sets(ctx, r)
	if err != nil {
		return err
	}
	j := data.Job{ID: fmt.Sprintf("backfill-%s-%d", r.Version, s.deps.Now().UnixMilli()), Kind: JobKind, Stage: "folding the history", Message: r.Version}
	brought := 0
	if err := s.deps.Catalog.StartJob(ctx, j); err != nil {
		return err
	}
	return s.job(ctx, j, func(progress func(stage string, done float64)) (string, error) {
		for p := range s.deps.Partitions { // what is on its way to others is in their logs once the markers are folded
			if err := s.deps.Worker.WaitFolded(ctx, p, s.deps.Log.End(p)-1); err != nil {
				return "", err
			}
		}
		var batch []data.Record
		bytes := 0
		flush := func() error {
			if len(batch) == 0 {
				return nil
			}
			err := s.deps.Log.Append(ctx, batch)
			brought += len(batch)
			batch, bytes = batch[:0], 0
			progress("bringing shares", .9)
			return err
		}
		opt, err := s.history(ctx, set)
		if err != nil {
			return "", err
		}
		opt.Version, opt.Former = r.Version, former
		opt.Progress = func(folded, end int64) { progress("folding the history", .9*float64(folded)/float64(max(1, end))) }
		opt.Share = func(e data.Event) error {
			e.Space, e.Env = s.deps.Space, s.deps.Env
			rec := data.Record{Partition: data.PartitionOf(string(e.Profile), s.deps.Partitions), Value: event.Seal(e)}
			batch, bytes = append(batch, rec), bytes+len(rec.Value)
			if len(batch) < 1000 && bytes < 1<<20 {
				return nil
			}
			return flush()
		}
		if err := s.heavy.take(ctx); err != nil {
			return "", err
		}
		defer s.heavy.give()
		if err := stream.Backfill(ctx, opt); err != nil {
			return "", err
		}
		if err := flush(); err != nil {
			return "", err
		}
		return fmt.Sprintf("%s: %d profiles", r.Version, brought), s.deps.Catalog.FinishBackfill(ctx, r.Version)
	})
}

// sets are those of a version and of the one before it, or nil.
func (s *Service) sets(ctx context.Context, r data.RuleSet) (set, former *segment.Set, err error) {
	if set, err = s.deps.Shelf.Find(ctx, r.Version); err == nil && r.Previous != "" {
		former, err = s.deps.Shelf.Find(ctx, r.Previous)
	}
	return set, former, err
}

// history is how the past is folded under rules.
func (s *Service) history(ctx context.Context, set *segment.Set) (opt stream.BackfillOptions, err error) {
	opt = stream.BackfillOptions{Log: s.deps.Log, Partitions: s.deps.Partitions, Features: s.deps.Features, Clusterers: s.deps.Clusterers, Rules: set}
	if s.deps.History != nil {
		opt.History, err = s.deps.History(ctx)
	}
	return opt, err
}

// job runs fn as a job that the catalog knows of; fn's text is its last message.
func (s *Service) job(ctx context.Context, j data.Job, fn func(progress func(string, float64)) (string, error)) error {
	told := s.deps.Now()
	message, err := fn(func(stage string, done float64) {
		if s.deps.Now().Sub(told) < 200*time.Millisecond {
			return
		}
		told = s.deps.Now()
		j.Stage, j.Progress = stage, done
		if err := s.deps.Catalog.UpdateJob(ctx, j); err != nil {
			s.deps.Logger.Warn("progress of a job", "job", j.ID, "error", err)
		}
	})
	j.State, j.Progress, j.Stage = data.JobDone, 1, ""
	if message != "" {
		j.Message = message
	}
	if err != nil {
		j.State, j.Message = data.JobFailed, err.Error()
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	return errors.Join(err, s.deps.Catalog.FinishJob(last, j))
}
