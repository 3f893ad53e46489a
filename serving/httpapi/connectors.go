package httpapi

import (
	"context"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"kindred/serving/ingest/poll"
)

// The list is for admins: a cursor is a piece of the other system's, and may say more than its name.
func (a *api) connectorRoutes() {
	register(a, operation{id: "list-connectors", method: http.MethodGet, path: "/v1/connectors", tag: "Connectors",
		summary: "List the connectors: what they did last, what they do next, and how far they are", scope: ScopeAdmin}, a.listConnectors)
}

type connectorsAnswer struct {
	Body struct {
		Connectors []poll.Status `json:"connectors"`
	}
}

func (a *api) listConnectors(context.Context, *struct{}) (*connectorsAnswer, error) {
	out := &connectorsAnswer{}
	out.Body.Connectors = []poll.Status{}
	if a.deps.Connectors != nil {
		out.Body.Connectors = a.deps.Connectors()
	}
	return out, nil
}

var (
	descPollRuns    = prometheus.NewDesc("kindred_connector_runs_total", "Runs of a connector.", []string{"connector"}, nil)
	descPollFailing = prometheus.NewDesc("kindred_connector_failures", "Runs of a connector that failed one after the other; 0 while it works.", []string{"connector"}, nil)
	descPollRecords = prometheus.NewDesc("kindred_connector_records_total", "Records that a connector read, by what became of them.", []string{"connector", "result"}, nil)
	descPollSuccess = prometheus.NewDesc("kindred_connector_last_success_timestamp_seconds", "When a connector's last run succeeded, in seconds since 1970.", []string{"connector"}, nil)
	descPollLeads   = prometheus.NewDesc("kindred_connector_active", "1 where this process runs the connector.", []string{"connector"}, nil)
)

// connectorState collects what connectors count themselves.
type connectorState struct{ status func() []poll.Status }

// Describe sends nothing: the collector is unchecked.
func (s *connectorState) Describe(chan<- *prometheus.Desc) {}

// Collect reads the connectors' counters.
func (s *connectorState) Collect(out chan<- prometheus.Metric) {
	if s.status == nil {
		return
	}
	for _, c := range s.status() {
		send := func(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
			out <- prometheus.MustNewConstMetric(d, t, v, append([]string{c.Name}, labels...)...)
		}
		send(descPollRuns, prometheus.CounterValue, float64(c.Runs))
		send(descPollFailing, prometheus.GaugeValue, float64(c.Failures))
		for result, n := range map[string]uint64{"sent": c.Sent, "unchanged": c.Unchanged, "skipped": c.Skipped, "rejected": c.Rejected} {
			send(descPollRecords, prometheus.CounterValue, float64(n), result)
		}
		if !c.LastSuccess.IsZero() {
			send(descPollSuccess, prometheus.GaugeValue, float64(c.LastSuccess.UnixMilli())/1000)
		}
		active := 0.0
		if c.Active {
			active = 1
		}
		send(descPollLeads, prometheus.GaugeValue, active)
	}
}
