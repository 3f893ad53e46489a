package expr

import (
	"fmt"
	"sort"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
)

// Value is a CEL value.
type Value = ref.Val

// Type is a type that variables, functions and results are declared with.
type Type uint8

// The types. Dyn is any: what it holds is only known when it is there.
const (
	Dyn Type = iota
	Bool
	Int
	Double
	String
	Timestamp
	Duration
	Map    // string to Dyn
	List   // of Dyn
	Events // a set of a person's events, which only functions take and give
)

var typeNames = [...]string{"any value", "bool", "int", "double", "string", "timestamp", "duration", "map", "list", "events"}

// String is the type's name in messages.
func (t Type) String() string { return typeNames[t] }

func (t Type) cel() *cel.Type {
	switch t {
	case Bool:
		return cel.BoolType
	case Int:
		return cel.IntType
	case Double:
		return cel.DoubleType
	case String:
		return cel.StringType
	case Timestamp:
		return cel.TimestampType
	case Duration:
		return cel.DurationType
	case Map:
		return cel.MapType(cel.StringType, cel.DynType)
	case List:
		return cel.ListType(cel.DynType)
	case Events:
		return events
	}
	return cel.DynType
}

var events = cel.OpaqueType("events")

// Var is a name that expressions may read, perhaps with dots: event.name.
type Var struct {
	Name string
	Type Type
}

// Func is a function that expressions may call. It must be pure; Call is given as many
// values as there are Args, of those types, and returns a failure as an Err value (Errorf).
// Without a Call only a Tree can be made of expressions that use it.
type Func struct {
	Name   string
	Member bool // called as arg0.Name(arg1, …)
	Args   []Type
	Result Type
	Call   func(args ...Value) Value
}

// Limits bound what an expression may be and cost.
type Limits struct {
	MaxBytes      int    // of the text
	MaxNodes      int    // of its syntax tree
	MaxDepth      int    // of nested expressions
	MaxInputBytes uint64 // of all that an expression reads; larger inputs must be kept out by the caller
	MaxCost       uint64 // in CEL's units, about one a visited node or element or ten compared bytes
}

// DefaultLimits are for one tracking call of at most 32 kB: loops over it are fine, loops in loops are not.
func DefaultLimits() Limits {
	return Limits{MaxBytes: 4096, MaxNodes: 1000, MaxDepth: 50, MaxInputBytes: 32 << 10, MaxCost: 5_000_000}
}

// Env is what expressions of one kind may use. It is safe for concurrent use.
type Env struct {
	env    *cel.Env
	limits Limits
	names  []string // all variables and functions, sorted
}

// New declares an environment. The error is a mistake in the declarations.
func New(limits Limits, vars []Var, funcs []Func) (*Env, error) {
	options := []cel.EnvOption{
		cel.OptionalTypes(), ext.Strings(ext.StringsVersion(4)),
		cel.CrossTypeNumericComparisons(true), cel.DefaultUTCTimeZone(true),
		cel.ParserExpressionSizeLimit(limits.MaxBytes), cel.ParserRecursionLimit(limits.MaxDepth),
		cel.ExpressionNodeLimit(limits.MaxNodes), cel.ExpressionNestingDepthLimit(2 * limits.MaxDepth),
		cel.ASTValidators(cel.ValidateRegexLiterals(), cel.ValidateDurationLiterals(), cel.ValidateTimestampLiterals(),
			cel.ValidateComprehensionNestingLimit(2)),
	}
	e := &Env{limits: limits}
	for _, v := range vars {
		options = append(options, cel.Variable(v.Name, v.Type.cel()))
		e.names = append(e.names, v.Name)
	}
	overloads := map[string][]cel.FunctionOpt{}
	for _, f := range funcs {
		args := make([]*cel.Type, len(f.Args))
		id := f.Name
		for i, a := range f.Args {
			args[i] = a.cel()
			id += "_" + strings.ReplaceAll(a.String(), " ", "_")
		}
		declare := cel.Overload
		if f.Member {
			declare = cel.MemberOverload
		}
		var bind []cel.OverloadOpt
		if f.Call != nil {
			bind = append(bind, cel.FunctionBinding(f.Call))
		}
		overloads[f.Name] = append(overloads[f.Name], declare(id, args, f.Result.cel(), bind...))
	}
	for name, list := range overloads {
		options = append(options, cel.Function(name, list...))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("declare the expression environment: %w", err)
	}
	e.env = env
	for name := range env.Functions() {
		if name != "" && (name[0] >= 'a' && name[0] <= 'z' || name[0] >= 'A' && name[0] <= 'Z') { // not operators
			e.names = append(e.names, name)
		}
	}
	for _, m := range env.Macros() {
		e.names = append(e.names, m.Function())
	}
	sort.Strings(e.names)
	return e, nil
}
