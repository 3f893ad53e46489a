package event

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"kindred/data"
)

// Intake is what the server knows about a tracking call and the client does not say.
type Intake struct {
	Space  string
	Source string // the write key's name
	Env    string
	// Received is the server's clock when the call arrived. Required.
	Received time.Time
	// SentAt is the batch's; a call's own wins.
	SentAt time.Time
	// MaxAge is the age above which an event is marked late; 0 marks none.
	MaxAge time.Duration
	// BatchContext is the batch's context object or nil: its fields are added
	// where the call's own context lacks them. What is not such an object, or is
	// larger than MaxCallBytes, adds nothing.
	BatchContext json.RawMessage
	// NewID names a message that came without an id and without a time. Required.
	NewID func() string
}

// Canonical makes the event of the call; Profile stays empty for the caller to route.
//
// Time is corrected for the client's clock (specification: received − (sent −
// original), never after received): see clock. A call without a messageId is named
// by a hash of its bytes when it has a time of its own, so that a retry is a
// duplicate, and by Intake.NewID otherwise. Items come from properties.products,
// else from properties.product_id or its like; facets from their category, brand
// and tags; Value from revenue or total of an order and rating of a rating;
// Rec from context.rec or properties.rec. Fields of the call that neither we nor
// the specification know, and traits on calls that have none, are kept, together, as
// Extra["call"].
//
// The error is a *DecodeError: no type, no userId or anonymousId, a track call
// without event, a group call without groupId, a broken rec, a price, quantity,
// revenue or rating beyond MaxNumber.
func (c Call) Canonical(in Intake) (data.Event, error) {
	if err := c.validate(); err != nil {
		return data.Event{}, err
	}
	e := data.Event{
		V: data.EventVersion, ID: c.MessageID, Source: in.Source, Space: data.Space(in.Space), Env: in.Env,
		Type: c.Type, Name: c.eventName(), Props: c.Properties,
		IDs: data.IDs{User: data.UserID(c.UserID), Anonymous: data.AnonymousID(c.AnonymousID), Group: c.GroupID},
	}
	if c.hasTraits() {
		e.Traits = c.Traits
	}
	if c.PreviousID != "" {
		e.IDs.External = append(e.IDs.External, data.ExternalID{Type: "previous", ID: c.PreviousID})
	}
	if c.Type == data.Page || c.Type == data.Screen {
		e.Props = withText(e.Props, "name", c.Name)
		e.Props = withText(e.Props, "category", c.Category)
	}
	if e.ID == "" {
		if e.ID = c.hash; c.Timestamp.IsZero() {
			e.ID = in.NewID()
		}
	}
	var err error
	if e.Times, err = clock(c.Timestamp, c.SentAt, &in); err != nil {
		return data.Event{}, err
	}
	ctx := c.Context
	if len(in.BatchContext) <= MaxCallBytes {
		ctx = mergeObjects(ctx, in.BatchContext)
	}
	if err := readContext(&e, ctx); err != nil {
		return data.Event{}, err
	}
	if err := readProperties(&e); err != nil {
		return data.Event{}, err
	}
	e.Extra = c.extra()
	return e, nil
}

// validate checks the specification's rules.
func (c Call) validate() error {
	blank := func(s string) bool { return strings.TrimSpace(s) == "" }
	switch c.Type {
	case "":
		return refuse("type", "is missing; use track, identify, page, screen, group or alias")
	case data.System:
		return refuse("type", "system events are written by the server only")
	case data.Track:
		if blank(c.Event) {
			return refuse("event", "is missing or empty; a track call needs the name of the event")
		}
	case data.Group:
		if blank(c.GroupID) {
			return refuse("groupId", "is missing or empty; a group call needs it")
		}
	case data.Alias:
		if blank(c.PreviousID) {
			return refuse("previousId", "is missing or empty; an alias call needs it")
		}
	case data.Identify, data.Page, data.Screen:
	default:
		return refuse("type", "%q is no event type; use track, identify, page, screen, group or alias", clip(string(c.Type)))
	}
	if blank(c.UserID) && blank(c.AnonymousID) {
		return refuse("userId", "is missing or empty, and so is anonymousId; a call needs one of them")
	}
	return nil
}

// eventName is the canonical name.
func (c Call) eventName() string {
	switch c.Type {
	case data.Track:
		return c.Event
	case data.Page:
		return "Page Viewed"
	case data.Screen:
		return "Screen Viewed"
	}
	return ""
}

// clock corrects the client's time: with both stamps of the client's clock its
// error cancels out, event = received − (sent − original); with the original alone
// there is nothing to correct by; with neither, now. Never after received. The
// arguments are the call's own stamps, zero where it has none.
func clock(original, sent time.Time, in *Intake) (data.Times, error) {
	t := data.Times{Received: time.UnixMilli(in.Received.UnixMilli()).UTC(), Original: original, Sent: sent}
	if t.Sent.IsZero() {
		t.Sent = in.SentAt
		if !t.Sent.IsZero() {
			t.Sent = time.UnixMilli(t.Sent.UnixMilli()).UTC()
		}
	}
	if !t.Sent.IsZero() {
		t.SkewMS = t.Sent.UnixMilli() - t.Received.UnixMilli()
	}
	switch {
	case t.Original.IsZero():
		t.Event = t.Received
	case t.Sent.IsZero():
		t.Event = t.Original
	default:
		t.Event = time.UnixMilli(t.Received.UnixMilli() - (t.Sent.UnixMilli() - t.Original.UnixMilli())).UTC()
	}
	if t.Event.After(t.Received) {
		t.Event, t.Clamped = t.Received, true
	}
	if t.Event.UnixMilli() < 0 {
		return t, refuse("timestamp", "%s, sent at %s, means a time before 1970", t.Original.Format(time.RFC3339), t.Sent.Format(time.RFC3339))
	}
	t.Late = in.MaxAge > 0 && t.Received.Sub(t.Event) > in.MaxAge
	return t, nil
}

// hasTraits reports whether traits belong to calls of this type.
func (c Call) hasTraits() bool { return c.Type == data.Identify || c.Type == data.Group }

// extra keeps what the call carried and the canonical event has no place for.
func (c Call) extra() map[string]json.RawMessage {
	rest := c.rest
	if !c.hasTraits() && len(c.Traits) > 0 {
		rest = append(rest[:len(rest):len(rest)], [2][]byte{[]byte(`"traits"`), c.Traits})
	}
	if len(rest) == 0 {
		return nil
	}
	b := []byte{'{'}
	for i, f := range rest {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, f[0]...), ':'), f[1]...)
	}
	return map[string]json.RawMessage{"call": append(b, '}')}
}

// shortHash is the first 128 bits of SHA-256 in hexadecimal.
func shortHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16])
}
