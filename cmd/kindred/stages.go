package main

import (
	"context"
	"log/slog"

	"kindred/serving/ingest"
	"kindred/serving/ingest/clean"
	"kindred/serving/ingest/plan"
	steps "kindred/serving/ingest/stage"
)

// judges are the stages that every event passes on its way in, as the configuration says:
// clean-up, then the tracking plan, which sees what clean-up made.
type judges struct {
	clean *clean.Cleaner // nil where it would do nothing
	plan  *plan.Stage    // nil without a plan
}

// newJudges reads the files that the configuration names. The error names the file and
// what is wrong with it.
func newJudges(c ingest.Config) (j judges, err error) {
	if c.Clean.Active() {
		if j.clean, err = clean.New(c.Clean); err != nil {
			return j, err
		}
	}
	if c.Plan.Active() {
		j.plan, err = plan.New(c.Plan)
	}
	return j, err
}

// stages are those that there are, in their order.
func (j judges) stages() (list []steps.Stage) {
	if j.clean != nil {
		list = append(list, j.clean)
	}
	if j.plan != nil {
		list = append(list, j.plan)
	}
	return list
}

// run reads their files again when they change, as parts of the group.
func (j judges) run(g *stage, log *slog.Logger) {
	said := func(what string) func(bool, error) {
		return func(changed bool, err error) {
			if changed {
				log.Info(what + " was read again")
			}
			if err != nil {
				log.Error(what+" is wrong; the former stays in force", "error", err)
			}
		}
	}
	if j.clean != nil {
		g.run("clean-up files", func(ctx context.Context) error { return j.clean.Run(ctx, said("clean-up")) })
	}
	if j.plan != nil {
		g.run("tracking plan", func(ctx context.Context) error { return j.plan.Run(ctx, said("the tracking plan")) })
	}
}
