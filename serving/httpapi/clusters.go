package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"kindred/data"
)

func (a *api) clusterRoutes() {
	register(a, operation{id: "list-clusters", method: http.MethodGet, path: "/v1/clusters", tag: tagModels,
		summary: "Read the serving model's clusters: method, choice of k, who is in them in words, and the rules that come closest", scope: ScopeRead}, a.listClusters)
}

type clustersAnswer struct {
	Body struct {
		Model    string          `json:"model" doc:"Version of the model that serves, or none."`
		Clusters json.RawMessage `json:"clusters" doc:"As the report of the training run has it under clusters; null for a model without clusters."`
	}
}

// listClusters answers from the report that the training run stored beside the model.
func (a *api) listClusters(ctx context.Context, _ *struct{}) (*clustersAnswer, error) {
	snap := a.deps.Live.Load()
	out := &clustersAnswer{}
	out.Body.Model, out.Body.Clusters = snap.Version, json.RawMessage("null")
	e, err := a.deps.Catalog.Evaluation(ctx, snap.Version)
	if errors.Is(err, data.ErrNotFound) {
		return out, nil // a model that came without a report
	}
	if err != nil {
		return nil, a.fail(ctx, err, "path")
	}
	var r struct {
		Clusters json.RawMessage `json:"clusters"`
	}
	if err := json.Unmarshal(e.Report, &r); err == nil && len(r.Clusters) > 0 {
		out.Body.Clusters = r.Clusters
	}
	return out, nil
}
