package ingest

import (
	"fmt"
	"time"

	"kindred/data"
	"kindred/features/identity"
	"kindred/serving/ingest/clean"
	"kindred/serving/ingest/plan"
	"kindred/serving/ingest/quota"
	"kindred/serving/ingest/tail"
)

// Config bounds what is taken in.
type Config struct {
	Env string `yaml:"env"` // written into every event, for example prod
	// MaxBodyBytes and MaxCalls bound one batch; a single call is bounded by event.MaxCallBytes.
	MaxBodyBytes int64 `yaml:"max_body_bytes"`
	MaxCalls     int   `yaml:"max_calls"`
	// ImpressionQueue is the number of shown lists that wait to be logged.
	ImpressionQueue int `yaml:"impression_queue"`
	// ImpressionLinger is how long the first of them waits for others, so that one write
	// and one fold serve many. Nobody waits for an impression.
	ImpressionLinger time.Duration `yaml:"impression_linger"`
	// Quota is who may send how much.
	Quota quota.Config `yaml:"quota"`
	// Tail is what a debugger may see of what comes in.
	Tail tail.Config `yaml:"tail"`
	// Clean is what is done to every event before it is stored.
	Clean clean.Config `yaml:"clean"`
	// Plan is what events are held against.
	Plan plan.Config `yaml:"plan"`
	// MaxEventAge and Identity are set from the features' configuration, so that
	// ingest and the fold agree.
	MaxEventAge time.Duration  `yaml:"-"`
	Identity    identity.Rules `yaml:"-"`
	Space       data.Space     `yaml:"-"`
}

// Default has the bounds of Segment's documentation: 500 kB and 2,500 calls a batch.
func Default() Config {
	return Config{
		Env: "prod", MaxBodyBytes: 500_000, MaxCalls: 2500, ImpressionQueue: 4096, ImpressionLinger: 50 * time.Millisecond,
		Quota: quota.Default(), Tail: tail.Default(), Clean: clean.Default(), Plan: plan.Default(),
		MaxEventAge: 7 * 24 * time.Hour, Identity: identity.Default(), Space: data.DefaultSpace,
	}
}

// Validate reports the first field that makes no sense, and what would.
func (c Config) Validate() error {
	switch {
	case c.MaxBodyBytes < 1024:
		return fmt.Errorf("ingest: max_body_bytes is %d; use 1024 or more", c.MaxBodyBytes)
	case c.MaxCalls < 1:
		return fmt.Errorf("ingest: max_calls is %d; use 1 or more", c.MaxCalls)
	case c.ImpressionQueue < 1:
		return fmt.Errorf("ingest: impression_queue is %d; use 1 or more", c.ImpressionQueue)
	case c.ImpressionLinger < 0 || c.ImpressionLinger > 10*time.Second:
		return fmt.Errorf("ingest: impression_linger is %v; use 0 to 10s", c.ImpressionLinger)
	case c.MaxEventAge <= 0:
		return fmt.Errorf("ingest: max_event_age is %v; use a positive duration", c.MaxEventAge)
	}
	if err := c.Quota.Validate(); err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	if err := c.Tail.Validate(); err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	if err := c.Clean.Validate(); err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	if err := c.Plan.Validate(); err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	if err := c.Identity.Validate(); err != nil {
		return fmt.Errorf("ingest: %w", err)
	}
	return c.Space.Validate()
}
