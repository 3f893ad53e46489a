package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"kindred/data"
	"kindred/data/event"
)

// Records is the log and what the fold put aside of it.
type Records interface {
	Partitions() int32
	Start(partition int32) int64
	End(partition int32) int64
	Read(ctx context.Context, partition int32, from int64, max int) ([]data.Record, error)
	// Late are events that were too old to count, by partition, in order of their offsets.
	Late(ctx context.Context, partition int32, afterOffset int64, max int) ([]data.Record, error)
}

const cursorLate = "late-events"

func (a *api) lateRoutes() {
	if a.deps.Records == nil {
		return
	}
	register(a, operation{id: "list-late-events", method: http.MethodGet, path: "/v1/late-events", tag: tagDead,
		summary: "List events that were older than features.max_event_age when they came, and count nowhere", scope: ScopeAdmin}, a.listLate)
}

// lateView is a late event and where it stands in the log.
type lateView struct {
	Partition int32           `json:"partition"`
	Offset    int64           `json:"offset"`
	Event     json.RawMessage `json:"event"`
}

type lateAnswer struct {
	Body struct {
		LateEvents []lateView `json:"late_events"`
		NextCursor string     `json:"next_cursor,omitempty"`
	}
}

func (a *api) listLate(ctx context.Context, in *page) (*lateAnswer, error) {
	key, err := in.after(cursorLate)
	if err != nil {
		return nil, err
	}
	partition, after := int32(0), int64(-1)
	if key != "" {
		if n, err := fmt.Sscanf(key, "%d.%d", &partition, &after); n != 2 || err != nil || partition < 0 {
			return nil, problem(http.StatusUnprocessableEntity, "validation failed", field("query.cursor", "is no cursor of this list; use next_cursor of the page before", in.Cursor))
		}
	}
	out := &lateAnswer{}
	out.Body.LateEvents = []lateView{}
	for ; partition < a.deps.Records.Partitions(); partition, after = partition+1, -1 {
		recs, err := a.deps.Records.Late(ctx, partition, after, in.Limit+1-len(out.Body.LateEvents))
		if err != nil {
			return nil, a.fail(ctx, err, "query.cursor")
		}
		for _, r := range recs {
			if len(out.Body.LateEvents) == in.Limit {
				last := out.Body.LateEvents[in.Limit-1]
				out.Body.NextCursor = cursorAfter(cursorLate, fmt.Sprintf("%d.%d", last.Partition, last.Offset))
				return out, nil
			}
			e, err := event.Open(r.Value)
			if err != nil {
				return nil, a.fail(ctx, fmt.Errorf("late event %d of partition %d: %w", r.Offset, partition, err), "query.cursor")
			}
			out.Body.LateEvents = append(out.Body.LateEvents, lateView{partition, r.Offset, event.Append(nil, e)})
		}
	}
	return out, nil
}
