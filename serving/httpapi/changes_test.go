package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"kindred/data"
	"kindred/features/segment"
	"kindred/serving/changes"
	"kindred/serving/notify"
)

// testRules are those of every version.
func testRules(context.Context, string) (*segment.Set, error) {
	return segment.Compile(segment.Rules{Segments: []segment.Rule{
		{Segment: "viewers", When: `events("Product Viewed").within("2h").count() > 0`},
		{Segment: "grown", When: `traits.age > 30`},
	}}, segment.Default())
}

// places forgets.
type places struct{}

func (places) LoadCursor(context.Context, string) ([]byte, error) { return nil, nil }
func (places) SaveCursor(context.Context, string, []byte) error   { return nil }

// withRules makes the test rules live.
func (h *house) withRules() {
	h.t.Helper()
	if err := h.worker.PublishRules(h.t.Context(), "r-1"); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) view(user string) {
	h.t.Helper()
	h.do("POST", "/v1/t", `{"type":"track","event":"Product Viewed","userId":"`+user+`","properties":{"product_id":"love-1"}}`).want(http.StatusOK)
}

func (h *house) age(user string, age int) {
	h.t.Helper()
	h.do("POST", "/v1/i", fmt.Sprintf(`{"type":"identify","userId":%q,"traits":{"age":%d}}`, user, age)).want(http.StatusOK)
}

type changesPage struct {
	Changes []changes.View `json:"changes"`
	Next    string         `json:"next"`
	More    bool           `json:"more"`
}

// changesFrom reads all changes behind a position.
func (h *house) changesFrom(after, query string) (all []changes.View, next string) {
	h.t.Helper()
	for next = after; ; {
		var page changesPage
		body := h.do("GET", "/v1/changes?after="+next+query, "").want(http.StatusOK).Body.String()
		if err := json.Unmarshal([]byte(body), &page); err != nil {
			h.t.Fatal(err)
		}
		all, next = append(all, page.Changes...), page.Next
		if !page.More {
			return all, next
		}
	}
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within a minute", what)
		}
	}
}

// ids are the identities of changes, sorted.
func ids(list []changes.View) (out []string) {
	for _, v := range list {
		out = append(out, v.ID)
	}
	slices.Sort(out)
	return out
}

func TestChangesArePagedWithoutGap(t *testing.T) {
	h := open(t, nil)
	h.withRules()
	for i := range 30 {
		h.view(fmt.Sprint("u", i))
	}
	var all []changes.View
	eventually(t, "30 entries", func() bool {
		all, _ = h.changesFrom("start", "&type=segment_entered&limit=1000")
		return len(all) == 30
	})
	for _, limit := range []int{1, 2, 7} {
		got, next := h.changesFrom("start", fmt.Sprint("&type=segment_entered&limit=", limit))
		if !slices.Equal(ids(got), ids(all)) {
			t.Errorf("pages of %d have %d changes, or others", limit, len(got))
		}
		if again, _ := h.changesFrom(next, ""); len(again) > 0 {
			t.Errorf("behind the last: %v", again)
		}
	}
	if got, _ := h.changesFrom("start", "&user=u7&type=segment_entered,segment_exited"); len(got) != 1 || got[0].Segment != "viewers" || got[0].Version != "r-1" {
		t.Errorf("of one user: %+v", got)
	}
	if got, _ := h.changesFrom("start", "&segment=grown"); len(got) > 0 {
		t.Errorf("of a segment without members: %+v", got)
	}
	for _, bad := range []string{"?after=x", "?after=1_2", "?after=-1_-_-_-", "?type=left", "?user=nobody", "?user=u1&profile=x", "?sauce=1", "?after=99999999999999999999_-_-_-"} {
		if r := h.do("GET", "/v1/changes"+bad, ""); r.Code != http.StatusUnprocessableEntity && r.Code != http.StatusNotFound {
			t.Errorf("%s: %d", bad, r.Code)
		}
	}
}

// TestFollowersResumeWithoutGap follows a stream that is cut off again and again.
func TestFollowersResumeWithoutGap(t *testing.T) {
	h := open(t, nil)
	server := httptest.NewServer(h.handler)
	defer server.Close()
	h.withRules()
	seen := map[string]bool{}
	last := ""
	follow := func(enough int) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/v1/segments/changes?segment=viewers", nil)
		if err != nil {
			t.Fatal(err)
		}
		if last != "" {
			r.Header.Set("Last-Event-ID", last)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/event-stream" {
			t.Fatalf("%d %s", answer.StatusCode, answer.Header.Get("Content-Type"))
		}
		lines := bufio.NewScanner(answer.Body)
		id, text := "", ""
		for enough > 0 && lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch {
			case name == "id":
				id = value
			case name == "data":
				text = value
			case name == "":
				if id != "" {
					last, id = id, ""
				}
				var v changes.View
				if err := json.Unmarshal([]byte(text), &v); err != nil {
					t.Errorf("%q: %v", text, err)
				}
				if v.ID != "" && !seen[v.ID] {
					seen[v.ID] = true
					enough--
				} else if text == "{}" && last != "" && enough == 1<<30 {
					return // only wanted its place
				}
			}
		}
	}
	follow(1 << 30)
	n := 0
	for round := range 6 {
		for range 10 {
			h.view(fmt.Sprint("u", n))
			h.age(fmt.Sprint("u", n), 40)
			n++
		}
		follow(3 + round) // and is away before the rest
	}
	follow(n - len(seen))
	want, _ := h.changesFrom("start", "&segment=viewers")
	if len(want) != n {
		t.Errorf("%d entries were published, want %d", len(want), n)
	}
	for _, v := range want {
		if !seen[v.ID] {
			t.Errorf("%s was missed", v.ID)
		}
	}
	if len(seen) != len(want) {
		t.Errorf("%d were seen of %d", len(seen), len(want))
	}
	r, err := http.Get(server.URL + "/v1/segments/changes?sauce=1")
	if err != nil || r.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("an unknown parameter: %v, %v", r.StatusCode, err)
	}
}

func TestMembersAreListedAndCounted(t *testing.T) {
	h := open(t, nil)
	h.withRules()
	for i := range 12 {
		h.view(fmt.Sprint("u", i))
		if i%3 == 0 {
			h.age(fmt.Sprint("u", i), 40)
		}
	}
	count := func(query string) string {
		return strings.TrimSpace(h.do("GET", "/v1/segments/"+query, "").want(http.StatusOK).Body.String())
	}
	eventually(t, "12 viewers, 4 of them grown", func() bool {
		return h.do("GET", "/v1/segments/grown/count", "").Code == http.StatusOK && strings.Contains(count("viewers/count"), `"count":12`) && strings.Contains(count("grown/count"), `"count":4`)
	})
	today := h.clock.Now().Format(time.DateOnly)
	for query, want := range map[string]int{"viewers/count?and=grown": 4, "viewers/count?not=grown": 8, "grown/count?or=viewers": 12, "viewers/count?day=" + today: 12, "viewers/count?day=" + h.clock.Now().AddDate(0, 0, -1).Format(time.DateOnly): 0} {
		if got := count(query); !strings.Contains(got, fmt.Sprintf(`"count":%d`, want)) {
			t.Errorf("%s: %s, want %d", query, got, want)
		}
	}
	var got []string
	for cursor := ""; ; {
		var page struct {
			Members []string `json:"members"`
			Next    string   `json:"next_cursor"`
		}
		if err := json.Unmarshal([]byte(count("viewers/members?limit=5&cursor="+cursor)), &page); err != nil {
			t.Fatal(err)
		}
		got = append(got, page.Members...)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	slices.Sort(got)
	var want []string
	for i := range 12 {
		want = append(want, string(data.NewProfileID(data.IDUser, fmt.Sprint("u", i))))
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("members are %v, want %v", got, want)
	}
	for query, want := range map[string]int{"nobody/count": 404, "viewers/count?and=nobody": 422, "viewers/count?day=yesterday": 422, "viewers/count?day=1999-01-01": 422, "viewers/members?cursor=x": 422} {
		if r := h.do("GET", "/v1/segments/"+query, ""); r.Code != want {
			t.Errorf("%s: %d, want %d", query, r.Code, want)
		}
	}
	metrics := h.do("GET", "/metrics", "").want(http.StatusOK).Body.String()
	for _, line := range []string{`kindred_segment_members{segment="grown"} 4`, `kindred_segment_changes_total{segment="viewers",type="entered"} 12`, "kindred_segment_freshness_seconds_bucket", "kindred_segment_mismatch_total 0"} {
		if !strings.Contains(metrics, line) {
			t.Errorf("the metrics lack %s", line)
		}
	}
}

func TestWebhooksAreListedAndReplayed(t *testing.T) {
	healed := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		select {
		case <-healed:
		default:
			w.WriteHeader(http.StatusUnprocessableEntity)
		}
	}))
	defer server.Close()
	h := open(t, func(o *overrides) {
		w := notify.DefaultWebhook()
		w.Name, w.URL, w.Secret, w.Segments, w.From = "crm", server.URL+"/?key=hidden", "a secret of sixteen", []string{"*"}, "start"
		o.notify = notify.Config{Every: time.Millisecond, Webhooks: []notify.Webhook{w}}
	})
	h.withRules()
	h.view("ann")
	eventually(t, "a dead letter", func() bool {
		return strings.Contains(h.do("GET", "/v1/webhooks-out", "").want(http.StatusOK).Body.String(), `"dead":1`)
	})
	if got := h.do("GET", "/v1/dead-letters?kind=webhook", "").want(http.StatusOK).Body.String(); !strings.Contains(got, "segment_entered") || strings.Contains(got, "hidden") {
		t.Errorf("dead letters: %s", got)
	}
	close(healed)
	if got := h.do("POST", "/v1/webhooks-out/crm/replay", `{}`).want(http.StatusOK).Body.String(); !strings.Contains(got, `"delivered":1`) {
		t.Errorf("replay: %s", got)
	}
	if got := h.do("GET", "/v1/dead-letters?kind=webhook", "").want(http.StatusOK).Body.String(); strings.Contains(got, "segment_entered") {
		t.Errorf("dead letters: %s", got)
	}
	if r := h.do("POST", "/v1/webhooks-out/nobody/replay", `{}`); r.Code != http.StatusNotFound {
		t.Errorf("an unknown webhook: %d", r.Code)
	}
}
