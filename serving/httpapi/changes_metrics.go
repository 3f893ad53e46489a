package httpapi

import (
	"github.com/prometheus/client_golang/prometheus"

	"kindred/serving/members"
	"kindred/serving/notify"
)

var (
	descMembers   = prometheus.NewDesc("kindred_segment_members", "People in the segment.", []string{"segment"}, nil)
	descFlips     = prometheus.NewDesc("kindred_segment_changes_total", "Entries to and exits from the segment.", []string{"segment", "type"}, nil)
	descFreshness = prometheus.NewDesc("kindred_segment_freshness_seconds", "Time from an event, or from when a rule's time was over, until who is in which segment says so.", nil, nil)
	descAudited   = prometheus.NewDesc("kindred_segment_audited_total", "People whose segments were recomputed from the log.", nil, nil)
	descMismatch  = prometheus.NewDesc("kindred_segment_mismatch_total", "People whose segments were not what the log says; none are expected.", nil, nil)
	descSent      = prometheus.NewDesc("kindred_webhook_changes_total", "Changes for the webhook, by what became of them.", []string{"webhook", "result"}, nil)
	descPosts     = prometheus.NewDesc("kindred_webhook_requests_total", "Requests to the webhook, by result.", []string{"webhook", "result"}, nil)
	descPostFails = prometheus.NewDesc("kindred_webhook_failures", "Requests to the webhook that failed one after the other; 0 while it works.", []string{"webhook"}, nil)
	descPostTime  = prometheus.NewDesc("kindred_webhook_latency_seconds", "Time from a change until the webhook took it.", []string{"webhook"}, nil)
	descPostLeads = prometheus.NewDesc("kindred_webhook_active", "1 where this process sends to the webhook.", []string{"webhook"}, nil)
)

// outState collects what webhooks and members count themselves.
type outState struct {
	members  *members.Members
	webhooks *notify.Dispatcher
}

// Describe sends nothing: the collector is unchecked.
func (s *outState) Describe(chan<- *prometheus.Desc) {}

// Collect reads the counters.
func (s *outState) Collect(out chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, t prometheus.ValueType, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, t, v, labels...)
	}
	if s.members != nil {
		people, mismatches := s.members.Noted()
		send(descAudited, prometheus.CounterValue, float64(people))
		send(descMismatch, prometheus.CounterValue, float64(mismatches))
		stats, fresh := s.members.Stats()
		for _, c := range stats {
			send(descMembers, prometheus.GaugeValue, float64(c.Members), c.Segment)
			send(descFlips, prometheus.CounterValue, float64(c.Entered), c.Segment, "entered")
			send(descFlips, prometheus.CounterValue, float64(c.Exited), c.Segment, "exited")
		}
		out <- prometheus.MustNewConstHistogram(descFreshness, fresh.Count, fresh.Sum, fresh.Buckets)
	}
	if s.webhooks == nil {
		return
	}
	for _, w := range s.webhooks.Status() {
		send(descSent, prometheus.CounterValue, float64(w.Delivered), w.Name, "delivered")
		send(descSent, prometheus.CounterValue, float64(w.Dead), w.Name, "dead")
		send(descPosts, prometheus.CounterValue, float64(w.Requests-w.Failed), w.Name, "ok")
		send(descPosts, prometheus.CounterValue, float64(w.Failed), w.Name, "failed")
		send(descPostFails, prometheus.GaugeValue, float64(w.Failures), w.Name)
		active := 0.0
		if w.Active {
			active = 1
		}
		send(descPostLeads, prometheus.GaugeValue, active, w.Name)
		out <- prometheus.MustNewConstHistogram(descPostTime, w.Seconds.Count, w.Seconds.Sum, w.Seconds.Buckets, w.Name)
	}
}
