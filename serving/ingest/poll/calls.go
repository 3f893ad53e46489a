package poll

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kindred/data/event"
)

// Person is what a record says.
type Person struct {
	ID      string          // the record's own; "" is User
	User    string          // whom it is about; "" skips the record
	Updated string          // the time of its last change, as the other side writes it; may be ""
	Traits  json.RawMessage // a JSON object
}

// Mapping makes a person of a record. It is called for one record at a time and
// keeps nothing of it. An error skips the record, and is counted.
type Mapping func(record json.RawMessage) (Person, error)

// Mapping is the mapping that the fields describe.
func (f Fields) Mapping() Mapping {
	id, user, updated := mustPath(f.ID), mustPath(f.User), mustPath(f.Updated)
	traits := map[string]path{}
	for name, p := range f.Traits {
		traits[name] = mustPath(p)
	}
	return func(record json.RawMessage) (Person, error) {
		var whole map[string]json.RawMessage
		if err := json.Unmarshal(record, &whole); err != nil || whole == nil {
			return Person{}, errors.New("the record is no JSON object")
		}
		p := Person{User: user.text(record)}
		if len(id) > 0 {
			p.ID = id.text(record)
		}
		if len(updated) > 0 {
			p.Updated = updated.text(record)
		}
		if len(traits) > 0 {
			whole = map[string]json.RawMessage{}
			for name, path := range traits {
				if v := path.in(record); v != nil {
					whole[name] = v
				}
			}
		}
		var err error
		p.Traits, err = json.Marshal(whole) // sorted by name
		return p, err
	}
}

// call is the identify call of a person, and its message id.
func (p *Poller) call(person Person, now time.Time) (call json.RawMessage, id string, err error) {
	if person.User == "" {
		return nil, "", errors.New("the record names no user")
	}
	traits, err := canonical(person.Traits)
	if err != nil {
		return nil, "", fmt.Errorf("traits: %w", err)
	}
	id = messageID(p.cfg.Name, person, traits)
	c := struct {
		Type      string          `json:"type"`
		MessageID string          `json:"messageId"`
		UserID    string          `json:"userId"`
		Timestamp string          `json:"timestamp,omitempty"`
		Traits    json.RawMessage `json:"traits"`
		Context   json.RawMessage `json:"context"`
	}{"identify", id, person.User, "", traits, json.RawMessage(`{"library":{"name":"http_poll"},"channel":"server"}`)}
	if at, err := event.ParseTime(person.Updated); err == nil && !at.After(now) && now.Sub(at) <= p.cfg.MaxEventAge {
		c.Timestamp = at.UTC().Format("2006-01-02T15:04:05.000Z")
	}
	call, err = json.Marshal(c)
	return call, id, err
}

// messageID is the same for the same state of the same record, whoever reads it and when.
func messageID(connector string, p Person, traits []byte) string {
	record := p.ID
	if record == "" {
		record = p.User
	}
	h := sha256.New() // of the traits, too: times of change are often to the second
	for _, part := range []string{connector, record, p.User, p.Updated, string(traits)} {
		fmt.Fprintf(h, "%d:%s,", len(part), part)
	}
	return "poll-" + hex.EncodeToString(h.Sum(nil)[:16])
}

// canonical is an object with its names sorted and without space; {} for none.
func canonical(object json.RawMessage) (json.RawMessage, error) {
	if len(object) == 0 {
		return json.RawMessage("{}"), nil
	}
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(object))
	d.UseNumber()
	if err := d.Decode(&fields); err != nil {
		return nil, err
	}
	if fields == nil {
		return json.RawMessage("{}"), nil
	}
	return json.Marshal(fields)
}
