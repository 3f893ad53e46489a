package segment

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"kindred/features/expr"
)

// render writes a tree in the rule language, equal trees alike.
func render(n *expr.Node) string {
	var b strings.Builder
	write(&b, n)
	return b.String()
}

var infix = map[string]string{"_&&_": " && ", "_||_": " || ", "_==_": " == ", "_!=_": " != ", "_<_": " < ", "_<=_": " <= ", "_>_": " > ",
	"_>=_": " >= ", "_+_": " + ", "_-_": " - ", "_*_": " * ", "_/_": " / ", "_%_": " % ", "@in": " in "}

// free are the functions that are not called on their first argument.
var free = map[string]bool{"events": true, "followed_by": true, "not_followed_by": true, "sequence": true, "seen_recently": true, "dwell": true,
	"dwell_avg": true, "affinity": true, "score": true, "cluster": true, "cluster_confidence": true, "predict": true, "in_segment": true,
	"timestamp": true, "duration": true, "int": true, "double": true}

func write(b *strings.Builder, n *expr.Node) {
	list := func(of []*expr.Node) {
		for i, a := range of {
			if i > 0 {
				b.WriteString(", ")
			}
			write(b, a)
		}
	}
	operand := func(a *expr.Node) {
		if _, nested := infix[a.Name]; nested && a.Kind == expr.Call || a.Kind == expr.Call && a.Name == "_?_:_" {
			b.WriteByte('(')
			defer b.WriteByte(')')
		}
		write(b, a)
	}
	switch n.Kind {
	case expr.Const:
		constant(b, n.Value)
		return
	case expr.Name:
		b.WriteString(n.Name)
		return
	case expr.Field:
		operand(n.Args[0])
		b.WriteString("." + n.Name)
		return
	case expr.Has:
		b.WriteString("has(")
		operand(n.Args[0])
		b.WriteString("." + n.Name + ")")
		return
	case expr.Elements:
		b.WriteByte('[')
		list(n.Args)
		b.WriteByte(']')
		return
	}
	if sign, ok := infix[n.Name]; ok {
		for i, a := range n.Args {
			if i > 0 {
				b.WriteString(sign)
			}
			operand(a)
		}
		return
	}
	switch n.Name {
	case "!_", "-_":
		b.WriteString(n.Name[:1])
		operand(n.Args[0])
	case "_[_]":
		operand(n.Args[0])
		b.WriteByte('[')
		write(b, n.Args[1])
		b.WriteByte(']')
	case "_?_:_":
		operand(n.Args[0])
		b.WriteString(" ? ")
		operand(n.Args[1])
		b.WriteString(" : ")
		operand(n.Args[2])
	default:
		args := n.Args
		if !free[n.Name] && len(args) > 0 {
			operand(args[0])
			b.WriteByte('.')
			args = args[1:]
		}
		b.WriteString(n.Name + "(")
		list(args)
		b.WriteByte(')')
	}
}

func constant(b *strings.Builder, v any) {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case string:
		b.WriteString(strconv.Quote(v))
	case float64:
		text := strconv.FormatFloat(v, 'g', -1, 64)
		if !strings.ContainsAny(text, ".einI") {
			text += ".0"
		}
		b.WriteString(text)
	case time.Duration:
		fmt.Fprintf(b, "duration(%q)", v.String())
	case time.Time:
		fmt.Fprintf(b, "timestamp(%q)", v.Format(time.RFC3339Nano))
	default:
		fmt.Fprint(b, v)
	}
}
