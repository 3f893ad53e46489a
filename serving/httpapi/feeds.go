package httpapi

import (
	"bytes"
	"encoding/json"

	"github.com/gin-gonic/gin"

	"kindred/data"
	"kindred/serving/ingest"
	"kindred/serving/ingest/door"
)

// feed takes an XML document in: records about items become the catalog's, those about users calls.
// A document that breaks off changes nothing.
func (a *api) feed(c *gin.Context) {
	name := c.Param("source")
	feed, ok := a.deps.Doors.Feed(name)
	if !ok {
		a.nobody(c, "feeds")
		return
	}
	r := arrival{Name: door.Name{Door: door.DoorFeed, Source: name}, limits: a.deps.Doors.Limits(), scope: ScopeIngest}
	if feed.Rows == door.RowsItems {
		r.scope = ScopeAdmin
		r.limits.Bytes = int(a.cfg.MaxBulkBytes)
	}
	var changes []door.ItemChange
	r.parse = func(b []byte) (body ingest.Body, err error) {
		document := door.Fingerprint(b)
		err = door.XML(bytes.NewReader(b), feed.Feed, r.limits, func(record json.RawMessage) error {
			call, it, err := record, data.Item{}, error(nil)
			if feed.Rows == door.RowsUsers {
				call, err = feed.Identify(record, document)
			} else {
				it, err = itemOf(record)
			}
			switch {
			case err != nil:
				body.Unread = append(body.Unread, ingest.Unread{Raw: record, Reason: "XML: " + err.Error()})
			case feed.Rows == door.RowsUsers:
				body.Calls = append(body.Calls, call)
			default:
				changes = append(changes, door.ItemChange{Item: it})
			}
			return nil
		})
		return body, err
	}
	r.then = func() error { return a.changeItems(c, changes) }
	a.arrive(c, r)
}

// itemOf is the item of a feed's record; fields that items do not have are refused, as on
// the item's own routes.
func itemOf(record json.RawMessage) (data.Item, error) {
	l, bad := readLine[itemLine](record)
	if bad == nil {
		bad = l.check()
	}
	return l.item(), errorOf(bad)
}

// encoded reads batches that are not JSON, by their Content-Type; nil where it is.
func (a *api) encoded(c *gin.Context) func([]byte) (ingest.Body, error) {
	switch c.ContentType() {
	case "application/x-protobuf", "application/protobuf", "application/vnd.google.protobuf":
		return func(b []byte) (ingest.Body, error) {
			batch, err := door.Protobuf(b, a.limits())
			return a.opened(c, batch), err
		}
	case "application/avro", "avro/binary", "application/vnd.apache.avro":
		return func(b []byte) (ingest.Body, error) {
			batch, err := door.Avro(c.Request.Context(), b, a.deps.Doors.Avro(), a.deps.Now(), a.limits())
			return a.opened(c, batch), err
		}
	}
	return nil
}
