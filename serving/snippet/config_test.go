package snippet

import (
	"strings"
	"testing"
	"time"
)

func TestValidateNamesTheFieldAndWhatWouldBeRight(t *testing.T) {
	tests := []struct {
		change func(*Config)
		want   string // in the error; "" for none
	}{
		{func(*Config) {}, ""},
		{func(c *Config) { c.APIHost = "track.example:8080/t" }, ""},
		{func(c *Config) { c.APIHost = "https://track.example" }, "api_host"},
		{func(c *Config) { c.APIHost = "track.example/" }, "api_host"},
		{func(c *Config) { c.Protocol = "ftp" }, "protocol"},
		{func(c *Config) { c.BatchSize = 0 }, "batch_size"},
		{func(c *Config) { c.MaxRetries = -1 }, "max_retries"},
		{func(c *Config) { c.BatchWait = 0 }, "batch_wait"},
		{func(c *Config) { c.MaxBackoff = 48 * time.Hour }, "max_backoff"},
		{func(c *Config) { c.MaxRetryAfter = time.Millisecond }, "max_retry_after"},
		{func(c *Config) { c.MaxAge = -1 }, "max_age"},
	}
	for _, tt := range tests {
		c := Default()
		tt.change(&c)
		err := c.Validate()
		if (err == nil) != (tt.want == "") || err != nil && (!strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "use ") && !strings.Contains(err.Error(), "write ")) {
			t.Errorf("Validate of %+v = %v, want it to name %q and what would be right", c, err, tt.want)
		}
	}
}
