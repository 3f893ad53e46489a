package storetest

import (
	"context"
	"testing"
	"time"

	"kindred/data"
)

// CatalogStore keeps tables: items, models, jobs, leases and the like.
type CatalogStore interface {
	PutItems(ctx context.Context, items []data.Item) error
	Item(ctx context.Context, id data.ItemID) (data.Item, error)
	ItemsByID(ctx context.Context, ids []data.ItemID) ([]data.Item, error)
	DeleteItem(ctx context.Context, id data.ItemID) error
	Items(ctx context.Context, after data.ItemID, limit int) ([]data.Item, error)
	ItemsVersion(ctx context.Context) (int64, error)
	ItemsSince(ctx context.Context, version int64) (put []data.Item, deleted []data.ItemID, now int64, err error)

	PutModel(ctx context.Context, m data.Model) error
	Models(ctx context.Context, after string, limit int) ([]data.Model, error)
	ModelByVersion(ctx context.Context, version string) (data.Model, error)
	Current(ctx context.Context) (data.Model, error)
	Promote(ctx context.Context, version string) error
	PromoteFenced(ctx context.Context, version string, lease data.Lease) error
	DropArtifact(ctx context.Context, version string) error
	Rollback(ctx context.Context) (data.Model, error)
	Promotions(ctx context.Context, before int64, limit int) ([]data.Promotion, error)

	StartJob(ctx context.Context, j data.Job) error
	UpdateJob(ctx context.Context, j data.Job) error
	FinishJob(ctx context.Context, j data.Job) error
	AbandonJobs(ctx context.Context, silent time.Duration) (int64, error)
	Job(ctx context.Context, id string) (data.Job, error)
	Jobs(ctx context.Context, after string, limit int) ([]data.Job, error)

	PutEvaluation(ctx context.Context, e data.Evaluation) error
	Evaluation(ctx context.Context, id string) (data.Evaluation, error)
	Evaluations(ctx context.Context, after string, limit int) ([]data.Evaluation, error)

	AcquireLease(ctx context.Context, name, owner string, ttl time.Duration) (data.Lease, bool, error)
	RenewLease(ctx context.Context, l data.Lease, ttl time.Duration) (data.Lease, error)
	ReleaseLease(ctx context.Context, l data.Lease) error

	LoadCursor(ctx context.Context, name string) ([]byte, error)
	SaveCursor(ctx context.Context, name string, state []byte, lease data.Lease) error

	PutRules(ctx context.Context, r data.RuleSet, base string) (data.RuleSet, error)
	PublishRules(ctx context.Context, version, publisher string, backfill bool) (data.RuleSet, error)
	FinishBackfill(ctx context.Context, version string) error
	RulesByVersion(ctx context.Context, version string) (data.RuleSet, error)
	RulesIn(ctx context.Context, state string) (data.RuleSet, error)
	RulesHistory(ctx context.Context, before int64, limit int) ([]data.RuleSet, error)

	BeginRequest(ctx context.Context, key, bodyHash string, ttl time.Duration) (*data.StoredResponse, error)
	FinishRequest(ctx context.Context, key string, status int, contentType string, body []byte) error
	CancelRequest(ctx context.Context, key string) error

	RequestFlush(ctx context.Context) (int64, error)
	PendingFlush(ctx context.Context) (int64, bool, error)
	CompleteFlush(ctx context.Context, id int64) error
	FlushDone(ctx context.Context, id int64) (bool, error)

	Heartbeat(ctx context.Context, p data.Process) error
	Depart(ctx context.Context, owner string) error
	Processes(ctx context.Context, within time.Duration) ([]data.Process, error)
	ActiveProcess(ctx context.Context, role string, within time.Duration) (data.Process, error)
	Close() error
}

// OpenCatalog opens the catalog of that name. The suite opens one name several
// times at once, as processes do.
type OpenCatalog func(t *testing.T, name string) CatalogStore

// Catalog checks every promise of a catalog.
func Catalog(t *testing.T, open OpenCatalog) {
	t.Run("items", func(t *testing.T) { testItems(t, open) })
	t.Run("models", func(t *testing.T) { testModels(t, open) })
	t.Run("jobs", func(t *testing.T) { testJobs(t, open) })
	t.Run("leases", func(t *testing.T) { testLeases(t, open) })
	t.Run("cursors", func(t *testing.T) { testCursors(t, open) })
	t.Run("rules", func(t *testing.T) { testRules(t, open) })
	t.Run("requests", func(t *testing.T) { testRequests(t, open) })
	t.Run("processes", func(t *testing.T) { testProcesses(t, open) })
	t.Run("sharing", func(t *testing.T) { testSharing(t, open) })
}

func (open OpenCatalog) fresh(t *testing.T) CatalogStore {
	t.Helper()
	c := open(t, t.Name())
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c
}

// recent reports whether a stamp was set by a clock that is near the test's.
func recent(at time.Time) bool {
	d := time.Since(at)
	return d > -time.Minute && d < time.Hour
}
