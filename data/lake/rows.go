package lake

import (
	"bytes"
	"fmt"

	"kindred/data"
	"kindred/data/event"
)

// EventRow is one row of events: one record of the log, with the columns that
// queries ask for beside the whole event as canonical JSON.
type EventRow struct {
	Partition int32   `parquet:"partition" json:"partition"`
	Offset    int64   `parquet:"offset" json:"offset"`
	Type      string  `parquet:"type,dict" json:"type"`
	Name      string  `parquet:"name,dict" json:"name"`
	ID        string  `parquet:"id" json:"id"`
	Source    string  `parquet:"source,dict" json:"source"`
	Env       string  `parquet:"env,dict" json:"env"`
	Profile   string  `parquet:"profile,dict" json:"profile"`
	User      string  `parquet:"user,dict" json:"user"`
	Anonymous string  `parquet:"anonymous,dict" json:"anonymous"`
	Session   string  `parquet:"session,dict" json:"session"`
	Item      string  `parquet:"item,dict" json:"item"` // the first item, or ""
	Items     int32   `parquet:"items" json:"items"`    // how many items the event is about
	Value     float64 `parquet:"value" json:"value"`
	At        *Millis `parquet:"event_time,timestamp(millisecond)" json:"event_time"`
	Received  *Millis `parquet:"received,timestamp(millisecond)" json:"received"`
	Imported  bool    `parquet:"imported" json:"imported"`
	JSON      string  `parquet:"json" json:"json"` // the canonical event; "" if the record is not one
	// Raw is the record's value where JSON does not give it back byte for byte: an
	// encrypted payload, or bytes that are no event. Null otherwise.
	Raw []byte `parquet:"raw,optional" json:"raw,omitempty"`
}

// newEventRow is the row of a record, and its event: the zero event if the
// record's value is not one, which is kept all the same. Both alias the value.
func newEventRow(rec data.Record) (EventRow, data.Event) { return new(rowMaker).row(rec) }

// rowMaker makes rows of one record after the other in memory that it uses again.
type rowMaker struct {
	decoder event.Decoder
	sealed  []byte
}

// row is newEventRow. The event's slices, maps and pointers are valid until the next.
func (m *rowMaker) row(rec data.Record) (EventRow, data.Event) {
	row := EventRow{Partition: rec.Partition, Offset: rec.Offset}
	m.decoder.Reset()
	var e data.Event
	if m.decoder.Open(rec.Value, &e) != nil {
		row.Raw = rec.Value
		return row, data.Event{}
	}
	m.sealed = event.AppendSealed(m.sealed[:0], e)
	row.JSON = string(m.sealed[event.SealBytes:])
	if !bytes.Equal(m.sealed, rec.Value) {
		row.Raw = rec.Value
	}
	row.Type, row.Name, row.ID, row.Source, row.Env = string(e.Type), e.Name, e.ID, e.Source, e.Env
	row.Profile, row.User, row.Anonymous = string(e.Profile), string(e.IDs.User), string(e.IDs.Anonymous)
	row.Session, row.Value, row.Imported = e.Session.ID, e.Value, e.Imported
	row.At, row.Received = NewMillis(e.Times.Event), NewMillis(e.Times.Received)
	row.Items = int32(len(e.Items))
	if len(e.Items) > 0 {
		row.Item = string(e.Items[0].ID)
	}
	return row, e
}

// record is the inverse of newEventRow: the record byte for byte, and its event.
func (r *EventRow) record() (data.Record, data.Event, error) {
	rec := data.Record{Partition: r.Partition, Offset: r.Offset, Value: r.Raw}
	if r.JSON == "" {
		return rec, data.Event{}, nil
	}
	e, err := event.Decode([]byte(r.JSON))
	if err != nil {
		return rec, data.Event{}, fmt.Errorf("record %d/%d: %w", r.Partition, r.Offset, err)
	}
	if len(rec.Value) == 0 {
		rec.Value = event.Seal(e)
	}
	return rec, e, nil
}

// InteractionRow is one row of interactions.
type InteractionRow struct {
	Partition int32   `parquet:"partition" json:"partition"`
	Offset    int64   `parquet:"offset" json:"offset"`
	ID        string  `parquet:"id" json:"id"`
	Profile   string  `parquet:"profile,dict" json:"profile"`
	User      string  `parquet:"user,dict" json:"user,omitempty"`
	Item      string  `parquet:"item,dict" json:"item"`
	Kind      string  `parquet:"kind,dict" json:"kind"`
	Value     float64 `parquet:"value" json:"value"`
	At        *Millis `parquet:"event_time,timestamp(millisecond)" json:"event_time"`
	Session   string  `parquet:"session,dict" json:"session,omitempty"`
	Request   string  `parquet:"request,dict" json:"request_id,omitempty"`
}

func newInteractionRow(i data.Interaction) InteractionRow {
	return InteractionRow{
		Partition: i.Partition, Offset: i.Offset, ID: i.ID, Profile: string(i.Profile), User: string(i.User),
		Item: string(i.Item), Kind: i.Kind.String(), Value: i.Value, At: NewMillis(i.At), Session: i.Session, Request: i.Request,
	}
}

func (r *InteractionRow) interaction() (data.Interaction, error) {
	kind, err := data.ParseKind(r.Kind)
	if err != nil {
		return data.Interaction{}, fmt.Errorf("interaction %q: %w", r.ID, err)
	}
	return data.Interaction{
		ID: r.ID, Profile: data.ProfileID(r.Profile), User: data.UserID(r.User), Item: data.ItemID(r.Item), Kind: kind,
		Value: r.Value, At: r.At.Time(), Session: r.Session, Request: r.Request, Partition: r.Partition, Offset: r.Offset,
	}, nil
}

// ImpressionRow is one row of impressions: one position of a list that was shown.
type ImpressionRow struct {
	Partition  int32   `parquet:"partition" json:"partition"`
	Offset     int64   `parquet:"offset" json:"offset"`
	Request    string  `parquet:"request,dict" json:"request_id"`
	Profile    string  `parquet:"profile,dict" json:"profile"`
	Slot       string  `parquet:"slot,dict" json:"slot,omitempty"`
	Model      string  `parquet:"model,dict" json:"model"`
	Arm        string  `parquet:"arm,dict" json:"arm,omitempty"`
	Item       string  `parquet:"item,dict" json:"item"`
	Position   int32   `parquet:"position" json:"position"`
	Score      float64 `parquet:"score" json:"score"`
	Propensity float64 `parquet:"propensity" json:"propensity"`
	At         *Millis `parquet:"event_time,timestamp(millisecond)" json:"event_time"`
}

// newImpressionRows lists what an impression event showed; none for other events.
func newImpressionRows(rec data.Record, e data.Event) []ImpressionRow {
	if e.Type != data.System || e.Name != data.SysImpression || e.Shown == nil {
		return nil
	}
	rows := make([]ImpressionRow, len(e.Shown.Items))
	for i, it := range e.Shown.Items {
		rows[i] = ImpressionRow{
			Partition: rec.Partition, Offset: rec.Offset, Request: e.Shown.Request, Profile: string(e.Profile), Slot: e.Shown.Slot,
			Model: e.Shown.Model, Arm: e.Shown.Arm, Item: string(it.Item), Position: int32(it.Position), Score: it.Score,
			Propensity: it.Propensity, At: NewMillis(e.Times.Event),
		}
	}
	return rows
}

func (r *ImpressionRow) impression() (data.Impression, error) {
	return data.Impression{
		Request: r.Request, Profile: data.ProfileID(r.Profile), Slot: r.Slot, Model: r.Model, Arm: r.Arm, Item: data.ItemID(r.Item),
		Position: int(r.Position), Score: r.Score, Propensity: r.Propensity, At: r.At.Time(), Partition: r.Partition, Offset: r.Offset,
	}, nil
}

// LinkRow is one row of links: profile From became part of To, was erased, or is
// itself again (To is From): a merge was undone.
type LinkRow struct {
	Partition int32   `parquet:"partition" json:"partition"`
	Offset    int64   `parquet:"offset" json:"offset"`
	From      string  `parquet:"from_profile" json:"from_profile"`
	To        string  `parquet:"to_profile" json:"to_profile"` // "" if erased
	At        *Millis `parquet:"log_time,timestamp(millisecond)" json:"log_time"`
}

// newLinkRow is what an absorb or delete event says about two profiles; ok is
// false for other events.
func newLinkRow(rec data.Record, e data.Event) (row LinkRow, ok bool) {
	row = LinkRow{Partition: rec.Partition, Offset: rec.Offset, At: NewMillis(e.Times.Received)}
	switch {
	case e.Type != data.System:
		return row, false
	case e.Name == data.SysAbsorb && e.Absorb != nil && e.Absorb.From == e.Profile:
		return row, false // its own state, rebuilt
	case e.Name == data.SysAbsorb && len(e.IDs.External) > 0:
		return row, false // sent on by the one that it became part of, whose log says so
	case e.Name == data.SysUnmerge && e.Absorb != nil: // told to who was merged
		row.From, row.To = string(e.Profile), string(e.Profile)
	case e.Name == data.SysAbsorb && e.Absorb != nil:
		row.From, row.To = string(e.Absorb.From), string(e.Profile)
	case e.Name == data.SysDelete:
		row.From = string(e.Profile)
	default:
		return row, false
	}
	return row, true
}

func (r *LinkRow) link() (data.Link, error) {
	return data.Link{
		From: data.ProfileID(r.From), To: data.ProfileID(r.To), At: r.At.Time(), Partition: r.Partition, Offset: r.Offset,
	}, nil
}
