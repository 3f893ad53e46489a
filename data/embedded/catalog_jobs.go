package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"kindred/data"
)

const jobColumns = `id, kind, state, started, finished, heartbeat, progress, stage, message, model`

// StartJob adds a running job. ID and Kind are required; Started is now, by the
// database's clock. data.ErrConflict if there is one of that id.
func (c *Catalog) StartJob(ctx context.Context, j data.Job) error {
	if j.ID == "" || j.Kind == "" {
		return fmt.Errorf("start job %q of kind %q: id and kind are required", j.ID, j.Kind)
	}
	return c.write(ctx, fmt.Sprintf("start job %q", j.ID), func(tx *sql.Tx) error {
		if err := checkProgress(j.Progress); err != nil {
			return err
		}
		at, err := now(ctx, tx)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `INSERT INTO jobs (space, `+jobColumns+`)
			VALUES ($1, $2, $3, '`+data.JobRunning+`', $4, 0, $4, $5, $6, $7, $8) ON CONFLICT (space, id) DO NOTHING`,
			c.space, j.ID, j.Kind, at, j.Progress, j.Stage, j.Message, j.Model)
		return atLeastOne(res, err, fmt.Errorf("there is a job of that id: %w", data.ErrConflict))
	})
}

// UpdateJob stores a running job's Progress, Stage, Message and Model, and its
// heartbeat. data.ErrConflict if it is not running (any more).
func (c *Catalog) UpdateJob(ctx context.Context, j data.Job) error {
	return c.write(ctx, fmt.Sprintf("update job %q", j.ID), func(tx *sql.Tx) error {
		if err := checkProgress(j.Progress); err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE jobs SET heartbeat = `+nowMS+`, progress = $3, stage = $4, message = $5, model = $6
			WHERE space = $1 AND id = $2 AND state = '`+data.JobRunning+`'`, c.space, j.ID, j.Progress, j.Stage, j.Message, j.Model)
		return atLeastOne(res, err, errNotRunning)
	})
}

// FinishJob ends a running job with j.State (done, failed or refused) and stores
// the rest as UpdateJob does. data.ErrConflict if it is not running (any more).
func (c *Catalog) FinishJob(ctx context.Context, j data.Job) error {
	return c.write(ctx, fmt.Sprintf("finish job %q", j.ID), func(tx *sql.Tx) error {
		switch j.State {
		case data.JobDone, data.JobFailed, data.JobRefused:
		default:
			return fmt.Errorf("state %q; a job ends as %s, %s or %s", j.State, data.JobDone, data.JobFailed, data.JobRefused)
		}
		if err := checkProgress(j.Progress); err != nil {
			return err
		}
		at, err := now(ctx, tx)
		if err != nil {
			return err
		}
		res, err := tx.ExecContext(ctx, `UPDATE jobs SET state = $3, finished = $4, heartbeat = $4, progress = $5, stage = $6, message = $7, model = $8
			WHERE space = $1 AND id = $2 AND state = '`+data.JobRunning+`'`, c.space, j.ID, j.State, at, j.Progress, j.Stage, j.Message, j.Model)
		return atLeastOne(res, err, errNotRunning)
	})
}

// AbandonJobs marks running jobs whose last heartbeat is older than silent as
// abandoned, and returns how many there were: their process went away.
func (c *Catalog) AbandonJobs(ctx context.Context, silent time.Duration) (n int64, err error) {
	err = c.write(ctx, "abandon jobs", func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE jobs SET state = '`+data.JobAbandoned+`', finished = `+nowMS+`
			WHERE space = $1 AND state = '`+data.JobRunning+`' AND heartbeat < `+nowMS+` - $2`, c.space, silent.Milliseconds())
		if err != nil {
			return err
		}
		n, err = res.RowsAffected()
		return err
	})
	return n, err
}

// Job returns one job, or data.ErrNotFound.
func (c *Catalog) Job(ctx context.Context, id string) (j data.Job, err error) {
	err = c.read(ctx, fmt.Sprintf("job %q", id), func(tx *sql.Tx) error {
		j, err = scanJob(tx.QueryRowContext(ctx, `SELECT `+jobColumns+` FROM jobs WHERE space = $1 AND id = $2`, c.space, id))
		return err
	})
	return j, err
}

// Jobs returns at most limit jobs that started before the job after, newest first;
// an empty after begins at the newest, an unknown one is data.ErrNotFound.
func (c *Catalog) Jobs(ctx context.Context, after string, limit int) (jobs []data.Job, err error) {
	if err := checkLimit(limit); err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	err = c.read(ctx, "list jobs", func(tx *sql.Tx) error {
		from := int64(math.MaxInt64)
		if after != "" {
			err := tx.QueryRowContext(ctx, `SELECT started FROM jobs WHERE space = $1 AND id = $2`, c.space, after).Scan(&from)
			if err != nil {
				return err
			}
		}
		jobs, err = list(ctx, tx, scanJob, `SELECT `+jobColumns+` FROM jobs
			WHERE space = $1 AND (started < $2 OR started = $2 AND id < $3) ORDER BY started DESC, id DESC LIMIT $4`, c.space, from, after, limit)
		return err
	})
	return jobs, err
}

var errNotRunning = fmt.Errorf("it is not running: it has ended, was abandoned, or never began: %w", data.ErrConflict)

func checkProgress(p float64) error {
	if !(p >= 0 && p <= 1) {
		return fmt.Errorf("progress %v; it goes from 0 to 1", p)
	}
	return nil
}

func scanJob(r row) (j data.Job, err error) {
	var started, finished, heartbeat int64
	err = r.Scan(&j.ID, &j.Kind, &j.State, &started, &finished, &heartbeat, &j.Progress, &j.Stage, &j.Message, &j.Model)
	j.Started, j.Finished, j.Heartbeat = fromMS(started), fromMS(finished), fromMS(heartbeat)
	return j, err
}

// PutEvaluation adds or replaces an evaluation report. ID and Report are required;
// an empty Created is set to the database's time.
func (c *Catalog) PutEvaluation(ctx context.Context, e data.Evaluation) error {
	what := fmt.Sprintf("put evaluation %q", e.ID)
	report, err := toJSON(e.Report)
	if err == nil && (e.ID == "" || !report.Valid) {
		err = errors.New("id and report are required")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return c.write(ctx, what, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO evaluations (space, id, created, model, dataset, report)
			VALUES ($1, $2, COALESCE(NULLIF($3, 0), `+nowMS+`), $4, $5, $6)
			ON CONFLICT (space, id) DO UPDATE SET created = excluded.created, model = excluded.model,
				dataset = excluded.dataset, report = excluded.report`, c.space, e.ID, toMS(e.Created), e.Model, e.Dataset, report)
		return err
	})
}

// Evaluation returns one evaluation with its report, or data.ErrNotFound.
func (c *Catalog) Evaluation(ctx context.Context, id string) (e data.Evaluation, err error) {
	err = c.read(ctx, fmt.Sprintf("evaluation %q", id), func(tx *sql.Tx) error {
		e, err = scanEvaluation(tx.QueryRowContext(ctx,
			`SELECT id, created, model, dataset, report FROM evaluations WHERE space = $1 AND id = $2`, c.space, id))
		return err
	})
	return e, err
}

// Evaluations returns at most limit evaluations that were made before the one
// named after, newest first, without their reports; an empty after begins at the
// newest, an unknown one is data.ErrNotFound.
func (c *Catalog) Evaluations(ctx context.Context, after string, limit int) (es []data.Evaluation, err error) {
	if err := checkLimit(limit); err != nil {
		return nil, fmt.Errorf("list evaluations: %w", err)
	}
	err = c.read(ctx, "list evaluations", func(tx *sql.Tx) error {
		from := int64(math.MaxInt64)
		if after != "" {
			err := tx.QueryRowContext(ctx, `SELECT created FROM evaluations WHERE space = $1 AND id = $2`, c.space, after).Scan(&from)
			if err != nil {
				return err
			}
		}
		es, err = list(ctx, tx, scanEvaluation, `SELECT id, created, model, dataset, NULL FROM evaluations
			WHERE space = $1 AND (created < $2 OR created = $2 AND id < $3) ORDER BY created DESC, id DESC LIMIT $4`, c.space, from, after, limit)
		return err
	})
	return es, err
}

func scanEvaluation(r row) (e data.Evaluation, err error) {
	var created int64
	var report sql.NullString
	err = r.Scan(&e.ID, &created, &e.Model, &e.Dataset, &report)
	e.Created, e.Report = fromMS(created), fromJSON(report)
	return e, err
}
