package httpapi

import (
	"errors"
	"net/http"
	"testing"

	"github.com/danielgtaylor/huma/v2"
)

func FuzzBulkLines(f *testing.F) {
	for _, seed := range []string{
		`{"id":"a","title":"A","categories":["x"],"price":1.5}`, "{\"id\":\"a\"}\n\n{\"id\":\"b\",\"attributes\":{\"k\":[1]}}", `{"id":`, `[]`, `{"id":"a"}{}`,
		`{"id":"a","published":"2026-01-01T00:00:00Z","hidden":true}`, `{"id":"a","attributes":null}`, "\x00", `{"id":"\ud800"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		lines, err := readLines(body, (*itemLine).check)
		if err != nil {
			var p *huma.ErrorModel
			if !errors.As(err, &p) || p.Status != http.StatusUnprocessableEntity || len(p.Errors) == 0 {
				t.Fatalf("refused with %v, want a problem that names a line", err)
			}
			return
		}
		for _, l := range lines {
			if l.ID == "" || l.check() != nil {
				t.Fatalf("took %+v", l)
			}
		}
	})
}
