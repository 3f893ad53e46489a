package httpapi

import (
	"context"
	"net/http"
	"time"
)

func (a *api) healthRoutes() {
	register(a, operation{id: "healthz", method: http.MethodGet, path: "/healthz", tag: "Health",
		summary: "The process answers", scope: open}, a.healthz)
	register(a, operation{id: "readyz", method: http.MethodGet, path: "/readyz", tag: "Health",
		summary: "The process can do its work", scope: open, errors: []int{503}}, a.readyz)
}

type healthAnswer struct {
	Body struct {
		Status  string `json:"status"`
		Version string `json:"version"`
	}
}

func (a *api) healthz(context.Context, *struct{}) (*healthAnswer, error) {
	out := &healthAnswer{}
	out.Body.Status, out.Body.Version = "ok", a.deps.Version
	return out, nil
}

type readyAnswer struct {
	Status int
	Body   struct {
		Ready   bool            `json:"ready"`
		Serving servingView     `json:"serving"`
		Checks  map[string]bool `json:"checks"`
	}
}

// stalePolls is how long the catalog may go unread before the process is not ready.
const stalePolls = 10 * time.Second

// readyz is ready when the catalog was read lately and every check passes. A model
// that cannot be loaded does not make it unready while another one, or popularity,
// answers; serving.wanted says so. Why something failed is in the log and, for keys
// that may read, in /v1/models: here everybody may ask.
func (a *api) readyz(ctx context.Context, _ *struct{}) (*readyAnswer, error) {
	out := &readyAnswer{Status: http.StatusOK}
	status := a.deps.Live.Status()
	out.Body.Serving = servingOf(status)
	out.Body.Serving.Failure = ""
	out.Body.Checks = map[string]bool{"catalog": a.deps.Now().Sub(status.Read) < stalePolls}
	for _, check := range a.deps.Checks {
		err := check.OK(ctx)
		if err != nil {
			a.deps.Logger.Warn("not ready", "check", check.Name, "error", err)
		}
		out.Body.Checks[check.Name] = err == nil
	}
	out.Body.Ready = true
	for _, ok := range out.Body.Checks {
		out.Body.Ready = out.Body.Ready && ok
	}
	if !out.Body.Ready {
		out.Status = http.StatusServiceUnavailable
	}
	return out, nil
}
