package httpapi

import (
	"context"
	"errors"
	"net/http"
	"time"

	"kindred/data"
	"kindred/serving/live"
)

const tagModels = "Models"

func (a *api) modelRoutes() {
	register(a, operation{id: "list-models", method: http.MethodGet, path: "/v1/models", tag: tagModels,
		summary: "List model versions, newest first, and what serves", scope: ScopeRead}, a.listModels)
	register(a, operation{id: "get-model", method: http.MethodGet, path: "/v1/models/{version}", tag: tagModels,
		summary: "Read a model version", scope: ScopeRead, errors: []int{404}}, a.getModel)
	register(a, operation{id: "promote-model", method: http.MethodPost, path: "/v1/models/{version}/promote", tag: tagModels,
		summary: "Make a model version current", scope: ScopeAdmin, errors: []int{404}}, a.promoteModel)
	register(a, operation{id: "rollback-model", method: http.MethodPost, path: "/v1/models/rollback", tag: tagModels,
		summary: "Make the former model current", scope: ScopeAdmin, errors: []int{404}}, a.rollbackModel)
}

// servingView says what this process serves and what went wrong.
type servingView struct {
	Version  string    `json:"version" doc:"Version that answers now, or none."`
	Loaded   time.Time `json:"loaded,omitzero"`
	Items    int       `json:"items"`
	Wanted   string    `json:"wanted,omitempty" doc:"The current version, if it could not be loaded."`
	Failure  string    `json:"failure,omitempty" doc:"What the last look at the catalog met."`
	FailedAt time.Time `json:"failed_at,omitzero"`
}

func servingOf(s live.Status) servingView {
	return servingView{s.Version, s.Loaded, s.Rows, s.Wanted, s.Failure, s.FailedAt}
}

type modelsAnswer struct {
	Body struct {
		Serving    servingView  `json:"serving"`
		Models     []data.Model `json:"models"`
		NextCursor string       `json:"next_cursor,omitempty"`
	}
}

func (a *api) listModels(ctx context.Context, in *page) (*modelsAnswer, error) {
	after, err := in.after(cursorModels)
	if err != nil {
		return nil, err
	}
	models, err := a.deps.Catalog.Models(ctx, after, in.Limit+1)
	if err != nil {
		return nil, a.fail(ctx, err, "query.cursor")
	}
	out := &modelsAnswer{}
	out.Body.Serving = servingOf(a.deps.Live.Status())
	out.Body.Models, out.Body.NextCursor = cut(cursorModels, models, in.Limit, func(m data.Model) string { return m.Version })
	return out, nil
}

type modelPath struct {
	Version string `path:"version" minLength:"1" maxLength:"128"`
}

type modelAnswer struct{ Body data.Model }

func (a *api) getModel(ctx context.Context, in *modelPath) (*modelAnswer, error) {
	m, err := a.deps.Catalog.ModelByVersion(ctx, in.Version)
	if err != nil {
		return nil, a.fail(ctx, err, "path.version")
	}
	return &modelAnswer{m}, nil
}

func (a *api) promoteModel(ctx context.Context, in *modelPath) (*modelAnswer, error) {
	if err := a.deps.Catalog.Promote(ctx, in.Version); err != nil {
		return nil, a.fail(ctx, err, "path.version")
	}
	a.follow(ctx)
	return a.getModel(ctx, in)
}

func (a *api) rollbackModel(ctx context.Context, _ *struct{}) (*modelAnswer, error) {
	m, err := a.deps.Catalog.Rollback(ctx)
	if errors.Is(err, data.ErrNotFound) {
		return nil, problem(http.StatusNotFound, "there is no former model to go back to")
	}
	if err != nil {
		return nil, a.fail(ctx, err, "path")
	}
	a.follow(ctx)
	return &modelAnswer{m}, nil
}

// follow looks at the catalog at once, so that the next answer comes from the new
// model. A failure is in the status; the catalog's change stands.
func (a *api) follow(ctx context.Context) {
	if err := a.deps.Live.Poll(ctx); err != nil {
		a.deps.Logger.Warn("follow the promoted model", "error", err, "request_id", requestID(ctx))
	}
}
