package httpapi

import (
	"context"
	"encoding/json"
	"net/http"

	"kindred/data/event"
	"kindred/serving/ingest/plan"
)

const tagSchema = "Tracking plan"

// The bounds of trying a plan and of drafting one.
const (
	maxPlanBody   = 2 * plan.MaxFileBytes
	maxPlanCalls  = 1000
	maxPlanTrials = 10_000 // dead letters
)

func (a *api) schemaRoutes() {
	register(a, operation{id: "report-schema", method: http.MethodGet, path: "/v1/schema/report", tag: tagSchema,
		summary: "Tell what events arrive beside what the tracking plan says: coverage, types, violations", scope: ScopeRead, errors: []int{404}}, a.reportSchema)
	register(a, operation{id: "check-schema", method: http.MethodPost, path: "/v1/schema/check", tag: tagSchema, maxBody: maxPlanBody,
		summary: "Try a tracking plan, or the one in force, on calls or on dead letters; nothing is changed", scope: ScopeAdmin}, a.checkSchema)
	if a.deps.Records != nil {
		register(a, operation{id: "infer-schema", method: http.MethodGet, path: "/v1/schema/inferred", tag: tagSchema,
			summary: "Draft a tracking plan from the newest events of the log", scope: ScopeAdmin}, a.inferSchema)
	}
}

type schemaReport struct{ Body plan.Report }

func (a *api) reportSchema(context.Context, *struct{}) (*schemaReport, error) {
	if a.deps.Plan == nil {
		return nil, problem(http.StatusNotFound, "this server has no tracking plan; name one in ingest.plan.path", field("path", "no tracking plan", nil))
	}
	return &schemaReport{a.deps.Plan.Report()}, nil
}

type checkInput struct {
	Body struct {
		Plan        any    `json:"plan,omitempty" doc:"A plan as in its file: an object, or its YAML as a string. Without it, the one in force."`
		Calls       []any  `json:"calls,omitempty" maxItems:"1000" doc:"Tracking calls as clients send them, each with its type."`
		DeadLetters string `json:"dead_letters,omitempty" maxLength:"100" doc:"Also try the dead letters of this kind, such as plan.quarantine."`
	}
}

type checkAnswer struct {
	Body struct {
		Events  int           `json:"events" doc:"Events in the plan, each version."`
		Results []checkResult `json:"results"`
		// Of the dead letters.
		Fit    int           `json:"fit" doc:"Dead letters that the plan would let in."`
		Unfit  int           `json:"unfit" doc:"Dead letters that it would not."`
		Unfits []checkResult `json:"unfits,omitempty" doc:"The first of those."`
	}
}

type checkResult struct {
	plan.Result
	Error string `json:"error,omitempty" doc:"The call is none that could be held against a plan."`
}

func (a *api) checkSchema(ctx context.Context, in *checkInput) (*checkAnswer, error) {
	p, err := a.planOf(in.Body.Plan)
	if err != nil {
		return nil, err
	}
	out := &checkAnswer{}
	out.Body.Events, out.Body.Results = p.Size(), []checkResult{}
	try := func(call []byte) checkResult {
		r, err := p.Check(call)
		if err != nil {
			return checkResult{Error: err.Error()}
		}
		return checkResult{Result: r}
	}
	for _, call := range in.Body.Calls {
		b, err := json.Marshal(call)
		if err != nil {
			return nil, problem(http.StatusUnprocessableEntity, "validation failed", field("body.calls", err.Error(), nil))
		}
		out.Body.Results = append(out.Body.Results, try(b))
	}
	if in.Body.DeadLetters == "" || a.deps.Dead == nil {
		return out, nil
	}
	for after, n := uint64(0), 0; n < maxPlanTrials; {
		letters, err := a.deps.Dead.DeadLetters(ctx, after, 200)
		if err != nil {
			return nil, a.fail(ctx, err, "body.dead_letters")
		}
		for _, l := range letters {
			if n, after = n+1, l.Seq; l.Kind != in.Body.DeadLetters || l.Call == nil {
				continue
			}
			r := checkResult{}
			if res, err := p.CheckAs(l.Raw, l.Call.Type); err != nil {
				r.Error = err.Error()
			} else {
				r.Result = res
			}
			if r.Error == "" && r.Mode != plan.Quarantine && r.Mode != plan.Reject {
				out.Body.Fit++
			} else if out.Body.Unfit++; len(out.Body.Unfits) < 20 {
				out.Body.Unfits = append(out.Body.Unfits, r)
			}
		}
		if len(letters) < 200 {
			break
		}
	}
	return out, nil
}

// planOf is the plan that a request brings, or the one in force.
func (a *api) planOf(doc any) (*plan.Plan, error) {
	if doc == nil {
		if a.deps.Plan != nil {
			if p := a.deps.Plan.Plan(); p != nil {
				return p, nil
			}
		}
		return nil, problem(http.StatusUnprocessableEntity, "validation failed", field("body.plan", "is missing, and this server has none in force", nil))
	}
	text, isText := doc.(string)
	b := []byte(text)
	var err error
	if !isText {
		b, err = json.Marshal(doc)
	}
	var f plan.File
	if err == nil {
		f, err = plan.ParseFile(b)
	}
	var p *plan.Plan
	if err == nil {
		p, err = plan.Compile(f)
	}
	if err != nil {
		return nil, problem(http.StatusUnprocessableEntity, "this is no tracking plan: "+err.Error(), field("body.plan", err.Error(), nil))
	}
	return p, nil
}

type inferInput struct {
	Events int `query:"events" minimum:"1" maximum:"100000" default:"10000" doc:"How many of the newest records of the log to look at."`
}

type inferAnswer struct{ Body plan.File }

func (a *api) inferSchema(ctx context.Context, in *inferInput) (*inferAnswer, error) {
	f := plan.NewInferrer()
	log := a.deps.Records
	each := int64(max(1, in.Events/int(log.Partitions())))
	for p := range log.Partitions() {
		end := log.End(p)
		for from := max(log.Start(p), end-each); from < end; {
			recs, err := log.Read(ctx, p, from, int(min(end-from, 500)))
			if err != nil {
				return nil, a.fail(ctx, err, "query.events")
			}
			if len(recs) == 0 {
				break
			}
			for _, r := range recs {
				if e, err := event.Open(r.Value); err == nil { // what is none is among the dead letters
					f.Add(&e)
				}
			}
			from = recs[len(recs)-1].Offset + 1
		}
	}
	return &inferAnswer{f.Draft("draft")}, nil
}
