package plan

import (
	"fmt"
	"time"
)

// Config says where the plan is.
type Config struct {
	// Path is a plan file, or a directory whose *.yaml, *.yml and *.json files together are the plan; "" checks nothing.
	Path string `yaml:"path"`
	// Refresh is how often Path is looked at for changes.
	Refresh time.Duration `yaml:"refresh"`
	// ReportEvents is how many different events the coverage report tells apart.
	ReportEvents int `yaml:"report_events"`
	// ReportFields is how many different fields of one event it tells apart.
	ReportFields int `yaml:"report_fields"`
}

// Default checks nothing.
func Default() Config {
	return Config{Refresh: 10 * time.Second, ReportEvents: 1000, ReportFields: 200}
}

// Active reports whether there is a plan.
func (c Config) Active() bool { return c.Path != "" }

// Validate reports the first field that makes no sense, and what would.
func (c Config) Validate() error {
	switch {
	case c.Refresh < time.Second || c.Refresh > 24*time.Hour:
		return fmt.Errorf("plan: refresh is %v; use 1s to 24h", c.Refresh)
	case c.ReportEvents < 1 || c.ReportEvents > 100_000:
		return fmt.Errorf("plan: report_events is %d; use 1 to 100000", c.ReportEvents)
	case c.ReportFields < 1 || c.ReportFields > 10_000:
		return fmt.Errorf("plan: report_fields is %d; use 1 to 10000", c.ReportFields)
	}
	return nil
}
