package door

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"time"

	"github.com/hamba/avro/v2"
)

// Avro reads one datum, a call or a record with a list of them in batch, in Confluent's wire
// format (a zero, the schema's id, the datum) or in the single-object encoding (C3 01, the schema's
// fingerprint, the datum). Fields have the names of a call's; properties, traits and context may be records,
// maps, or strings that hold JSON. The error is a *RegistryError where the sender should
// try again.
func Avro(ctx context.Context, body []byte, r *Registry, now time.Time, l Limits) (Batch, error) {
	c := newCollector("Avro", l)
	doc, err := AvroJSON(ctx, body, r, now, l)
	if err != nil {
		return Batch{}, err
	}
	o, err := fieldsOf(doc)
	if err != nil {
		return Batch{}, refuse(c.door, "the datum %v", err)
	}
	if batch := listOf(o.get("batch")); batch != nil && o.get("type") == nil {
		for i, raw := range batch {
			if call, err := fieldsOf(raw); err == nil {
				batch[i] = unpacked(call)
			}
		}
		o.set("batch", list(batch...))
		doc = o.bytes()
	} else {
		doc = unpacked(o)
	}
	err = c.document(doc)
	return c.Batch, err
}

// unpacked is a call whose objects may have been strings.
func unpacked(call *object) json.RawMessage {
	for _, name := range []string{"properties", "traits", "context"} {
		text := textOf(call.get(name))
		if len(text) > 0 && text[0] == '{' && checkJSON([]byte(text)) == nil {
			call.set(name, json.RawMessage(text))
		}
	}
	return call.bytes()
}

// AvroJSON is the datum of a body as JSON, for mappings.
func AvroJSON(ctx context.Context, body []byte, r *Registry, now time.Time, l Limits) (json.RawMessage, error) {
	const door = "Avro"
	if err := l.body(door, body); err != nil {
		return nil, err
	}
	var schema avro.Schema
	var datum []byte
	switch {
	case len(body) >= 5 && body[0] == 0:
		id := int32(binary.BigEndian.Uint32(body[1:]))
		var err error
		var away *RegistryError
		if schema, err = r.schema(ctx, id, now); errors.As(err, &away) {
			return nil, err
		} else if err != nil {
			return nil, refuse(door, "schema %d: %v", id, err)
		}
		datum = body[5:]
	case len(body) >= 10 && body[0] == 0xc3 && body[1] == 1:
		print := binary.LittleEndian.Uint64(body[2:])
		r.mu.Lock()
		schema = r.prints[print]
		r.mu.Unlock()
		if schema == nil {
			return nil, refuse(door, "no schema with the fingerprint %016x is configured", print)
		}
		datum = body[10:]
	default:
		return nil, refuse(door, "the body begins neither with 00 and a schema id nor with C3 01 and a fingerprint")
	}
	v, err := avroValue(schema, datum, l)
	if err != nil {
		return nil, refuse(door, "the datum %v", err)
	}
	return v, nil
}
