package snippet

import (
	"encoding/json"
	"net/http"
)

// settings is what analytics.js asks for first. With no other integration in it, the
// library loads nothing from elsewhere.
type settings struct {
	Integrations map[string]destination `json:"integrations"`
	Plan         struct{}               `json:"plan"`
	Metrics      metrics                `json:"metrics"`
}

// destination is the settings of the integration "Segment.io", which is us.
type destination struct {
	APIKey           string           `json:"apiKey"`
	APIHost          string           `json:"apiHost"`
	Protocol         string           `json:"protocol"`
	DeliveryStrategy deliveryStrategy `json:"deliveryStrategy"`
	HTTPConfig       httpConfig       `json:"httpConfig"`
}

type deliveryStrategy struct {
	Strategy string          `json:"strategy"`
	Config   *deliveryConfig `json:"config,omitempty"`
}

type deliveryConfig struct {
	Size      int   `json:"size,omitempty"`
	Timeout   int64 `json:"timeout,omitempty"` // milliseconds
	Keepalive bool  `json:"keepalive,omitempty"`
}

type httpConfig struct {
	RateLimit rateLimitConfig `json:"rateLimitConfig"`
	Backoff   backoffConfig   `json:"backoffConfig"`
}

type rateLimitConfig struct {
	MaxRetryCount    int     `json:"maxRetryCount"`
	MaxRetryInterval float64 `json:"maxRetryInterval"` // seconds
}

type backoffConfig struct {
	MaxRetryCount      int     `json:"maxRetryCount"`
	MaxBackoffInterval float64 `json:"maxBackoffInterval"` // seconds
}

// metrics tells where the library's own counters go; with no rate it sends none.
type metrics struct {
	SampleRate float64 `json:"sampleRate"`
	Host       string  `json:"host"`
	Protocol   string  `json:"protocol"`
}

// serveSettings answers /v1/projects/{key}/settings.
func (s *server) serveSettings(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("key")
	if s.deps.Known != nil && !s.deps.Known(key) {
		http.Error(w, "There is no such write key.", http.StatusNotFound)
		return
	}
	host, protocol := s.reachedAt(r)
	d := destination{
		APIKey: key, APIHost: host + "/v1", Protocol: protocol,
		DeliveryStrategy: deliveryStrategy{"standard", &deliveryConfig{Keepalive: true}}, // what a closing page sends arrives
		HTTPConfig: httpConfig{
			RateLimit: rateLimitConfig{s.cfg.MaxRetries, s.cfg.MaxRetryAfter.Seconds()},
			Backoff:   backoffConfig{s.cfg.MaxRetries, s.cfg.MaxBackoff.Seconds()},
		},
	}
	if s.cfg.BatchSize > 1 {
		d.DeliveryStrategy = deliveryStrategy{"batching", &deliveryConfig{Size: s.cfg.BatchSize, Timeout: s.cfg.BatchWait.Milliseconds()}}
	}
	body, err := json.Marshal(settings{
		Integrations: map[string]destination{"Segment.io": d},
		Metrics:      metrics{Host: d.APIHost, Protocol: protocol},
	})
	if err != nil {
		panic("snippet: " + err.Error()) // strings and numbers always marshal
	}
	w.Header().Set("Content-Type", "application/json")
	// Kept by browsers alone: a shared cache might not tell one Host from another.
	s.keep(w, "private", s.cfg.MaxAge)
	w.Write(body)
}

// reachedAt is the host and protocol by which the page can reach this server: the
// configured ones, or those of its request.
func (s *server) reachedAt(r *http.Request) (host, protocol string) {
	if host = s.cfg.APIHost; host == "" {
		host = r.Host
	}
	switch forwarded := r.Header.Get("X-Forwarded-Proto"); {
	case s.cfg.Protocol != "":
		protocol = s.cfg.Protocol
	case r.TLS != nil:
		protocol = "https"
	case (forwarded == "http" || forwarded == "https") && s.deps.Trusted != nil && s.deps.Trusted(r):
		protocol = forwarded
	default:
		protocol = "http"
	}
	return host, protocol
}
