package door

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/hamba/avro/v2"
)

// Fetch gets a path of a schema registry, such as /schemas/ids/7. ErrNoSchema says that the
// registry does not know it; other errors mean that it cannot be asked now.
type Fetch func(ctx context.Context, path string) ([]byte, error)

// ErrNoSchema is Fetch's answer for a schema that does not exist.
var ErrNoSchema = errors.New("the schema registry does not know the schema")

// RegistryError says that a schema could not be fetched: the sender should try again.
type RegistryError struct {
	ID  int32
	Err error
}

func (e *RegistryError) Error() string { return fmt.Sprintf("fetch Avro schema %d: %v", e.ID, e.Err) }

// Unwrap gives access to the cause.
func (e *RegistryError) Unwrap() error { return e.Err }

// maxSchemas and maxSchemaBytes bound what a registry is believed.
const (
	maxSchemas     = 1000
	maxSchemaBytes = 1 << 20
)

// Registry holds Avro schemas: those of a Confluent schema registry by id, fetched when first needed, and those
// that were added, by fingerprint. It is safe for concurrent use.
type Registry struct {
	fetch Fetch // nil: only what was added

	mu     sync.Mutex
	byID   map[int32]avro.Schema // never change in a registry
	prints map[uint64]avro.Schema
}

// NewRegistry is a registry without schemas; fetch may be nil.
func NewRegistry(fetch Fetch) *Registry {
	return &Registry{fetch: fetch, byID: map[int32]avro.Schema{}, prints: map[uint64]avro.Schema{}}
}

// Add makes a schema known by its CRC-64-AVRO fingerprint, for the single-object encoding.
func (r *Registry) Add(schema []byte) error {
	s, err := parseSchema(schema)
	if err != nil {
		return err
	}
	sum, err := s.FingerprintUsing(avro.CRC64AvroLE)
	if err != nil || len(sum) != 8 {
		return fmt.Errorf("fingerprint of the Avro schema: %v", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.prints) >= maxSchemas {
		return fmt.Errorf("more than %d Avro schemas", maxSchemas)
	}
	r.prints[binary.LittleEndian.Uint64(sum)] = s
	return nil
}

// parseSchema reads a schema. It may contain itself: avroValue bounds how deep data nest.
func parseSchema(b []byte) (avro.Schema, error) {
	if len(b) > maxSchemaBytes {
		return nil, fmt.Errorf("the Avro schema has %d bytes; at most %d are taken", len(b), maxSchemaBytes)
	}
	if err := checkJSON(b); err != nil {
		return nil, fmt.Errorf("the Avro schema %w", err)
	}
	s, err := avro.ParseBytesWithCache(b, "", &avro.SchemaCache{})
	if err != nil {
		return nil, fmt.Errorf("the Avro schema is not valid: %w", err)
	}
	return s, nil
}

// schema is the registry's schema with an id.
func (r *Registry) schema(ctx context.Context, id int32) (avro.Schema, error) {
	r.mu.Lock()
	s := r.byID[id]
	r.mu.Unlock()
	if s != nil {
		return s, nil
	}
	if r.fetch == nil {
		return nil, ErrNoSchema
	}
	b, err := r.fetch(ctx, "/schemas/ids/"+strconv.FormatInt(int64(id), 10))
	if errors.Is(err, ErrNoSchema) {
		return nil, ErrNoSchema
	}
	if err != nil {
		return nil, &RegistryError{id, err}
	}
	o, err := parseObject(b)
	if err != nil {
		return nil, &RegistryError{id, fmt.Errorf("the answer %w", err)}
	}
	switch kind := o.text("schemaType"); {
	case kind != "" && kind != "AVRO":
		return nil, fmt.Errorf("schema %d is of type %s; only AVRO is read", id, clip(kind))
	case len(listOf(o.get("references"))) > 0:
		return nil, fmt.Errorf("schema %d refers to other schemas, which is not supported; register it with them inlined", id)
	}
	if s, err = parseSchema([]byte(o.text("schema"))); err != nil {
		return nil, fmt.Errorf("schema %d: %w", id, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.byID) >= maxSchemas {
		clear(r.byID)
	}
	r.byID[id] = s
	return s, nil
}

// Avro reads one datum, a call or a record with a list of them in batch, in Confluent's wire
// format (a zero, the schema's id, the datum) or in the single-object encoding (C3 01, the schema's
// fingerprint, the datum). Fields have the names of a call's; properties, traits and context may be records,
// maps, or strings that hold JSON. The error is a *RegistryError where the sender should
// try again.
func Avro(ctx context.Context, body []byte, r *Registry, l Limits) (Batch, error) {
	c := newCollector("Avro", l)
	doc, err := AvroJSON(ctx, body, r, l)
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
func AvroJSON(ctx context.Context, body []byte, r *Registry, l Limits) (json.RawMessage, error) {
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
		if schema, err = r.schema(ctx, id); errors.As(err, &away) {
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
