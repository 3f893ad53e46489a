package poll

import (
	"encoding/json"
	"net/http"
	"testing"
)

// FuzzPage gives a connector any page and any Link header: it makes calls that are
// JSON, or an error, goes to no other host, and the same page gives the same ids.
func FuzzPage(f *testing.F) {
	f.Add([]byte(`{"d":[{"id":1,"at":"2026-01-01"},{"id":"é","x":{"y":[1e400]}}],"n":"/x","c":3}`), `<https://crm.example/2>; rel="next"`)
	f.Add([]byte(`{"d":[{"id":null},[],"a",{"id":"a","id":"b"}],"n":"//evil.example/"}`), `<//evil.example>;rel=next, <`)
	f.Add([]byte("\xef\xbb\xbf"+`{"d":[],"n":"tok en"}`), `<?a="b>; rel="x\"next`)
	f.Fuzz(func(t *testing.T, body []byte, link string) {
		var ids [2]map[string]int
		for i := range ids {
			h, asked := new(house), 0
			other := &crm{HandlerFunc: func(w http.ResponseWriter, r *http.Request) {
				if asked++; r.URL.Host != "crm.example" || r.URL.Scheme != "https" {
					t.Fatalf("asked %s", r.URL)
				}
				w.Header().Set("Link", link)
				w.Write(body)
			}}
			pages := []string{"link", "body"}[i]
			p := connector(t, other, h, func(c *Config) {
				c.URL, c.Records, c.Pages, c.NextPath, c.Cursor, c.CursorPath, c.MaxPages, c.Fields.Updated = "https://crm.example/p?c={cursor}", "d", pages, "n", "body", "c", 3, "at"
			})
			p.Once(t.Context())
			for _, c := range h.calls {
				if !json.Valid(c) {
					t.Fatalf("%s", c)
				}
			}
			if ids[i] = h.ids; asked > 3 {
				t.Fatalf("%d pages", asked)
			}
		}
		for id := range ids[0] {
			if ids[1] != nil && ids[1][id] == 0 {
				t.Fatalf("id %s is another one the second time", id)
			}
		}
	})
}
