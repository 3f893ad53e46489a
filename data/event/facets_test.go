package event

import (
	"strings"
	"testing"

	"kindred/data"
)

func TestAFacetsValueIsCutBetweenRunes(t *testing.T) {
	a, long := "a"+strings.Repeat("é", 127), strings.Repeat("é", MaxFacetBytes)
	for _, c := range []struct{ name, tags, want string }{
		{"short", `["x","y"]`, "x y"},
		{"as long as may be", `["` + long[:MaxFacetBytes] + `"]`, long[:MaxFacetBytes]},
		{"too long", `["` + long + `"]`, long[:MaxFacetBytes]},
		{"a rune in the way", `["a` + long + `"]`, a},
		{"the same when cut", `["a` + long + `","a` + long + `é"]`, a},
		{"a space at the cut", `["` + strings.Repeat("b", MaxFacetBytes-1) + ` c"]`, strings.Repeat("b", MaxFacetBytes-1)},
	} {
		t.Run(c.name, func(t *testing.T) {
			call, err := ParseCall([]byte(`{"type":"track","event":"Product Viewed","anonymousId":"a","properties":{"sku":"s","tags":`+c.tags+`}}`), data.Track)
			if err != nil {
				t.Fatal(err)
			}
			e, err := call.Canonical(intake())
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(e.Items[0].Facets["tag"], " "); got != c.want {
				t.Errorf("tags %q, want %q", got, c.want)
			}
		})
	}
}
