package httpapi

import (
	"context"
	"errors"
	"net/http"

	"kindred/data"
)

const tagJobs = "Jobs and evaluations"

func (a *api) jobRoutes() {
	register(a, operation{id: "list-jobs", method: http.MethodGet, path: "/v1/jobs", tag: tagJobs,
		summary: "List jobs, newest first", scope: ScopeRead}, a.listJobs)
	register(a, operation{id: "get-job", method: http.MethodGet, path: "/v1/jobs/{id}", tag: tagJobs,
		summary: "Read a job", scope: ScopeRead, errors: []int{404}}, a.getJob)
	if a.deps.Train != nil {
		register(a, operation{id: "start-job", method: http.MethodPost, path: "/v1/jobs", tag: tagJobs,
			summary: "Train a model now", scope: ScopeAdmin, status: http.StatusAccepted}, a.startJob)
	}
	register(a, operation{id: "list-evaluations", method: http.MethodGet, path: "/v1/evaluations", tag: tagJobs,
		summary: "List evaluation reports, newest first", scope: ScopeRead}, a.listEvaluations)
	register(a, operation{id: "get-evaluation", method: http.MethodGet, path: "/v1/evaluations/{id}", tag: tagJobs,
		summary: "Read an evaluation report", scope: ScopeRead, errors: []int{404}}, a.getEvaluation)
}

type jobsAnswer struct {
	Body struct {
		Jobs       []data.Job `json:"jobs"`
		NextCursor string     `json:"next_cursor,omitempty"`
	}
}

func (a *api) listJobs(ctx context.Context, in *page) (*jobsAnswer, error) {
	after, err := in.after(cursorJobs)
	if err != nil {
		return nil, err
	}
	jobs, err := a.deps.Catalog.Jobs(ctx, after, in.Limit+1)
	if err != nil {
		return nil, a.fail(ctx, err, "query.cursor")
	}
	out := &jobsAnswer{}
	out.Body.Jobs, out.Body.NextCursor = cut(cursorJobs, jobs, in.Limit, func(j data.Job) string { return j.ID })
	return out, nil
}

type idPath struct {
	ID string `path:"id" minLength:"1" maxLength:"256"`
}

type jobAnswer struct{ Body data.Job }

func (a *api) getJob(ctx context.Context, in *idPath) (*jobAnswer, error) {
	j, err := a.deps.Catalog.Job(ctx, in.ID)
	if err != nil {
		return nil, a.fail(ctx, err, "path.id")
	}
	return &jobAnswer{j}, nil
}

type startJobInput struct {
	Body struct {
		Kind string `json:"kind" enum:"train"`
	}
}

func (a *api) startJob(ctx context.Context, _ *startJobInput) (*jobAnswer, error) {
	j, err := a.deps.Train(ctx)
	if errors.Is(err, data.ErrConflict) {
		return nil, problem(http.StatusConflict, "a training run is under way; /v1/jobs shows it", field("body.kind", "already running", "train"))
	}
	if err != nil {
		return nil, a.fail(ctx, err, "body.kind")
	}
	return &jobAnswer{j}, nil
}

type evaluationsAnswer struct {
	Body struct {
		Evaluations []data.Evaluation `json:"evaluations"`
		NextCursor  string            `json:"next_cursor,omitempty"`
	}
}

func (a *api) listEvaluations(ctx context.Context, in *page) (*evaluationsAnswer, error) {
	after, err := in.after(cursorEvaluations)
	if err != nil {
		return nil, err
	}
	all, err := a.deps.Catalog.Evaluations(ctx, after, in.Limit+1)
	if err != nil {
		return nil, a.fail(ctx, err, "query.cursor")
	}
	out := &evaluationsAnswer{}
	out.Body.Evaluations, out.Body.NextCursor = cut(cursorEvaluations, all, in.Limit, func(e data.Evaluation) string { return e.ID })
	return out, nil
}

type evaluationAnswer struct{ Body data.Evaluation }

func (a *api) getEvaluation(ctx context.Context, in *idPath) (*evaluationAnswer, error) {
	e, err := a.deps.Catalog.Evaluation(ctx, in.ID)
	if err != nil {
		return nil, a.fail(ctx, err, "path.id")
	}
	return &evaluationAnswer{e}, nil
}
