package expr

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/cost"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/interpreter"
)

// Program is a compiled expression, safe for concurrent use.
type Program struct {
	source  string
	program cel.Program
	cost    uint64
	loops   bool
}

// Compile checks source against the environment and the wanted type; Dyn wants any.
// What only shows when it runs (a field that holds something else) is checked then.
// The error is an *Error.
func (e *Env) Compile(source string, want Type) (*Program, error) {
	checked, err := e.check(source, want)
	if err != nil {
		return nil, err
	}
	estimate, err := e.env.EstimateCost(checked, sizes{e.limits.MaxInputBytes})
	if err != nil {
		return nil, &Error{Source: source, Message: "its cost cannot be estimated: " + err.Error()}
	}
	if estimate.Max > e.limits.MaxCost {
		return nil, &Error{Source: source, Message: fmt.Sprintf("may cost %d units on an input of %d bytes; at most %d are allowed: use fewer loops inside loops, or test a size first", estimate.Max, e.limits.MaxInputBytes, e.limits.MaxCost)}
	}
	p := &Program{source: source, cost: estimate.Max, loops: loops(checked.NativeRep().Expr())}
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if p.loops {
		options = append(options, cel.CostLimit(e.limits.MaxCost))
	}
	if p.program, err = e.env.Program(checked, options...); err != nil {
		return nil, &Error{Source: source, Message: firstLine(err.Error())}
	}
	return p, nil
}

// check parses source and checks its types.
func (e *Env) check(source string, want Type) (*cel.Ast, error) {
	if len(source) > e.limits.MaxBytes {
		return nil, &Error{Source: source, Message: fmt.Sprintf("%d bytes; an expression may have at most %d", len(source), e.limits.MaxBytes)}
	}
	if !utf8.ValidString(source) {
		return nil, &Error{Source: source, Message: "the expression is not UTF-8"}
	}
	checked, issues := e.env.Compile(source)
	if issues != nil && issues.Err() != nil {
		return nil, e.refusal(source, issues)
	}
	if got := checked.OutputType(); want != Dyn && got.Kind() != types.DynKind && !got.IsAssignableType(want.cel()) && !want.cel().IsAssignableType(got) {
		return nil, &Error{Source: source, Line: 1, Column: 1, Message: fmt.Sprintf("gives %s, but %s is wanted here", cel.FormatCELType(got), want)}
	}
	return checked, nil
}

// sizes bounds what expressions read: nothing in an input is larger than the input.
type sizes struct{ max uint64 }

func (s sizes) EstimateSize(n cost.AstNode) *cost.SizeEstimate {
	if n.ComputedSize() != nil {
		return nil
	}
	return &cost.SizeEstimate{Max: s.max}
}

func (sizes) EstimateCallCost(string, string, *cost.AstNode, []cost.AstNode) *cost.CallEstimate {
	return nil
}

// loops reports whether the expression has a comprehension.
func loops(root ast.Expr) (found bool) {
	ast.PreOrderVisit(root, ast.NewExprVisitor(func(e ast.Expr) {
		found = found || e.Kind() == ast.ComprehensionKind
	}))
	return found
}

// Source is the expression's text.
func (p *Program) Source() string { return p.source }

// Cost is the static bound of one evaluation.
func (p *Program) Cost() uint64 { return p.cost }

// Activation gives the values of the declared variables.
type Activation = interpreter.Activation

// Vars is an activation over a map.
func Vars(m map[string]any) Activation {
	a, err := interpreter.NewActivation(m)
	if err != nil { // only other types than maps are refused
		return cel.NoVars()
	}
	return a
}

// Eval gives the expression's value. The error says what was missing or of another
// type than the expression takes, or that the cost limit was reached.
func (p *Program) Eval(vars Activation) (Value, error) {
	v, _, err := p.program.Eval(vars)
	if err != nil {
		return nil, err
	}
	return v, nil
}

// ErrType is the error of an evaluation whose value is not of the wanted type.
var ErrType = errors.New("the value is of another type than wanted")

// Bool evaluates a condition.
func (p *Program) Bool(vars Activation) (bool, error) {
	v, err := p.Eval(vars)
	if err != nil {
		return false, err
	}
	b, ok := v.(types.Bool)
	if !ok {
		return false, fmt.Errorf("%w: %s, not bool", ErrType, v.Type().TypeName())
	}
	return bool(b), nil
}

// Text evaluates an expression that gives a string.
func (p *Program) Text(vars Activation) (string, error) {
	v, err := p.Eval(vars)
	if err != nil {
		return "", err
	}
	s, ok := v.(types.String)
	if !ok {
		return "", fmt.Errorf("%w: %s, not string", ErrType, v.Type().TypeName())
	}
	return string(s), nil
}

// Errorf is a failure as a value, for functions.
func Errorf(format string, args ...any) Value { return types.NewErr(format, args...) }
