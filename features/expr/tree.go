package expr

import (
	"fmt"
	"time"

	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// NodeKind tells what a Node is.
type NodeKind uint8

// The kinds of nodes.
const (
	Const    NodeKind = iota // Value: nil, bool, int64, uint64, float64, string, []byte, time.Time or time.Duration
	Name                     // the variable called Name
	Field                    // the field called Name of Args[0]
	Has                      // whether Args[0] has the field called Name
	Call                     // Name applied to Args; of a member function, Args[0] is what it is called on
	Elements                 // the list of Args
)

// Node is one part of a checked expression. Operators are calls named as in CEL:
// "_&&_", "_>=_", "!_", "_?_:_", "@in".
type Node struct {
	Kind         NodeKind
	Name         string
	Value        any
	Args         []*Node
	Type         Type // what it gives, as far as the check knows
	Line, Column int  // 1-based, in characters
}

// Tree checks source like Compile and gives its syntax, for those that compile it
// themselves. Loops and optional values have none. The error is an *Error.
func (e *Env) Tree(source string, want Type) (*Node, error) {
	checked, err := e.check(source, want)
	if err != nil {
		return nil, err
	}
	t := tree{source: source, of: checked.NativeRep()}
	n := t.node(t.of.Expr())
	if t.err != nil {
		return nil, t.err
	}
	return n, nil
}

type tree struct {
	source string
	of     *ast.AST
	err    error
}

func (t *tree) node(e ast.Expr) *Node {
	at := t.of.SourceInfo().GetStartLocation(e.ID())
	n := &Node{Line: at.Line(), Column: at.Column() + 1, Type: typeOf(t.of.GetType(e.ID()))}
	switch e.Kind() {
	case ast.LiteralKind:
		n.Kind = Const
		switch v := e.AsLiteral().(type) {
		case types.Null:
		case types.Duration:
			n.Value = v.Duration
		case types.Timestamp:
			n.Value = v.Time
		default:
			n.Value = v.Value()
		}
	case ast.IdentKind:
		n.Kind, n.Name = Name, e.AsIdent()
	case ast.SelectKind:
		s := e.AsSelect()
		n.Kind, n.Name, n.Args = Field, s.FieldName(), []*Node{t.node(s.Operand())}
		if s.IsTestOnly() {
			n.Kind = Has
		}
	case ast.CallKind:
		c := e.AsCall()
		n.Kind, n.Name = Call, c.FunctionName()
		if c.IsMemberFunction() {
			n.Args = append(n.Args, t.node(c.Target()))
		}
		for _, a := range c.Args() {
			n.Args = append(n.Args, t.node(a))
		}
	case ast.ListKind:
		n.Kind = Elements
		for _, a := range e.AsList().Elements() {
			n.Args = append(n.Args, t.node(a))
		}
	case ast.ComprehensionKind:
		t.fail(n, "loops such as exists and all are not possible here; to look into a list, use \"x\" in list")
	default:
		t.fail(n, "maps and messages cannot be written here")
	}
	return n
}

func (t *tree) fail(n *Node, message string) {
	if t.err == nil {
		t.err = &Error{Source: t.source, Line: n.Line, Column: n.Column, Message: message}
	}
}

func typeOf(t *types.Type) Type {
	if t == nil {
		return Dyn
	}
	for _, known := range []Type{Bool, Int, Double, String, Timestamp, Duration, Events} {
		if t.IsExactType(known.cel()) {
			return known
		}
	}
	switch t.Kind() {
	case types.MapKind:
		return Map
	case types.ListKind:
		return List
	}
	return Dyn
}

// Refuse is an *Error at the node's place in source.
func (n *Node) Refuse(source, format string, args ...any) error {
	return &Error{Source: source, Line: n.Line, Column: n.Column, Message: fmt.Sprintf(format, args...)}
}

// Instant is the time that an RFC 3339 text names, as timestamp() reads it.
func Instant(text string) (time.Time, error) { return time.Parse(time.RFC3339Nano, text) }
