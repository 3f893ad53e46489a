package segment

import (
	"sync"

	"kindred/features/expr"
)

// language is what rules may say. Everything is a declaration only: rules run on the
// package's own evaluator, which works on slots.
var language = sync.OnceValues(func() (*expr.Env, error) {
	limits := expr.DefaultLimits()
	vars := []expr.Var{{Name: "event", Type: expr.Map}, {Name: "traits", Type: expr.Map}, {Name: "device", Type: expr.Map}, {Name: "geo", Type: expr.Map},
		{Name: "sessions", Type: expr.Map}, {Name: "consent", Type: expr.Map}, {Name: "now", Type: expr.Timestamp}}
	return expr.New(limits, vars, functions())
})

func functions() []expr.Func {
	const events, text = expr.Events, expr.String
	var out []expr.Func
	free := func(name string, result expr.Type, args ...expr.Type) {
		out = append(out, expr.Func{Name: name, Args: args, Result: result})
	}
	of := func(name string, result expr.Type, args ...expr.Type) {
		out = append(out, expr.Func{Name: name, Member: true, Args: append([]expr.Type{events}, args...), Result: result})
	}
	free("events", events, text)
	free("events", events)
	of("where", events, expr.Bool)
	of("within", events, text)
	of("between", events, text, text)
	of("in_session", events)
	of("ever", events)
	of("count", expr.Int)
	of("distinct", expr.Int, text)
	for _, name := range []string{"sum", "avg", "min", "max"} {
		of(name, expr.Double, text)
	}
	of("first", expr.Dyn, text)
	of("last", expr.Dyn, text)
	of("last_at", expr.Timestamp)
	of("decayed", expr.Double, text)
	free("followed_by", expr.Bool, events, events, text)
	free("not_followed_by", expr.Bool, events, events, text)
	free("sequence", expr.Bool, expr.List, text)
	free("seen_recently", expr.Bool, events, text)
	free("dwell", expr.Duration, text)
	free("dwell_avg", expr.Duration, text, text)
	free("affinity", expr.Double, text, text)
	for _, name := range []string{"score", "cluster_confidence", "predict"} {
		free(name, expr.Double, text)
	}
	free("cluster", expr.Int, text)
	free("in_segment", expr.Bool, text)
	return out
}
