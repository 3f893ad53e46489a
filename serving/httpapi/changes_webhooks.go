package httpapi

import (
	"context"
	"net/http"

	"kindred/serving/notify"
)

func (a *api) webhookOutRoutes() {
	if a.deps.Webhooks == nil {
		return
	}
	register(a, operation{id: "list-webhooks-out", method: http.MethodGet, path: "/v1/webhooks-out", tag: tagChanges,
		summary: "List the webhooks that changes are sent to, and what they did", scope: ScopeRead}, a.listWebhooksOut)
	register(a, operation{id: "replay-webhook-out", method: http.MethodPost, path: "/v1/webhooks-out/{name}/replay", tag: tagChanges,
		summary: "Send again what a webhook did not take, with the same Idempotency-Key", scope: ScopeAdmin, errors: []int{404}}, a.replayWebhookOut)
}

// webhookStatus and webhookReplay are named apart from what connectors and ingest have.
type (
	webhookStatus notify.Status
	webhookReplay notify.Replayed
)

type webhooksOutAnswer struct {
	Body struct {
		Webhooks []webhookStatus `json:"webhooks"`
	}
}

func (a *api) listWebhooksOut(context.Context, *struct{}) (*webhooksOutAnswer, error) {
	out := &webhooksOutAnswer{}
	out.Body.Webhooks = []webhookStatus{}
	for _, s := range a.deps.Webhooks.Status() {
		out.Body.Webhooks = append(out.Body.Webhooks, webhookStatus(s))
	}
	return out, nil
}

type replayWebhookInput struct {
	Name string `path:"name" maxLength:"64"`
	Body struct {
		After uint64 `json:"after,omitempty" doc:"Only dead letters with a greater number: next of the answer before."`
		Limit int    `json:"limit,omitempty" minimum:"1" maximum:"1000" default:"100" doc:"Requests to try at most."`
	}
}

type replayWebhookAnswer struct{ Body webhookReplay }

func (a *api) replayWebhookOut(ctx context.Context, in *replayWebhookInput) (*replayWebhookAnswer, error) {
	r, err := a.deps.Webhooks.Replay(ctx, in.Name, in.Body.After, in.Body.Limit)
	if err != nil {
		return nil, a.fail(ctx, err, "path.name")
	}
	return &replayWebhookAnswer{webhookReplay(r)}, nil
}
