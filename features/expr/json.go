package expr

import (
	"fmt"
	"math"
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"kindred/features/expr/rawjson"
)

// JSON is the value that raw is, which package data/event must have checked: objects and
// arrays are read when they are asked for something. nil is null. It aliases raw.
func JSON(raw []byte) Value {
	if len(raw) == 0 {
		return types.NullValue
	}
	switch raw[0] {
	case '{':
		return object(raw)
	case '[':
		return array(raw)
	case '"':
		s, _ := rawjson.Text(raw)
		return types.String(s)
	case 't':
		return types.True
	case 'f':
		return types.False
	case 'n':
		return types.NullValue
	}
	f, ok := rawjson.Number(raw)
	if !ok {
		return types.NewErr("%q is not JSON", raw)
	}
	if math.Abs(f) > 1<<53 {
		if n, ok := whole(raw); ok {
			return types.Int(n)
		}
	}
	return types.Double(f)
}

// whole is the value of a whole number of 64 bits.
func whole(raw []byte) (n int64, ok bool) {
	minus := raw[0] == '-'
	if minus {
		raw = raw[1:]
	}
	var u uint64
	for _, c := range raw {
		if c < '0' || c > '9' || len(raw) > 19 {
			return 0, false
		}
		u = u*10 + uint64(c-'0')
	}
	if u > math.MaxInt64 {
		return 0, false
	}
	if minus {
		return -int64(u), true
	}
	return int64(u), true
}

// object is a CEL map over a JSON object.
type object []byte

var _ traits.Mapper = object(nil)

func (o object) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return nil, false
	}
	v := rawjson.Field(o, string(name))
	if v == nil {
		return nil, false
	}
	return JSON(v), true
}

func (o object) Get(key ref.Val) ref.Val {
	if v, ok := o.Find(key); ok {
		return v
	}
	return types.NewErr("no such key: %v", key)
}

func (o object) Contains(key ref.Val) ref.Val {
	name, ok := key.(types.String)
	return types.Bool(ok && rawjson.Field(o, string(name)) != nil)
}

func (o object) Size() ref.Val {
	n := 0
	for f := rawjson.Fields(o); f.Next(); {
		n++
	}
	return types.Int(n)
}

func (o object) Iterator() traits.Iterator {
	it := &objectIterator{fields: rawjson.Fields(o)}
	it.more = it.fields.Next()
	return it
}

func (o object) ConvertToNative(to reflect.Type) (any, error) { return o.plain().ConvertToNative(to) }
func (o object) ConvertToType(to ref.Type) ref.Val {
	if to == types.TypeType {
		return types.MapType
	}
	return o.plain().ConvertToType(to)
}
func (o object) Equal(other ref.Val) ref.Val { return o.plain().Equal(other) }
func (o object) Type() ref.Type              { return types.MapType }
func (o object) Value() any                  { return o.plain().Value() }

// plain is the object as CEL's own map: equality and conversions are rare.
func (o object) plain() ref.Val {
	m := map[ref.Val]ref.Val{}
	for f := rawjson.Fields(o); f.Next(); {
		m[types.String(rawjson.NameOf(f.Name))] = JSON(f.Value)
	}
	return types.NewRefValMap(types.DefaultTypeAdapter, m)
}

type objectIterator struct {
	fields rawjson.Object
	more   bool
	noValue
}

func (it *objectIterator) HasNext() ref.Val { return types.Bool(it.more) }
func (it *objectIterator) Next() ref.Val {
	if !it.more {
		return nil
	}
	name := types.String(rawjson.NameOf(it.fields.Name))
	it.more = it.fields.Next()
	return name
}

// array is a CEL list over a JSON array.
type array []byte

var _ traits.Lister = array(nil)

func (a array) Get(index ref.Val) ref.Val {
	i, err := types.GetOrError(index)
	if err != nil {
		return types.WrapErr(err)
	}
	for e := rawjson.Elements(a); i >= 0 && e.Next(); i-- {
		if i == 0 {
			return JSON(e.Value)
		}
	}
	return types.NewErr("index out of bounds: %v", index)
}

func (a array) Contains(v ref.Val) ref.Val {
	for e := rawjson.Elements(a); e.Next(); {
		if JSON(e.Value).Equal(v) == types.True {
			return types.True
		}
	}
	return types.False
}

func (a array) Size() ref.Val {
	n := 0
	for e := rawjson.Elements(a); e.Next(); {
		n++
	}
	return types.Int(n)
}

func (a array) Add(other ref.Val) ref.Val { return a.plain().(traits.Adder).Add(other) }

func (a array) Iterator() traits.Iterator {
	it := &arrayIterator{elements: rawjson.Elements(a)}
	it.more = it.elements.Next()
	return it
}

func (a array) ConvertToNative(to reflect.Type) (any, error) { return a.plain().ConvertToNative(to) }
func (a array) ConvertToType(to ref.Type) ref.Val {
	if to == types.TypeType {
		return types.ListType
	}
	return a.plain().ConvertToType(to)
}
func (a array) Equal(other ref.Val) ref.Val { return a.plain().Equal(other) }
func (a array) Type() ref.Type              { return types.ListType }
func (a array) Value() any                  { return a.plain().Value() }

func (a array) plain() ref.Val {
	list := []ref.Val{}
	for e := rawjson.Elements(a); e.Next(); {
		list = append(list, JSON(e.Value))
	}
	return types.NewRefValList(types.DefaultTypeAdapter, list)
}

type arrayIterator struct {
	elements rawjson.Array
	more     bool
	noValue
}

func (it *arrayIterator) HasNext() ref.Val { return types.Bool(it.more) }
func (it *arrayIterator) Next() ref.Val {
	if !it.more {
		return nil
	}
	v := JSON(it.elements.Value)
	it.more = it.elements.Next()
	return v
}

// noValue is the part of ref.Val that iterators have to have and nobody asks for.
type noValue struct{}

func (noValue) ConvertToNative(t reflect.Type) (any, error) {
	return nil, fmt.Errorf("an iterator is no %v", t)
}
func (noValue) ConvertToType(ref.Type) ref.Val { return types.NewErr("an iterator has no other type") }
func (noValue) Equal(ref.Val) ref.Val          { return types.False }
func (noValue) Type() ref.Type                 { return types.IteratorType }
func (noValue) Value() any                     { return nil }
