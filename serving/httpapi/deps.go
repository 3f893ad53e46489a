package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"kindred/data"
	"kindred/features/stream"
	"kindred/serving/changes"
	"kindred/serving/ingest"
	"kindred/serving/ingest/clean"
	"kindred/serving/ingest/door"
	"kindred/serving/ingest/plan"
	"kindred/serving/ingest/poll"
	"kindred/serving/live"
	"kindred/serving/members"
	"kindred/serving/notify"
	"kindred/serving/online"
	"kindred/serving/recommend"
	"kindred/serving/segments"
)

// Items is the catalog's items.
type Items interface {
	Item(ctx context.Context, id data.ItemID) (data.Item, error)
	Items(ctx context.Context, after data.ItemID, limit int) ([]data.Item, error)
	PutItems(ctx context.Context, items []data.Item) error
	DeleteItem(ctx context.Context, id data.ItemID) error
}

// Users lists who is known by a user id.
type Users interface {
	ScanIndex(ctx context.Context, kind data.IDKind, after string, limit int) ([]data.IndexEntry, error)
}

// Models is the catalog's model versions, newest first.
type Models interface {
	Models(ctx context.Context, after string, limit int) ([]data.Model, error)
	ModelByVersion(ctx context.Context, version string) (data.Model, error)
	Promote(ctx context.Context, version string) error
	Rollback(ctx context.Context) (data.Model, error)
}

// Jobs is the catalog's jobs, newest first.
type Jobs interface {
	Job(ctx context.Context, id string) (data.Job, error)
	Jobs(ctx context.Context, after string, limit int) ([]data.Job, error)
}

// Evaluations is the catalog's evaluation reports, newest first, listed without Report.
type Evaluations interface {
	Evaluation(ctx context.Context, id string) (data.Evaluation, error)
	Evaluations(ctx context.Context, after string, limit int) ([]data.Evaluation, error)
}

// Requests remembers answers by Idempotency-Key.
type Requests interface {
	BeginRequest(ctx context.Context, key, bodyHash string, ttl time.Duration) (*data.StoredResponse, error)
	FinishRequest(ctx context.Context, key string, status int, contentType string, body []byte) error
	CancelRequest(ctx context.Context, key string) error
}

// Folds tells how far the stream is.
type Folds interface {
	Stats() []stream.Stats
}

// Catalog is all of the above that the catalog keeps; *embedded.Catalog is one.
type Catalog interface {
	Items
	Models
	Jobs
	Evaluations
	Requests
}

// Check is one condition of being ready.
type Check struct {
	Name string
	OK   func(ctx context.Context) error
}

// Deps are what the server is made of. Folds, Train, Pages, Checks and Logger may be nil.
type Deps struct {
	Recommend *recommend.Service
	Live      *live.Live
	Ingest    *ingest.Service
	People    *online.Reader
	Acks      *online.Acks
	Catalog   Catalog
	Users     Users
	Folds     Folds
	// Dead keeps what was not accepted; nil leaves its routes out.
	Dead ingest.Letters
	// Records is the log, to read; nil leaves out the routes that do.
	Records Records
	// Clean and Plan are the stages of Ingest that tell what they did; nil for none.
	Clean *clean.Cleaner
	Plan  *plan.Stage
	// ClusterMargin is the fold's features.Config.ClusterMargin.
	ClusterMargin float64
	// Segments is the life of the segment rules; nil leaves their routes out.
	Segments *segments.Service
	// Train starts a training run and returns its job at once; nil where this
	// process does not train. data.ErrConflict: one is running.
	Train func(ctx context.Context) (data.Job, error)
	// Pages serves "/", "/assets/", "/docs", "/favicon.ico" and, to keys that may
	// read, "/reports/".
	Pages http.Handler
	// Doors are the doors that are set up by name; nil has none.
	Doors *door.Doors
	// Connectors tells what each connector did, in the configuration's order; nil has none.
	Connectors func() []poll.Status
	// Changes are what the fold publishes, Members who is in which segment, Webhooks who is told; nil
	// leaves their routes out.
	Changes  *changes.Feed
	Members  *members.Members
	Webhooks *notify.Dispatcher
	// HasSegment reports whether the live rules have the segment; nil knows those that somebody was in.
	HasSegment func(name string) bool
	Checks     []Check // further conditions of /readyz

	Version string // of the program
	Now     func() time.Time
	NewID   func() string // fresh unique ids
	Logger  *slog.Logger
}
