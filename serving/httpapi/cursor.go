package httpapi

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// Cursors are opaque to clients: the last key of a page, tied to the list it came from.
const (
	cursorItems       = "items"
	cursorUsers       = "users"
	cursorModels      = "models"
	cursorJobs        = "jobs"
	cursorEvaluations = "evaluations"
	cursorDead        = "dead-letters"
)

// page are the parameters of a list.
type page struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Entries at most."`
	Cursor string `query:"cursor" maxLength:"1024" doc:"next_cursor of the page before."`
}

// cursorAfter makes the cursor of a list after the key; empty for the last page.
func cursorAfter(list, key string) string {
	if key == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(list + "\x00" + key))
}

// after is the key that the page begins behind.
func (p page) after(list string) (string, error) {
	if p.Cursor == "" {
		return "", nil
	}
	b, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	key, ok := strings.CutPrefix(string(b), list+"\x00")
	if err != nil || !ok {
		return "", problem(http.StatusUnprocessableEntity, "validation failed", field("query.cursor", "is no cursor of this list; use next_cursor of the page before", p.Cursor))
	}
	return key, nil
}

// cut returns the first limit entries of one more than that, and the cursor for
// the rest; key names an entry.
func cut[T any](list string, entries []T, limit int, key func(T) string) ([]T, string) {
	if len(entries) <= limit {
		if entries == nil {
			entries = []T{}
		}
		return entries, ""
	}
	return entries[:limit], cursorAfter(list, key(entries[limit-1]))
}
