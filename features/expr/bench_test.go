package expr_test

import (
	"testing"

	"kindred/features/expr"
)

func BenchmarkEval(b *testing.B) {
	env := environment(b)
	for _, bm := range []struct{ name, source string }{
		{"name", `event.name == "Product Viewed"`},
		{"field", `properties.price > 59.0`},
		{"nested", `event.properties.nested.deep.x > 1.0 && event.name == "Product Viewed"`},
		{"missing", `properties.missing > 1.0 || event.name == "Product Viewed"`},
		{"loop", `properties.list.exists(x, x.q > 2.0)`},
		{"text", `properties.name.lowerAscii() == "lamp"`},
	} {
		p, err := env.Compile(bm.source, expr.Bool)
		if err != nil {
			b.Fatal(err)
		}
		v := vars()
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := p.Bool(v); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
	b.Run("compile", func(b *testing.B) {
		for b.Loop() {
			if _, err := env.Compile(`event.name == "Product Viewed" && properties.price > 59.0`, expr.Bool); err != nil {
				b.Fatal(err)
			}
		}
	})
}
