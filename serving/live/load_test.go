package live

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"kindred/data"
)

func TestAServerThatCannotLoadTheCurrentModelStartsWithTheFormer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, l := newHouse()
		for i := range 150 { // refused ones, published since
			h.former = append(h.former, data.Model{Version: fmt.Sprintf("r-%d", i), Status: data.ModelRefused})
		}
		h.former = append(h.former, data.Model{Version: "m-1", Status: data.ModelPrevious}, data.Model{Version: "m-0", Status: data.ModelRetired})
		h.artifacts["m-1"], h.artifacts["m-0"] = "good", "good"
		h.promote("m-2", "corrupt")
		if err := l.Poll(t.Context()); err == nil {
			t.Error("Poll does not say that the current model is broken")
		}
		if s := l.Status(); s.Version != "m-1" || s.Wanted != "m-2" || !strings.Contains(s.Failure, "load model m-2") {
			t.Errorf("status = %+v, want m-1 serving and why m-2 does not", s)
		}
		if !slices.Equal(h.published, []string{"m-1"}) {
			t.Errorf("marked %v, want m-1", h.published)
		}
		before := l.Load()
		time.Sleep(l.cfg.Retry)
		if err := l.Poll(t.Context()); err == nil || l.Load() != before {
			t.Errorf("a second try: %v, the former model was loaded again: %v", err, l.Load() != before)
		}
		h.promote("m-2", "good") // repaired
		time.Sleep(l.cfg.Retry)
		if err := l.Poll(t.Context()); err != nil || l.Status().Version != "m-2" || l.Status().Wanted != "" {
			t.Errorf("after the repair: %v, %+v", err, l.Status())
		}
	})
}

func TestAServerWithoutAFormerModelStartsWithNone(t *testing.T) {
	for _, former := range [][]data.Model{nil, {{Version: "m-1", Status: data.ModelPrevious}}, {{Version: "m-0", Status: data.ModelRetired}}} {
		h, l := newHouse()
		h.former, h.artifacts["m-1"], h.artifacts["m-0"] = former, "corrupt", "good"
		h.promote("m-2", "corrupt")
		if err := l.Poll(t.Context()); err == nil || l.Load().Version != NoModel || !strings.Contains(l.Status().Failure, "m-2") {
			t.Errorf("former %v: %v, serving %s, failure %q", former, err, l.Load().Version, l.Status().Failure)
		}
	}
}
