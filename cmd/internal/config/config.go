// Package config layers a server's configuration: defaults, then a YAML file,
// then KINDRED_* environment variables, then flags. Each layer is strict: an
// unknown key, a misspelt variable or a value of the wrong type is an error that
// names it.
package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kindred/data"
	"kindred/data/embedded"
	"kindred/features"
	"kindred/features/archive"
	"kindred/serving/httpapi"
	"kindred/serving/ingest"
	"kindred/serving/ingest/door"
	"kindred/serving/ingest/poll"
	"kindred/serving/live"
	"kindred/serving/members"
	"kindred/serving/notify"
	"kindred/serving/online"
	"kindred/serving/recommend"
	"kindred/serving/segments"
	"kindred/serving/snippet"
	"kindred/training"
	"kindred/training/schedule"
)

// Config is everything that a Kindred process can be told.
type Config struct {
	// Space is the tenant that this process serves.
	Space data.Space `yaml:"space"`
	// Env is the environment that events are marked with, such as prod or staging.
	Env string `yaml:"env"`
	// Data is the directory of the embedded stores.
	Data string `yaml:"data"`
	// Partitions is how many parts the log has, fixed when the directory is created;
	// 0 takes what the directory has, and 8 for a new one.
	Partitions int32 `yaml:"partitions"`
	// Roles are what `serve` runs; the embedded stores run all three in one process.
	Roles []string `yaml:"roles"`
	// Seed makes everything random repeatable.
	Seed uint64 `yaml:"seed"`

	Log     Log            `yaml:"log"`
	Store   Store          `yaml:"store"`
	HTTP    httpapi.Config `yaml:"http"`
	Snippet snippet.Config `yaml:"snippet"`
	Ingest  ingest.Config  `yaml:"ingest"`
	Doors   door.Config    `yaml:"doors"`
	// Connectors fetch people from other systems on an interval (docs/connectors.md): name, url, interval, secret_headers, records, fields, pages, cursor, ….
	Connectors []poll.Config `yaml:"connectors"`
	// Notify says who is told of changes (docs/notify.md).
	Notify    notify.Config    `yaml:"notify"`
	Members   members.Config   `yaml:"members"`
	Features  features.Config  `yaml:"features"`
	Archive   archive.Options  `yaml:"archive"`
	Live      live.Config      `yaml:"live"`
	Online    online.Config    `yaml:"online"`
	Recommend recommend.Config `yaml:"recommend"`
	Training  training.Config  `yaml:"training"`
	Schedule  schedule.Config  `yaml:"schedule"`
	Segments  segments.Config  `yaml:"segments"`
}

// Log says what is logged and how.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // text or json
}

// Store is what the embedded store of log and profiles may use.
type Store struct {
	// CacheBytes is how much of what was read from log and profiles stays in memory, uncompressed.
	CacheBytes int64 `yaml:"cache_bytes"`
	// QueueRecords bounds the records that were taken in and are not yet on stable storage; beyond, clients are asked to wait.
	QueueRecords int `yaml:"queue_records"`
	// QueueBytes bounds the same in bytes.
	QueueBytes int `yaml:"queue_bytes"`
}

// Options are the settings in the form of their package.
func (s Store) Options() embedded.Options {
	return embedded.Options{CacheBytes: s.CacheBytes, QueueRecords: s.QueueRecords, QueueBytes: s.QueueBytes}
}

// Validate reports the first field that makes no sense, and what would.
func (s Store) Validate() error {
	if s.CacheBytes == 0 || s.QueueRecords == 0 || s.QueueBytes == 0 {
		return errors.New("cache_bytes, queue_records and queue_bytes must be positive")
	}
	return s.Options().Validate()
}

// defaultStore is what the embedded store uses if it is told nothing.
func defaultStore() Store {
	d := embedded.Default()
	return Store{CacheBytes: d.CacheBytes, QueueRecords: d.QueueRecords, QueueBytes: d.QueueBytes}
}

// section is one package's part of the configuration, under its name in the file.
type section struct {
	name   string
	config interface{ Validate() error }
}

// AllRoles are the roles that a process can have.
func AllRoles() []string { return []string{"api", "stream", "train"} }

// Default is the configuration of a process that was told nothing.
func Default() Config {
	return Config{
		Space: data.DefaultSpace, Env: "prod", Data: "kindred-data", Roles: AllRoles(), Seed: 1,
		Log: Log{Level: "info", Format: "text"}, Store: defaultStore(),
		HTTP: httpapi.Default(), Snippet: snippet.Default(), Ingest: ingest.Default(), Doors: door.Default(), Notify: notify.Default(), Members: members.Default(), Features: features.Default(), Archive: archive.Default(),
		Live: live.Default(), Online: online.Default(), Recommend: recommend.Default(),
		Training: training.Default(), Schedule: schedule.Default(), Segments: segments.Default(),
	}
}

// Load layers the configuration: file may be "", environ is as os.Environ, sets
// are key=value. The result is valid.
func Load(file string, environ, sets []string) (Config, error) {
	c := Default()
	if file != "" {
		if err := fromFile(&c, file); err != nil {
			return c, err
		}
	}
	if err := fromEnv(&c, environ, notSettings...); err != nil {
		return c, err
	}
	if err := fromSets(&c, sets); err != nil {
		return c, err
	}
	// What a person prefers means the same while it is folded, learned and served.
	if w := c.Training.Weights; w != c.Features.Weights && w != Default().Training.Weights {
		return c, errors.New("training.weights differs from features.weights; set features.weights alone, training learns from the same")
	}
	c.Training.Weights = c.Features.Weights
	c.Training.Seed = c.Seed
	return c, c.Validate()
}

// Validate reports the first setting that makes no sense, and what would.
func (c Config) Validate() error {
	if err := c.Space.Validate(); err != nil {
		return err
	}
	switch {
	case c.Data == "":
		return errors.New("data is empty; name a directory")
	case c.Partitions < 0 || c.Partitions > 1024:
		return fmt.Errorf("partitions is %d; use 1 to 1024, or 0 for what the directory has", c.Partitions)
	case !slices.Contains([]string{"debug", "info", "warn", "error"}, c.Log.Level):
		return fmt.Errorf("log.level is %q; use debug, info, warn or error", c.Log.Level)
	case c.Log.Format != "text" && c.Log.Format != "json":
		return fmt.Errorf("log.format is %q; use text or json", c.Log.Format)
	}
	for _, role := range c.Roles {
		if !slices.Contains(AllRoles(), role) {
			return fmt.Errorf("roles has %q; use %s", role, strings.Join(AllRoles(), ", "))
		}
	}
	for _, role := range AllRoles() {
		if !slices.Contains(c.Roles, role) {
			return fmt.Errorf("roles lacks %q: the embedded stores run api, stream and train in one process", role)
		}
	}
	for _, part := range []section{
		{"store", c.Store}, {"http", c.HTTP}, {"snippet", c.Snippet}, {"ingest", c.Ingest}, {"doors", c.Doors}, {"notify", c.Notify}, {"members", c.Members}, {"features", c.Features}, {"archive", c.Archive}, {"live", c.Live},
		{"online", c.Online}, {"recommend", c.Recommend}, {"training", c.Training}, {"schedule", c.Schedule}, {"segments", c.Segments},
	} {
		if err := part.config.Validate(); err != nil {
			// Some packages name themselves in their messages already.
			if text := err.Error(); strings.HasPrefix(text, part.name+": ") || strings.HasPrefix(text, part.name+".") {
				return err
			}
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return c.validateConnectors()
}

func (c Config) validateConnectors() error {
	names := map[string]bool{}
	for i, p := range c.Connectors {
		if err := p.Validate(); err != nil {
			return fmt.Errorf("connectors[%d]: %w", i, err)
		}
		if names[p.Name] {
			return fmt.Errorf("connectors[%d]: name %q is used twice; give each connector its own", i, p.Name)
		}
		names[p.Name] = true
	}
	return nil
}

// Print writes the configuration as YAML that Load reads, secrets masked.
func (c Config) Print(w io.Writer) error {
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(c.masked()); err != nil {
		return err
	}
	return e.Close()
}

// PrintComments writes the configuration as Print does, with each setting's meaning above it.
func (c Config) PrintComments(w io.Writer) error {
	var root yaml.Node
	if err := root.Encode(c.masked()); err != nil {
		return err
	}
	texts := map[string]string{}
	for _, s := range Settings() {
		texts[s.Key] = s.Meaning
	}
	comment(&root, "", texts)
	e := yaml.NewEncoder(w)
	e.SetIndent(2)
	if err := e.Encode(&root); err != nil {
		return err
	}
	return e.Close()
}

// comment puts the texts above the keys of a mapping.
func comment(n *yaml.Node, prefix string, texts map[string]string) {
	if n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		path := prefix + n.Content[i].Value
		n.Content[i].HeadComment = texts[path]
		comment(n.Content[i+1], path+".", texts)
	}
}

// PrintEnv lists the environment variables with their effective values.
func (c Config) PrintEnv(w io.Writer) error {
	masked := c.masked()
	for _, k := range keys(&masked) {
		var value strings.Builder
		e := yaml.NewEncoder(&value)
		if err := e.Encode(yamlFlow(k.value.Interface())); err != nil {
			return err
		}
		if _, err := fmt.Fprintf(w, "%s=%s\n", k.env(), strings.TrimSpace(value.String())); err != nil {
			return err
		}
	}
	return nil
}

// yamlFlow gives v as a node on one line.
func yamlFlow(v any) *yaml.Node {
	n := new(yaml.Node)
	if err := n.Encode(v); err != nil {
		return &yaml.Node{Kind: yaml.ScalarNode, Value: err.Error()}
	}
	n.Style = yaml.FlowStyle
	return n
}

// masked is c without its secrets.
func (c Config) masked() Config {
	c.HTTP.Keys = slices.Clone(c.HTTP.Keys)
	for i := range c.HTTP.Keys {
		if c.HTTP.Keys[i].Secret != "" {
			c.HTTP.Keys[i].Secret = "(hidden)"
		}
	}
	c.Doors = c.Doors.Masked()
	c.Notify = c.Notify.Masked()
	c.Connectors = slices.Clone(c.Connectors)
	for i := range c.Connectors {
		c.Connectors[i] = c.Connectors[i].Masked()
	}
	return c
}

// PrintJSON writes the configuration as JSON under the file's names, secrets masked.
func (c Config) PrintJSON(w io.Writer) error {
	b, err := yaml.Marshal(c.masked())
	if err != nil {
		return err
	}
	var tree map[string]any
	if err := yaml.Unmarshal(b, &tree); err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(tree)
}
