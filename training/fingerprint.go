package training

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"kindred/data"
	"kindred/data/lake"
)

// identify computes the fingerprint of what would be trained on, and how. The
// lake's tables only grow, so their row counts stand for their content; the
// watermark does not count, because it moves without anything new to learn.
func (r *run) identify(itemsVersion int64) error {
	cfg, err := asJSON(r.cfg)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%d interactions, %d links, %d events of items, %s",
		r.snap.Rows(lake.Interactions), r.snap.Rows(lake.Links), itemsVersion, cfg))
	r.fingerprint = hex.EncodeToString(sum[:16])
	kept := keptConfig{Training: cfg, Fingerprint: r.fingerprint}
	for _, next := range r.snap.Cursors() {
		kept.Records += next
	}
	r.config, err = json.Marshal(kept)
	return err
}

// keptConfig is what the catalog keeps as a model's configuration.
type keptConfig struct {
	Training    json.RawMessage `json:"training"`
	Fingerprint string          `json:"fingerprint"`       // of the data and the configuration
	Records     int64           `json:"records,omitempty"` // see RecordsOf
}

// RecordsOf is how many records of the log the run of a model had read, counted from
// the log's first; 0 for a model that was trained before this was kept. A refused
// model's run has read them too.
func RecordsOf(m data.Model) int64 {
	var c keptConfig
	if json.Unmarshal(m.Config, &c) != nil {
		return 0
	}
	return c.Records
}

// fingerprintOf is a published model's fingerprint, or "".
func fingerprintOf(m data.Model) string {
	var c keptConfig
	if json.Unmarshal(m.Config, &c) != nil {
		return ""
	}
	return c.Fingerprint
}
