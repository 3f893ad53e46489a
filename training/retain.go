package training

import (
	"context"
	"errors"
	"fmt"

	"kindred/data"
)

// modelPage is how many models are read at a time.
const modelPage = 100

// retain deletes the artifacts of refused models beyond the newest KeepModels.
// Models that ever served keep theirs: a marker in the log may name them, and a
// replay then asks for their clusters.
//
// The catalog's entry loses its artifact before the bytes go, so that no entry
// names what is not there; bytes that a crash left behind go with the next refused run.
func (r *run) retain(ctx context.Context) error {
	gone, refused, after := map[string]bool{}, 0, ""
	for {
		page, err := r.Catalog.Models(ctx, after, modelPage)
		if err != nil {
			return fmt.Errorf("delete old artifacts: %w", err)
		}
		for _, m := range page {
			after = m.Version
			if m.Artifact == "" {
				gone[m.Version] = true
			}
			if m.Status != data.ModelRefused || m.Artifact == "" {
				continue
			}
			if refused++; refused <= r.cfg.KeepModels {
				continue
			}
			switch err := r.Catalog.DropArtifact(ctx, m.Version); {
			case err == nil:
				gone[m.Version] = true
			case !errors.Is(err, data.ErrConflict): // else somebody has just promoted it
				return fmt.Errorf("delete old artifacts: %w", err)
			}
		}
		if len(page) < modelPage {
			break
		}
	}
	stored, err := r.Lake.Artifacts(ctx)
	if err != nil {
		return fmt.Errorf("delete old artifacts: %w", err)
	}
	for _, name := range stored {
		if !gone[name] {
			continue
		}
		if err := r.Lake.DeleteArtifact(ctx, name); err != nil {
			return fmt.Errorf("delete old artifacts: %w", err)
		}
	}
	return nil
}
