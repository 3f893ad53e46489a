package changes

import (
	"fmt"
	"time"

	"kindred/data"
)

// View is a change as others read it.
type View struct {
	ID        string         `json:"id" doc:"The same whenever the change is delivered, and nobody else's: partition/offset/number."`
	Type      string         `json:"type" doc:"segment_entered, segment_exited, session_started, session_ended, cluster_changed, merged, unmerged, switched or deleted."`
	At        time.Time      `json:"at"`
	Profile   data.ProfileID `json:"profile"`
	Users     []string       `json:"user_ids,omitempty"`
	Anonymous []string       `json:"anonymous_ids,omitempty"`
	Segment   string         `json:"segment,omitempty" doc:"That was entered or left."`
	From      string         `json:"from,omitempty"`
	To        string         `json:"to,omitempty"`
	Version   string         `json:"version,omitempty" doc:"Of the rules or of the model that said so."`
}

// ID is the change's identity, partition/offset/number.
func ID(c *data.Change) string { return fmt.Sprintf("%d/%d/%d", c.Partition, c.Offset, c.K) }

// ViewOf is the change without the person's identifiers.
func ViewOf(c *data.Change) View {
	v := View{ID: ID(c), Type: c.Type, At: c.At.UTC(), Profile: c.Profile, Segment: SegmentOf(c), Version: c.Model}
	if v.Segment == "" {
		v.From, v.To = c.From, c.To
	}
	return v
}
