package crowdtest

import (
	"bytes"
	"testing"

	"kindred/data/event"
)

func TestACrowdIsAFunctionOfItsConfig(t *testing.T) {
	cfg := Shop()
	cfg.People, cfg.Items = 1000, 100
	a, b := New(cfg), New(cfg)
	first := map[string]int{}
	for range 5000 {
		x, y := a.Next(), b.Next()
		if sealed := event.Seal(x); !bytes.Equal(sealed, event.Seal(y)) {
			t.Fatalf("two crowds of one config differ:\n%s", sealed)
		} else if _, err := event.Open(sealed); err != nil {
			t.Fatal(err)
		}
		first[x.ID]++
	}
	if twice := 5000 - len(first); twice < 5 || twice > 60 {
		t.Errorf("%d of 5,000 deliveries are repeated, want about 25", twice)
	}
}
