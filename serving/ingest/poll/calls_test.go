package poll

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kindred/data"
	"kindred/data/event"
)

func TestARecordBecomesAnIdentifyCallThatIsAccepted(t *testing.T) {
	t.Setenv("CRM_TOKEN", "s3cret")
	updated := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)
	other := &crm{HandlerFunc: func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer s3cret" || r.Header.Get("X-Team") != "shop" {
			t.Errorf("headers %v", r.Header)
		}
		fmt.Fprintf(w, `{"data":{"people":[{"id":7,"mail":["a@b.de"],"address":{"city":"Bonn"},"at":%q,"old":1},{"id":"x"},3,{"name":"nobody"}]}}`, updated)
	}}
	h := new(house)
	p := connector(t, other, h, func(c *Config) {
		c.Records, c.Headers, c.SecretHeaders = "$.data.people", map[string]string{"X-Team": "shop"}, map[string]string{"Authorization": "Bearer ${CRM_TOKEN}"}
		c.Fields = Fields{User: "id", Updated: "at", Traits: map[string]string{"email": "mail[0]", "city": "address.city"}}
	})
	if err := p.Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := h.users(); !slices.Equal(got, []string{"7", "x"}) {
		t.Fatalf("users %v", got)
	}
	var parser event.Parser
	var e data.Event
	in := event.Intake{Space: "default", Source: "crm", Env: "prod", Received: time.Now(), MaxAge: 7 * 24 * time.Hour, NewID: func() string { return "new" }}
	if err := parser.Event(h.calls[0], "", &in, &e); err != nil {
		t.Fatal(err)
	}
	if e.Type != data.Identify || e.IDs.User != "7" || string(e.Traits) != `{"city":"Bonn","email":"a@b.de"}` || !strings.HasPrefix(e.ID, "poll-") ||
		e.Times.Event.UTC().Format(time.RFC3339) != updated {
		t.Errorf("%+v", e)
	}
	if s := p.Status(); s.Rows != 4 || s.Sent != 2 || s.Skipped != 2 || s.LastSkip == "" || s.LastSuccess.IsZero() || s.Failures != 0 {
		t.Errorf("%+v", s)
	}
}
