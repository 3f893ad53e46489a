package clean

import (
	"kindred/data"
	"kindred/data/event"
	"kindred/features/expr/rawjson"
)

// derive makes what follows from an event's name, properties and context again, after
// they were changed here: it takes the event through package event as the call that a client
// would have sent. The error is its refusal.
func derive(e *data.Event) error {
	typ := e.Type
	if typ == data.Page || typ == data.Screen {
		typ = data.Track // whose name is free
	}
	b := append(make([]byte, 0, len(e.Props)+len(e.Traits)+len(e.Ctx)+256), `{"userId":"-","groupId":"-","previousId":"-","event":`...)
	b = rawjson.AppendText(b, e.Name)
	for _, part := range [...]struct {
		name string
		raw  []byte
	}{{"properties", e.Props}, {"traits", e.Traits}, {"context", e.Ctx}} {
		if len(part.raw) > 0 {
			b = append(append(append(append(b, `,"`...), part.name...), `":`...), part.raw...)
		}
	}
	c, err := event.ParseCall(append(b, '}'), typ)
	if err != nil {
		return err
	}
	again, err := c.Canonical(event.Intake{Received: e.Times.Received, NewID: func() string { return "-" }})
	if err != nil {
		return err
	}
	e.Props, e.Ctx = again.Props, again.Ctx
	if e.Type == data.Identify || e.Type == data.Group {
		e.Traits = again.Traits
	}
	// Facets that only the catalog knows are added after the stages, so nothing is lost here.
	e.Items, e.Value = again.Items, again.Value
	if again.Rec != nil {
		e.Rec = again.Rec
	}
	if again.Consent != nil {
		e.Consent = again.Consent
	}
	if again.Session != (data.SessionRef{}) {
		e.Session = again.Session
	}
	if again.IDs.Device != "" {
		e.IDs.Device = again.IDs.Device
	}
	return nil
}
