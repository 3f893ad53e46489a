package live

import (
	"encoding/json"
	"fmt"

	"kindred/data"
	"kindred/features"
	analyze "kindred/features/content"
	"kindred/model"
	"kindred/model/artifact"
	"kindred/model/content"
)

// weightBinary is the artifact's name, among those of the kind weights, for a model
// trained on preferences of 0 and 1.
const weightBinary = "binary"

// DecodeArtifact reads an artifact for serving. The error is an
// *artifact.VersionError or *artifact.CorruptError, wrapped.
func DecodeArtifact(b []byte) (Parts, error) {
	bundle, err := artifact.Decode(b)
	if err != nil {
		return Parts{}, fmt.Errorf("decode its artifact: %w", err)
	}
	return PartsOf(bundle)
}

// PartsOf is a bundle as serving needs it. The error names a weight that makes no sense.
func PartsOf(b *artifact.Bundle) (Parts, error) {
	p := Parts{
		Items: b.Items, Scorers: b.Scorers(), Blend: b.Hybrid, Clusters: b.Cluster,
		Binary: b.Meta.Weights[weightBinary] > 0, Created: b.Meta.Created, Watermark: b.Meta.Watermark,
	}
	if b.Content != nil {
		p.Extend = extender{b.Content}
	}
	var err error
	p.Weights, err = weightsOf(b.Meta.Weights)
	return p, err
}

// weightsOf are the kind weights by their configuration names; those not named
// have the default.
func weightsOf(byName map[string]float64) (features.Weights, error) {
	w := features.DefaultWeights()
	raw, err := json.Marshal(byName)
	if err == nil {
		err = json.Unmarshal(raw, &w)
	}
	if err == nil {
		err = w.Validate()
	}
	if err != nil {
		return w, fmt.Errorf("weights of the artifact: %w", err)
	}
	return w, nil
}

// extender lets the content model take in catalog items.
type extender struct{ *content.Model }

// Describe analyses the item as training did.
func (e extender) Describe(it data.Item) content.Vector { return e.Vector(analyze.Tokens(it)) }

// ExtendedBy appends the items' vectors.
func (e extender) ExtendedBy(items []content.Vector) model.Scorer { return e.Append(items) }
