package httpapi

import (
	"context"
	"net/http"
	"time"

	"kindred/data"
	"kindred/features"
	"kindred/features/segment"
)

// membershipView is a segment that a person is in.
type membershipView struct {
	Segment string    `json:"segment"`
	Since   time.Time `json:"since"`
}

// memberships are the segments that the profile is in, by the live rules.
func (a *api) memberships(p data.Profile) ([]membershipView, string, error) {
	out := []membershipView{}
	if a.deps.Segments == nil {
		return out, "", nil
	}
	l := a.deps.Segments.Live()
	if l == nil {
		return out, "", nil
	}
	members, err := features.Segments(p, l.Set)
	for _, m := range members {
		out = append(out, membershipView{m.Segment, at(m.Since)})
	}
	return out, l.Version, err
}

type profileSegmentsAnswer struct {
	Body struct {
		Profile  data.ProfileID   `json:"profile"`
		Version  string           `json:"version,omitempty" doc:"Of the live rules."`
		Stale    bool             `json:"stale" doc:"The person's newest events are not reflected yet."`
		Segments []membershipView `json:"segments"`
	}
}

func (a *api) profileSegments(ctx context.Context, in *ProfileQuery) (*profileSegmentsAnswer, error) {
	p, stale, err := a.findProfile(ctx, in.ID, in.Kind)
	if err != nil {
		return nil, a.fail(ctx, err, "path.id")
	}
	out := &profileSegmentsAnswer{}
	out.Body.Profile, out.Body.Stale = p.ID, stale
	if out.Body.Segments, out.Body.Version, err = a.memberships(p); err != nil {
		return nil, a.fail(ctx, err, "path.id")
	}
	return out, nil
}

type explainQuery struct {
	ProfileQuery
	Segment []string `query:"segment,explode" maxItems:"100" doc:"Only these; repeat for several."`
}

type explainAnswer struct {
	Body struct {
		Profile data.ProfileID `json:"profile"`
		Version string         `json:"version"`
		Stale   bool           `json:"stale"`
		segment.Explanation
	}
}

func (a *api) explainProfile(ctx context.Context, in *explainQuery) (*explainAnswer, error) {
	l := a.deps.Segments.Live()
	if l == nil {
		return nil, problem(http.StatusNotFound, "no segment rules are live; POST /v1/segments/starter and /v1/segments/publish begin with the starter pack")
	}
	for _, name := range in.Segment {
		if !a.deps.Segments.Has(name) {
			return nil, problem(http.StatusUnprocessableEntity, "validation failed", field("query.segment", "the live rules have no segment of this name", name))
		}
	}
	p, stale, err := a.findProfile(ctx, in.ID, in.Kind)
	if err != nil {
		return nil, a.fail(ctx, err, "path.id")
	}
	why, err := l.Set.Explain(l.Set.NewWork(), p.Segments, features.PersonOf(&p), a.deps.Now().UnixMilli(), in.Segment...)
	if err != nil {
		return nil, a.fail(ctx, err, "path.id")
	}
	out := &explainAnswer{}
	out.Body.Profile, out.Body.Version, out.Body.Stale, out.Body.Explanation = p.ID, l.Version, stale, why
	return out, nil
}
