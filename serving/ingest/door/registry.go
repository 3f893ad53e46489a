package door

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

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

// maxSchemas and maxSchemaBytes bound what a registry is believed. That an id has no schema, or none that we can read, is
// believed for missAge, so that a sender with a wrong id does not make us ask with each request; not longer, because
// the registry may give that id out meanwhile.
const (
	maxSchemas     = 1000
	maxSchemaBytes = 1 << 20
	maxMisses      = 1000
	missAge        = 10 * time.Second
)

// Registry holds Avro schemas: those of a Confluent schema registry by id, fetched when first needed, and those
// that were added, by fingerprint. It is safe for concurrent use.
type Registry struct {
	fetch Fetch // nil: only what was added

	mu      sync.Mutex
	byID    map[int32]avro.Schema // never change in a registry
	refused map[int32]refusal     // what the registry does not know, or has and we cannot read
	prints  map[uint64]avro.Schema
}

// NewRegistry is a registry without schemas; fetch may be nil.
func NewRegistry(fetch Fetch) *Registry {
	return &Registry{fetch: fetch, byID: map[int32]avro.Schema{}, refused: map[int32]refusal{}, prints: map[uint64]avro.Schema{}}
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

// refusal is why a schema cannot be had, and since when that is known.
type refusal struct {
	at  time.Time
	err error
}

// schema is the registry's schema with an id. The error is a *RegistryError where it may be had later.
func (r *Registry) schema(ctx context.Context, id int32, now time.Time) (avro.Schema, error) {
	r.mu.Lock()
	s, refused := r.byID[id], r.refused[id]
	r.mu.Unlock()
	switch {
	case s != nil:
		return s, nil
	case r.fetch == nil:
		return nil, ErrNoSchema
	case refused.err != nil && now.Sub(refused.at) < missAge:
		return nil, refused.err
	}
	s, err := r.ask(ctx, id)
	var away *RegistryError
	if errors.As(err, &away) {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		if len(r.refused) >= maxMisses {
			clear(r.refused)
		}
		r.refused[id] = refusal{now, err}
		return nil, err
	}
	if len(r.byID) >= maxSchemas {
		clear(r.byID)
	}
	r.byID[id] = s
	return s, nil
}

// ask asks the registry for a schema.
func (r *Registry) ask(ctx context.Context, id int32) (avro.Schema, error) {
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
	s, err := parseSchema([]byte(o.text("schema")))
	if err != nil {
		return nil, fmt.Errorf("schema %d: %w", id, err)
	}
	return s, nil
}
