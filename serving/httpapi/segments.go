package httpapi

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"kindred/data"
	"kindred/features/expr"
	"kindred/features/segment"
	"kindred/serving/segments"
)

const tagSegments = "Segments"

func (a *api) segmentRoutes() {
	if a.deps.Segments == nil {
		return
	}
	register(a, operation{id: "list-segments", method: http.MethodGet, path: "/v1/segments", tag: tagSegments,
		summary: "The rules of the draft, or of a version", scope: ScopeRead, errors: []int{404}}, a.listSegments)
	register(a, operation{id: "put-segments", method: http.MethodPut, path: "/v1/segments", tag: tagSegments,
		summary: "Replace the draft", scope: ScopeAdmin}, a.putSegments)
	register(a, operation{id: "get-segment", method: http.MethodGet, path: "/v1/segments/{name}", tag: tagSegments,
		summary: "One segment's rule in the draft", scope: ScopeRead, errors: []int{404}}, a.getSegment)
	register(a, operation{id: "put-segment", method: http.MethodPut, path: "/v1/segments/{name}", tag: tagSegments,
		summary: "Add or replace one segment's rule in the draft", scope: ScopeAdmin}, a.putSegment)
	register(a, operation{id: "delete-segment", method: http.MethodDelete, path: "/v1/segments/{name}", tag: tagSegments,
		summary: "Take one segment's rule out of the draft", scope: ScopeAdmin, errors: []int{404}}, a.deleteSegment)
	register(a, operation{id: "starter-segments", method: http.MethodPost, path: "/v1/segments/starter", tag: tagSegments,
		summary: "Make the starter pack the draft", scope: ScopeAdmin}, a.starterSegments)
	register(a, operation{id: "check-segments", method: http.MethodPost, path: "/v1/segments/check", tag: tagSegments,
		summary: "Compile rules, and say what is wrong with them and where", scope: ScopeAdmin}, a.checkSegments)
	register(a, operation{id: "preview-segments", method: http.MethodPost, path: "/v1/segments/preview", tag: tagSegments,
		summary: "Who would be in the segments of rules, now, and why", scope: ScopeAdmin}, a.previewSegments)
	register(a, operation{id: "diff-segments", method: http.MethodPost, path: "/v1/segments/diff", tag: tagSegments,
		summary: "Who would enter and leave if rules were published", scope: ScopeAdmin, errors: []int{404}}, a.diffSegments)
	register(a, operation{id: "backtest-segments", method: http.MethodPost, path: "/v1/segments/backtest", tag: tagSegments,
		summary: "Try rules on the past, as a job; its report is the evaluation of the job's id", scope: ScopeAdmin, status: http.StatusAccepted}, a.backtestSegments)
	register(a, operation{id: "publish-segments", method: http.MethodPost, path: "/v1/segments/publish", tag: tagSegments,
		summary: "Make the draft, or a version, live", scope: ScopeAdmin, errors: []int{404}}, a.publishSegments)
	register(a, operation{id: "rollback-segments", method: http.MethodPost, path: "/v1/segments/rollback", tag: tagSegments,
		summary: "Make the version before live again", scope: ScopeAdmin, errors: []int{404}}, a.rollbackSegments)
	register(a, operation{id: "segments-history", method: http.MethodGet, path: "/v1/segments/history", tag: tagSegments,
		summary: "The versions that were live, newest first", scope: ScopeRead}, a.segmentsHistory)
	register(a, operation{id: "profile-segments", method: http.MethodGet, path: "/v1/profiles/{id}/segments", tag: "People",
		summary: "The segments that a person is in", scope: ScopeRead, errors: []int{404}}, a.profileSegments)
	register(a, operation{id: "explain-profile", method: http.MethodGet, path: "/v1/profiles/{id}/explain", tag: "People",
		summary: "Why a person is in segments or not, and what comes next if nothing happens", scope: ScopeRead, errors: []int{404}}, a.explainProfile)
}

// rulesView is a version with its rules as values.
type rulesView struct {
	data.RuleSet
	Segments []ruleView `json:"segments"`
	Live     string     `json:"live,omitempty" doc:"The version that decides now."`
}

// ruleView is segment.Rule as the API writes it: lengths of time are texts.
type ruleView struct {
	Segment  string   `json:"segment,omitempty" doc:"Its name: a lower-case letter, then letters, digits and _."`
	Title    string   `json:"title,omitempty"`
	When     string   `json:"when" doc:"Who belongs to it; docs/segments.md has the language."`
	Exit     string   `json:"exit,omitempty" doc:"Who leaves it; without one, who no longer fulfils when."`
	For      string   `json:"for,omitempty" doc:"How long when must hold before entry, such as 30s or 2h."`
	Cooldown string   `json:"cooldown,omitempty"`
	MinStay  string   `json:"min_stay,omitempty"`
	TTL      string   `json:"ttl,omitempty"`
	Group    string   `json:"group,omitempty" doc:"Of its segments a person is in one at most."`
	Priority int      `json:"priority,omitempty"`
	Score    string   `json:"score,omitempty"`
	Margin   float64  `json:"margin,omitempty"`
	Parent   string   `json:"parent,omitempty"`
	Consent  string   `json:"consent,omitempty"`
	Notify   []string `json:"notify,omitempty"`
	MinSize  int      `json:"min_size,omitempty"`
}

func lengthText(d segment.Duration) string {
	if d == 0 {
		return ""
	}
	return d.String()
}

func viewOfRule(r segment.Rule) ruleView {
	return ruleView{r.Segment, r.Title, r.When, r.Exit, lengthText(r.For), lengthText(r.Cooldown), lengthText(r.MinStay), lengthText(r.TTL), r.Group, r.Priority,
		r.Score, r.Margin, r.Parent, r.Consent, r.Notify, r.MinSize}
}

// rule is the view as a rule of that name.
func (v ruleView) rule(name string) (r segment.Rule, err error) {
	r = segment.Rule{Segment: name, Title: v.Title, When: v.When, Exit: v.Exit, Group: v.Group, Priority: v.Priority, Score: v.Score, Margin: v.Margin,
		Parent: v.Parent, Consent: v.Consent, Notify: v.Notify, MinSize: v.MinSize}
	for _, d := range []struct {
		name, text string
		into       *segment.Duration
	}{{"for", v.For, &r.For}, {"cooldown", v.Cooldown, &r.Cooldown}, {"min_stay", v.MinStay, &r.MinStay}, {"ttl", v.TTL, &r.TTL}} {
		if d.text == "" {
			continue
		}
		if *d.into, err = segment.ParseDuration(d.text); err != nil {
			return r, &segments.Invalid{Err: &segment.Error{Rule: name, Field: d.name, Err: err}}
		}
	}
	return r, nil
}

// mistakes are what is wrong with rules, one by one.
type mistake struct {
	Rule       string `json:"rule,omitempty"`
	Field      string `json:"field,omitempty"`
	Line       int    `json:"line,omitempty" doc:"In the field's text; 0 where it is about the whole."`
	Column     int    `json:"column,omitempty"`
	Message    string `json:"message"`
	Suggestion string `json:"suggestion,omitempty"`
}

func mistakesOf(err error) []mistake {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		var out []mistake
		for _, e := range many.Unwrap() {
			out = append(out, mistakesOf(e)...)
		}
		return out
	}
	if wrapped, ok := err.(*segments.Invalid); ok {
		return mistakesOf(wrapped.Err)
	}
	m := mistake{Message: err.Error()}
	var at *segment.Error
	if errors.As(err, &at) {
		m.Rule, m.Field, m.Message = at.Rule, at.Field, at.Err.Error()
	}
	var place *expr.Error
	if errors.As(err, &place) {
		m.Line, m.Column, m.Message, m.Suggestion = place.Line, place.Column, place.Message, place.Suggestion
	}
	return []mistake{m}
}

// segmentsFail turns an error about rules into a problem that names each mistake.
func (a *api) segmentsFail(ctx context.Context, err error, where string) error {
	var invalid *segments.Invalid
	if !errors.As(err, &invalid) {
		if errors.Is(err, data.ErrNotFound) {
			return problem(http.StatusNotFound, err.Error(), field(where, "not found", nil))
		}
		return a.fail(ctx, err, where)
	}
	p := problem(http.StatusUnprocessableEntity, "the rules do not compile; POST /v1/segments/check says where and suggests what was meant")
	for _, m := range mistakesOf(invalid.Err) {
		p.Errors = append(p.Errors, field(strings.Trim(where+"."+m.Rule+"."+m.Field, "."), m.Message, nil))
	}
	return p
}

type rulesAnswer struct{ Body rulesView }

func (a *api) rulesView(r data.RuleSet) (*rulesAnswer, error) {
	out := &rulesAnswer{rulesView{RuleSet: r, Segments: []ruleView{}}}
	rules, err := segment.ParseRules([]byte(r.Text))
	if err != nil {
		return nil, err
	}
	for _, x := range rules.Segments {
		out.Body.Segments = append(out.Body.Segments, viewOfRule(x))
	}
	if l := a.deps.Segments.Live(); l != nil {
		out.Body.Live = l.Version
	}
	return out, nil
}

type versionQuery struct {
	Version string `query:"version" maxLength:"64" default:"draft" doc:"A version, or draft (what edits begin with), or live."`
}

func (a *api) listSegments(ctx context.Context, in *versionQuery) (*rulesAnswer, error) {
	r, err := a.deps.Segments.Text(ctx, in.Version)
	if err != nil {
		return nil, a.segmentsFail(ctx, err, "query.version")
	}
	return a.rulesView(r)
}

type putSegmentsInput struct {
	Caller
	Body struct {
		Text string `json:"text" maxLength:"4194304" doc:"The rules, YAML or JSON, as docs/segments.md has them."`
		Note string `json:"note,omitempty" maxLength:"1000"`
		Base string `json:"base,omitempty" maxLength:"64" doc:"The version that was edited; 409 if there is a newer one. Without it whatever there is is replaced."`
	}
}

func (a *api) putSegments(ctx context.Context, in *putSegmentsInput) (*rulesAnswer, error) {
	r, err := a.deps.Segments.Put(ctx, in.Body.Text, in.name, in.Body.Note, in.Body.Base)
	if err != nil {
		return nil, a.segmentsFail(ctx, err, "body.text")
	}
	return a.rulesView(r)
}

// SegmentPath is the name of a segment. It is exported for huma, which reads only exported
// embedded fields; so is Which.
type SegmentPath struct {
	Name string `path:"name" minLength:"1" maxLength:"64"`
}

type segmentAnswer struct {
	Body struct {
		Version string   `json:"version" doc:"Of the draft with it."`
		Rule    ruleView `json:"rule"`
	}
}

func (a *api) getSegment(ctx context.Context, in *SegmentPath) (*segmentAnswer, error) {
	r, err := a.deps.Segments.Draft(ctx)
	if err != nil {
		return nil, a.segmentsFail(ctx, err, "path.name")
	}
	rules, err := segment.ParseRules([]byte(r.Text))
	i := slices.IndexFunc(rules.Segments, func(x segment.Rule) bool { return x.Segment == in.Name })
	if err != nil || i < 0 {
		return nil, problem(http.StatusNotFound, "the draft has no such segment", field("path.name", "not found", in.Name))
	}
	out := &segmentAnswer{}
	out.Body.Version, out.Body.Rule = r.Version, viewOfRule(rules.Segments[i])
	return out, nil
}

type putSegmentInput struct {
	SegmentPath
	Caller
	Body ruleView
}

func (a *api) putSegment(ctx context.Context, in *putSegmentInput) (*segmentAnswer, error) {
	if in.Body.Segment != "" && in.Body.Segment != in.Name {
		return nil, problem(http.StatusUnprocessableEntity, "validation failed", field("body.segment", "differs from the path's", in.Body.Segment))
	}
	rule, err := in.Body.rule(in.Name)
	if err != nil {
		return nil, a.segmentsFail(ctx, err, "body")
	}
	r, err := a.deps.Segments.Edit(ctx, in.Caller.name, "", func(rules *segment.Rules) error {
		if i := slices.IndexFunc(rules.Segments, func(x segment.Rule) bool { return x.Segment == in.Name }); i >= 0 {
			rules.Segments[i] = rule
		} else {
			rules.Segments = append(rules.Segments, rule)
		}
		return nil
	})
	if err != nil {
		return nil, a.segmentsFail(ctx, err, "body")
	}
	out := &segmentAnswer{}
	out.Body.Version, out.Body.Rule = r.Version, viewOfRule(rule)
	return out, nil
}

type deleteSegmentInput struct {
	SegmentPath
	Caller
}

func (a *api) deleteSegment(ctx context.Context, in *deleteSegmentInput) (*rulesAnswer, error) {
	r, err := a.deps.Segments.Edit(ctx, in.Caller.name, "", func(rules *segment.Rules) error {
		n := len(rules.Segments)
		rules.Segments = slices.DeleteFunc(rules.Segments, func(x segment.Rule) bool { return x.Segment == in.Name })
		if len(rules.Segments) == n {
			return data.ErrNotFound
		}
		return nil
	})
	if err != nil {
		return nil, a.segmentsFail(ctx, err, "path.name")
	}
	return a.rulesView(r)
}

type callerInput struct{ Caller }

func (a *api) starterSegments(ctx context.Context, in *callerInput) (*rulesAnswer, error) {
	r, err := a.deps.Segments.Starter(ctx, in.name)
	if err != nil {
		return nil, a.segmentsFail(ctx, err, "body")
	}
	return a.rulesView(r)
}

// Which names rules: a text, one rule, or a version.
type Which struct {
	Text    string    `json:"text,omitempty" maxLength:"4194304" doc:"Rules, YAML or JSON; without it the version's."`
	Rule    *ruleView `json:"rule,omitempty" doc:"One rule that is put into the version's rules, by its name."`
	Version string    `json:"version,omitempty" maxLength:"64" doc:"draft (the default), live, or a version."`
}

// text is what it names.
func (a *api) rulesText(ctx context.Context, w Which) (string, error) {
	text := w.Text
	if text == "" {
		r, err := a.deps.Segments.Text(ctx, w.Version)
		if err != nil {
			return "", err
		}
		text = r.Text
	}
	if w.Rule == nil {
		return text, nil
	}
	rules, err := segment.ParseRules([]byte(text))
	if err != nil {
		return "", &segments.Invalid{Err: err}
	}
	one, err := w.Rule.rule(w.Rule.Segment)
	if err != nil {
		return "", err
	}
	rules.Segments = append(slices.DeleteFunc(rules.Segments, func(x segment.Rule) bool { return x.Segment == one.Segment }), one)
	b, err := yaml.Marshal(rules)
	return string(b), err
}

type checkRulesInput struct{ Body Which }

type checkRulesAnswer struct {
	Body struct {
		OK       bool      `json:"ok"`
		Mistakes []mistake `json:"mistakes"`
		Segments int       `json:"segments"`
		Slots    int       `json:"slots" doc:"Different aggregates; equal ones of several rules are one."`
		Bytes    int       `json:"bytes" doc:"The most that one person can take."`
	}
}

func (a *api) checkSegments(ctx context.Context, in *checkRulesInput) (*checkRulesAnswer, error) {
	out := &checkRulesAnswer{}
	out.Body.Mistakes = []mistake{}
	text, err := a.rulesText(ctx, in.Body)
	var invalid *segments.Invalid
	if err != nil && !errors.As(err, &invalid) {
		return nil, a.segmentsFail(ctx, err, "body.version")
	}
	if err == nil {
		_, set, wrong := a.deps.Segments.Check(text)
		if err = wrong; err == nil {
			out.Body.OK, out.Body.Segments, out.Body.Slots, out.Body.Bytes = true, len(set.Rules()), set.Slots(), set.WorstCase()
			return out, nil
		}
	}
	out.Body.Mistakes = mistakesOf(err)
	return out, nil
}

type previewInput struct {
	Body struct {
		Which
		Segment string `json:"segment,omitempty" maxLength:"64" doc:"Sample only people who would be in it."`
		Sample  int    `json:"sample,omitempty" minimum:"0" maximum:"100" default:"5"`
	}
}

type previewAnswer struct{ Body segments.Preview }

func (a *api) previewSegments(ctx context.Context, in *previewInput) (*previewAnswer, error) {
	text, err := a.rulesText(ctx, in.Body.Which)
	if err != nil {
		return nil, a.segmentsFail(ctx, err, "body")
	}
	p, err := a.deps.Segments.Preview(ctx, text, in.Body.Segment, in.Body.Sample)
	if err != nil {
		return nil, a.segmentsFail(ctx, err, "body")
	}
	return &previewAnswer{p}, nil
}

type diffInput struct {
	Body struct {
		Which
		Sample int `json:"sample,omitempty" minimum:"0" maximum:"1000" default:"10" doc:"People to name for each segment."`
	}
}

type diffAnswer struct{ Body segments.Diff }

func (a *api) diffSegments(ctx context.Context, in *diffInput) (*diffAnswer, error) {
	text, err := a.rulesText(ctx, in.Body.Which)
	if err != nil {
		return nil, a.segmentsFail(ctx, err, "body")
	}
	d, err := a.deps.Segments.Diff(ctx, text, in.Body.Sample)
	if err != nil {
		return nil, a.segmentsFail(ctx, err, "body")
	}
	return &diffAnswer{d}, nil
}

type backtestInput struct {
	Body struct {
		Which
		Days int `json:"days,omitempty" minimum:"1" maximum:"366" default:"30"`
	}
}

func (a *api) backtestSegments(ctx context.Context, in *backtestInput) (*jobAnswer, error) {
	text, err := a.rulesText(ctx, in.Body.Which)
	if err != nil {
		return nil, a.segmentsFail(ctx, err, "body")
	}
	j, err := a.deps.Segments.StartBacktest(ctx, text, in.Body.Days)
	if err != nil {
		return nil, a.segmentsFail(ctx, err, "body")
	}
	return &jobAnswer{j}, nil
}

type publishInput struct {
	Caller
	Body struct {
		Version  string `json:"version,omitempty" maxLength:"64" doc:"Without it the draft. One that was live is repeated as a new version."`
		Backfill *bool  `json:"backfill,omitempty" doc:"Whether new aggregates get what was before, from the log; true unless said otherwise."`
	}
}

type ruleSetAnswer struct{ Body data.RuleSet }

func (a *api) publishSegments(ctx context.Context, in *publishInput) (*ruleSetAnswer, error) {
	r, err := a.deps.Segments.Publish(ctx, in.Body.Version, in.name, in.Body.Backfill == nil || *in.Body.Backfill)
	if err != nil {
		return nil, a.segmentsFail(ctx, err, "body.version")
	}
	return &ruleSetAnswer{r}, nil
}

func (a *api) rollbackSegments(ctx context.Context, in *callerInput) (*ruleSetAnswer, error) {
	r, err := a.deps.Segments.Rollback(ctx, in.name, true)
	if err != nil {
		return nil, a.segmentsFail(ctx, err, "path")
	}
	return &ruleSetAnswer{r}, nil
}

type historyAnswer struct {
	Body struct {
		Versions []data.RuleSet `json:"versions"`
	}
}

type historyQuery struct {
	Limit  int   `query:"limit" minimum:"1" maximum:"1000" default:"100"`
	Before int64 `query:"before" minimum:"0" doc:"The seq of the last version of the page before."`
}

func (a *api) segmentsHistory(ctx context.Context, in *historyQuery) (*historyAnswer, error) {
	all, err := a.deps.Segments.History(ctx, in.Before, in.Limit)
	if err != nil {
		return nil, a.segmentsFail(ctx, err, "query.before")
	}
	out := &historyAnswer{}
	if out.Body.Versions = all; all == nil {
		out.Body.Versions = []data.RuleSet{}
	}
	return out, nil
}
