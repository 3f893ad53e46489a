package training

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"kindred/data"
	"kindred/model/artifact"
	"kindred/training/report"
)

// publish stores the bundle's artifact, its evaluation and its catalog entry, in
// this order, so that an entry never names what is not there; and promotes it when
// its status is published.
func (r *run) publish(ctx context.Context, b *artifact.Bundle, status string) error {
	r.opt.Progress("publish", 0, 1)
	kept, err := json.Marshal(metricsOf(r.out.Evaluation))
	if err != nil {
		return err
	}
	created := r.Now().UTC()
	b.Meta.Created, b.Meta.Watermark = created, r.src.Watermark
	b.Meta.Config, b.Meta.Metrics, b.Meta.Builder = r.config, kept, r.opt.Builder
	encoded, err := b.Encode()
	if err != nil {
		return fmt.Errorf("encode the artifact: %w", err)
	}
	version := fmt.Sprintf("m-%s-%s", created.Format("20060102T150405Z"), artifact.Checksum(encoded)[:6])
	checksum, err := r.Lake.PutArtifact(ctx, version, encoded)
	if err != nil {
		return err
	}
	if err := r.putEvaluation(ctx, version); err != nil {
		return err
	}
	m := data.Model{
		Version: version, Status: status, Created: created, Artifact: version, Checksum: checksum, Bytes: int64(len(encoded)),
		Watermark: r.src.Watermark, Interactions: int64(len(r.src.Acts)), Metrics: kept, Config: r.config,
	}
	if status == data.ModelRefused {
		m.Reason = joined(r.out.Evaluation.Verdict.Reasons)
	}
	if err := r.Catalog.PutModel(ctx, m); err != nil {
		return err
	}
	r.out.Version, r.out.Model = version, m
	if status == data.ModelRefused {
		return nil
	}
	if err := r.Catalog.PromoteFenced(ctx, version, r.Lease); err != nil {
		return err
	}
	r.out.Model.Status = data.ModelCurrent
	r.opt.Progress("publish", 1, 1)
	return nil
}

// putEvaluation stores the report of the model's evaluation under its version.
func (r *run) putEvaluation(ctx context.Context, version string) error {
	rep, err := r.out.Evaluation.Report()
	if err != nil {
		return err
	}
	rep.Created, rep.Version = r.Now().UTC(), r.opt.Builder
	var text bytes.Buffer
	if err := rep.Validate(); err != nil {
		return err
	}
	if err := report.JSON(&text, rep); err != nil {
		return err
	}
	return r.Catalog.PutEvaluation(ctx, data.Evaluation{
		ID: version, Created: rep.Created, Model: version, Dataset: rep.Dataset, Report: text.Bytes(),
	})
}
