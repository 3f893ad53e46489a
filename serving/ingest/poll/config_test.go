package poll

import (
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

func TestValidateNamesTheField(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"name is": func(c *Config) { c.Name = "A b" }, "use https, or": func(c *Config) { c.URL = "http://crm.example/" }, "use https": func(c *Config) { c.URL = "file:///etc/passwd" },
		"no password": func(c *Config) { c.URL = "https://a:b@crm.example/" }, "in the query": func(c *Config) { c.URL = "https://{cursor}/" },
		"pages is": func(c *Config) { c.Pages = "x" }, "next_path": func(c *Config) { c.Pages = "body" }, "no {page}": func(c *Config) { c.Pages = "number" },
		"cursor is": func(c *Config) { c.Cursor = "x" }, "fields.updated": func(c *Config) { c.Cursor = "updated" }, "records is": func(c *Config) { c.Records = "a..b" },
		"fields.traits.x": func(c *Config) { c.Fields.Traits = map[string]string{"x": ""} }, "interval": func(c *Config) { c.Interval = 0 }, "allow_private": func(c *Config) { c.AllowPrivate = []string{"10"} },
		"{cursor} in url": func(c *Config) { c.URL += "?a={cursor}" }, "backoff": func(c *Config) { c.BackoffMax = 0 },
	} {
		cfg := Default()
		cfg.Name, cfg.URL = "crm", "https://crm.example/"
		if err := cfg.Validate(); err != nil {
			t.Fatal(err)
		}
		change(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	loopback := Default()
	loopback.Name, loopback.URL = "crm", "http://127.0.0.1:1/"
	if err := loopback.Validate(); err != nil {
		t.Errorf("http to this machine: %v", err)
	}
}

// The example of docs/connectors.md is a list of connectors that the configuration takes.
func TestTheDocumentedConnectorIsValid(t *testing.T) {
	text, err := os.ReadFile("../../../docs/connectors.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(string(text), "```yaml\n")
	example, _, _ = strings.Cut(example, "```")
	read := func(example string) ([]Config, error) {
		var file struct {
			Connectors []Config `yaml:"connectors"`
		}
		d := yaml.NewDecoder(strings.NewReader(example))
		d.KnownFields(true)
		err := d.Decode(&file)
		return file.Connectors, err
	}
	list, err := read(example)
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %d connectors", err, len(list))
	}
	if c := list[0]; c.Validate() != nil || c.Timeout != Default().Timeout || c.Fields.Traits["plan"] != "plan.name" {
		t.Errorf("%v: %+v", c.Validate(), c)
	}
	if _, err := read(strings.Replace(example, "pages:", "pagez:", 1)); err == nil {
		t.Error("an unknown setting is taken")
	}
}
