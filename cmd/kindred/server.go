package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"

	"kindred/data"
	"kindred/features/archive"
	"kindred/serving/dashboard"
	"kindred/serving/httpapi"
	"kindred/serving/ingest"
	"kindred/serving/ingest/quota"
	"kindred/serving/ingest/tail"
	"kindred/serving/live"
	"kindred/serving/online"
	"kindred/serving/recommend"
	"kindred/training"
	"kindred/training/schedule"
)

const (
	// heartbeatEvery is how often a server says in the catalog that it is there.
	heartbeatEvery = 2 * time.Second
	// flushPoll is how often requests to archive are looked for.
	flushPoll = 200 * time.Millisecond
	// catchUpAtStart bounds the folding before the first answer.
	catchUpAtStart = time.Second
	// archiveRetry is how long a failed archiver rests.
	archiveRetry = 5 * time.Second
	// archiveAtStop bounds the archiving of the log's tail when a server stops.
	archiveAtStop = 15 * time.Second
)

// server is a node that answers requests.
type server struct {
	*node
	owner string
	acks  *online.Acks
	live  *live.Live
	in    *ingest.Service
	train *trainings
	// judges are the stages of what comes in.
	judges judges
	polls  *connectors
	out    *outward
}

// serve runs everything until ctx ends, then stops it in the order of the data's
// way: requests first, then what they queued, then the fold, then the archive. It
// calls ready once requests are answered.
func (n *node) serve(ctx context.Context, l net.Listener, ready func(*server)) error {
	s := &server{node: n, owner: newOwner("serve")}
	handler, err := s.build()
	if err == nil {
		err = n.segments.Start(ctx)
	}
	if err != nil {
		return errors.Join(err, l.Close())
	}
	if err := s.live.Poll(ctx); err != nil {
		n.log.Warn("the current model does not serve yet", "error", err)
	}

	// A failure anywhere ends the whole; the stages below end one after the other.
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	fold := newStage(ctx, fail)
	fold.run("stream", n.worker.Run)
	for p, a := range n.archivers {
		fold.run(fmt.Sprintf("archive of partition %d", p), func(ctx context.Context) error { return s.archive(ctx, a) })
	}
	middle := newStage(ctx, fail)
	middle.run("impressions", s.in.Run)
	s.judges.run(middle, n.log)
	middle.run("live", s.live.Run)
	middle.run("heartbeat", func(ctx context.Context) error { return s.beat(ctx, l.Addr().String()) })
	middle.run("flush", s.answerFlushes)
	middle.run("rebuild", n.rebuild)
	middle.run("segments", n.segments.Run)
	middle.run("schedule", s.scheduler().Run)
	middle.run("connectors", s.polls.Run)
	s.out.run(middle, s)

	edge := newStage(ctx, fail)
	edge.run("http", func(ctx context.Context) error {
		return httpapi.Serve(ctx, httpapi.NewServer(n.cfg.HTTP, handler, n.log), l, n.cfg.HTTP.ShutdownTimeout)
	})
	s.catchUp(ctx)
	ready(s)
	<-ctx.Done()

	n.log.Info("stopping")
	errs := []error{edge.stop(), s.train.stop(), middle.stop()}
	errs = append(errs, s.archiveTail(ctx), fold.stop())
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		errs = append(errs, cause)
	}
	return errors.Join(errs...)
}

// build makes the parts and joins them.
func (s *server) build() (http.Handler, error) {
	n := s.node
	ends := make([]int64, n.store.Partitions())
	for p := range ends {
		ends[p] = n.store.End(int32(p))
	}
	s.acks = online.NewAcks(n.cfg.Online.MaxAcks, ends, n.worker.Folded)
	s.live = live.New(n.cfg.Live, live.Deps{
		Models: n.catalog, Artifacts: n.lake, Items: n.catalog, Decode: live.DecodeArtifact,
		Published: s.published, Now: time.Now, Logger: n.log,
	})
	in := n.cfg.Ingest
	in.Env, in.Space, in.MaxEventAge, in.Identity = n.cfg.Env, n.cfg.Space, n.cfg.Features.MaxEventAge, n.cfg.Features.Identity
	var err error
	if s.judges, err = newJudges(in); err != nil {
		return nil, err
	}
	s.in = ingest.New(in, ingest.Deps{
		Stages: s.judges.stages(),
		Quota:  quota.New(in.Quota, time.Now), Tail: tail.New(in.Tail, time.Now),
		Log: n.store, Index: n.store, Acks: s.acks, Partitions: n.store.Partitions(), Now: time.Now, NewID: newID,
		Facets: func(id data.ItemID) map[string][]string { return s.live.Load().Facets(id) },
	})
	people := online.NewReader(n.cfg.Online, n.store, n.worker, n.store, n.store.Partitions(), s.acks)
	s.train = &trainings{server: s}
	doors, err := openDoors(n.cfg)
	if err != nil {
		return nil, err
	}
	if s.polls, err = newConnectors(s); err != nil {
		return nil, err
	}
	if s.out, err = newOutward(s, n.rules.Find); err != nil {
		return nil, err
	}
	web := n.cfg.HTTP
	web.Snippet = n.cfg.Snippet
	return httpapi.New(web, httpapi.Deps{
		Recommend: recommend.New(n.cfg.Recommend, recommend.Deps{
			People: people.Histories(), Snapshots: s.live, Counters: n.worker.Popularity(), Impressions: s.in, Segments: n.segments.Names, Now: time.Now,
		}),
		Live: s.live, Ingest: s.in, People: people, Acks: s.acks, Catalog: n.catalog, Users: n.store, Folds: n.worker, Dead: n.store,
		Records: n.store, Clean: s.judges.clean, Plan: s.judges.plan,
		Segments:      n.segments,
		ClusterMargin: n.cfg.Features.ClusterMargin,
		Train:         s.train.start, Pages: dashboard.New(os.DirFS(reportsDir(n.cfg))),
		Doors: doors, Connectors: s.polls.Status, Changes: s.out.feed, Members: s.out.members, HasSegment: n.segments.Has, Webhooks: s.out.webhooks,
		Checks:  []httpapi.Check{{Name: "log", OK: func(context.Context) error { return n.store.Err() }}},
		Version: version, Now: time.Now, NewID: newID, Logger: n.log,
	})
}

// published makes a model's clusters live in the fold. They are read here, so that
// no event has to wait for them.
func (s *server) published(ctx context.Context, version string) error {
	if _, err := s.clusters.find(ctx, version); err != nil {
		return err
	}
	return s.worker.PublishModel(ctx, version)
}

// newID is a fresh unique id.
func newID() string { return uuid.NewString() }

// catchUp folds what the log held at the start, so that the first answers are not
// stale. A long backlog is left to the stream: it goes on beside the requests.
func (s *server) catchUp(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, catchUpAtStart)
	defer cancel()
	if err := s.worker.CatchUp(ctx); err != nil {
		s.log.Info("answering before the log is folded to its end", "reason", err)
	}
}

// archive runs an archiver until ctx ends. What the lake refuses is tried again:
// the log keeps it meanwhile, and serving does not depend on the lake.
func (s *server) archive(ctx context.Context, a *archive.Archiver) error {
	for {
		err := a.Run(ctx)
		if err == nil || ctx.Err() != nil {
			return nil
		}
		s.log.Error("archiving failed and is tried again", "error", err, "after", archiveRetry)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(archiveRetry):
		}
	}
}

// beat says in the catalog that this server is there, until ctx ends.
func (s *server) beat(ctx context.Context, addr string) error {
	p := data.Process{Owner: s.owner, Addr: addr, Roles: s.cfg.Roles, Started: time.Now()}
	tick := time.NewTicker(heartbeatEvery)
	defer tick.Stop()
	for {
		if err := s.catalog.Heartbeat(ctx, p); err != nil && ctx.Err() == nil {
			s.log.Warn("heartbeat", "error", err)
		}
		select {
		case <-ctx.Done():
			leave, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
			defer cancel()
			return s.catalog.Depart(leave, s.owner)
		case <-tick.C:
		}
	}
}

// answerFlushes archives the log up to now whenever another process asks for it.
func (s *server) answerFlushes(ctx context.Context) error {
	tick := time.NewTicker(flushPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		id, asked, err := s.catalog.PendingFlush(ctx)
		if err == nil && asked {
			if err = s.flush(ctx); err == nil {
				err = s.catalog.CompleteFlush(ctx, id)
			}
		}
		if err != nil && ctx.Err() == nil {
			s.log.Warn("archive on request", "error", err)
		}
	}
}

// flush ends the current blocks and waits until they are in the lake.
func (s *server) flush(ctx context.Context) error {
	offsets, err := s.worker.Flush(ctx)
	if err != nil {
		return err
	}
	for p, a := range s.archivers {
		if err := a.Archived(ctx, offsets[p]); err != nil {
			return fmt.Errorf("archive partition %d: %w", p, err)
		}
	}
	return nil
}

// archiveTail leaves a complete lake behind, so that training needs no server. The
// log is folded first, for what the fold appends (who became whom) belongs to it;
// what takes longer than half the time is left to the next start.
func (s *server) archiveTail(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), archiveAtStop)
	defer cancel()
	folding, done := context.WithTimeout(ctx, archiveAtStop/2)
	defer done()
	if err := s.worker.CatchUp(folding); err != nil {
		s.log.Warn("stopping before the log is folded to its end", "reason", err)
	}
	if err := s.flush(ctx); err != nil {
		return fmt.Errorf("archive the log's tail: %w; it is archived at the next start", err)
	}
	return nil
}

// scheduler trains when it is due.
func (s *server) scheduler() *schedule.Scheduler {
	return &schedule.Scheduler{
		Config: s.cfg.Schedule, Owner: s.owner, Leases: s.catalog, Logger: s.log,
		Events: func(context.Context) (n int64, err error) {
			for p := range s.store.Partitions() {
				n += s.store.End(p)
			}
			return n, nil
		},
		Trained: func(ctx context.Context) (int64, error) {
			newest, err := s.catalog.Models(ctx, "", 1)
			if err != nil || len(newest) == 0 {
				return 0, err
			}
			return training.RecordsOf(newest[0]), nil
		},
		Train: s.train.due,
	}
}

// stage is a group of long-running parts that stop together.
type stage struct {
	ctx    context.Context
	cancel context.CancelFunc
	fail   context.CancelCauseFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	errs   []error
}

// newStage begins a stage that outlives parent's cancellation until it is stopped.
// A part that fails tells fail.
func newStage(parent context.Context, fail context.CancelCauseFunc) *stage {
	g := &stage{fail: fail}
	g.ctx, g.cancel = context.WithCancel(context.WithoutCancel(parent))
	return g
}

func (g *stage) run(name string, part func(context.Context) error) {
	g.wg.Go(func() {
		err := part(g.ctx)
		if err == nil && g.ctx.Err() == nil {
			err = errors.New("ended before it was told to")
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", name, err)
			if g.ctx.Err() == nil {
				g.fail(err)
				return
			}
			g.mu.Lock()
			g.errs = append(g.errs, err)
			g.mu.Unlock()
		}
	})
}

// stop ends the parts, waits for them, and returns what went wrong while stopping.
func (g *stage) stop() error {
	g.cancel()
	g.wg.Wait()
	return errors.Join(g.errs...)
}
