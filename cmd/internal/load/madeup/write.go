package madeup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"kindred/data"
	"kindred/data/embedded"
	"kindred/data/lake"
	"kindred/model/artifact"
)

// Write makes the model and publishes it in the data directory dir, which is created,
// and fills the catalogue. It returns the version, which is current then.
func Write(ctx context.Context, dir string, c Config) (version string, err error) {
	if err := c.Validate(); err != nil {
		return "", fmt.Errorf("make up a model: %w", err)
	}
	b, err := c.bundle()
	if err != nil {
		return "", fmt.Errorf("make up a model: %w", err)
	}
	encoded, err := b.Encode()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	cat, err := embedded.OpenCatalog(dir, data.DefaultSpace)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, cat.Close()) }()
	if err := c.fill(ctx, cat); err != nil {
		return "", err
	}
	l, err := lake.Open(filepath.Join(dir, "lake"), data.DefaultSpace)
	if err != nil {
		return "", err
	}
	version = fmt.Sprintf("m-%s-%s", c.Now.UTC().Format("20060102T150405Z"), artifact.Checksum(encoded)[:6])
	checksum, err := l.PutArtifact(ctx, version, encoded)
	if err != nil {
		return "", err
	}
	m := data.Model{
		Version: version, Status: data.ModelPublished, Created: c.Now.UTC(), Artifact: version, Checksum: checksum,
		Bytes: int64(len(encoded)), Watermark: c.Now.UTC(), Reason: "made up, not trained",
	}
	if err := cat.PutModel(ctx, m); err != nil {
		return "", err
	}
	return version, cat.Promote(ctx, version)
}

// fill puts the items into the catalogue.
func (c Config) fill(ctx context.Context, cat *embedded.Catalog) error {
	m := maker{Config: c}
	const at = 5000
	items := make([]data.Item, 0, at)
	for k := 1; k <= c.Items; k++ {
		id := c.Prefix + strconv.Itoa(k)
		items = append(items, data.Item{
			ID: data.ItemID(id), Title: strings.Join(m.words(k)[1:], " "), Categories: []string{category(k)},
			Price: float64(1+k%200) + .99, Currency: "EUR", URL: "https://shop.example/p/" + id,
		})
		if len(items) == at || k == c.Items {
			if err := cat.PutItems(ctx, items); err != nil {
				return err
			}
			items = items[:0]
		}
	}
	return nil
}
