package lake

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"kindred/data"
)

// FormatVersion is the version of manifests and segments that this build writes,
// and the newest it reads.
const FormatVersion = 1

// A FormatError says that a manifest or segment was written by a newer build.
type FormatError struct {
	File   string
	Format int
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s has format %d; this build reads format %d: use the build that wrote it, or a newer one", e.File, e.Format, FormatVersion)
}

// A CorruptError says that a file of the lake is not what was written.
type CorruptError struct {
	File   string
	Reason string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s is damaged: %s; restore it from a copy of the lake", e.File, e.Reason)
}

// manifest is the lake at one version: which blocks belong to it.
type manifest struct {
	Version    int64           `json:"version"`
	Space      data.Space      `json:"space"`
	Partitions []partition     `json:"partitions"` // by ID
	Rows       map[Table]int64 `json:"rows"`
	Sealed     []sealed        `json:"sealed,omitempty"` // in the order they were sealed
	Tail       []entry         `json:"tail"`             // in the order they were committed
}

// partition is how far one partition is archived.
type partition struct {
	ID     int32  `json:"id"`
	Cursor int64  `json:"cursor"`
	Now    Millis `json:"now"` // latest received stamp archived
}

// sealed names a segment: an immutable list of entries.
type sealed struct {
	Name   string `json:"name"`
	Blocks int    `json:"blocks"`
	SHA256 string `json:"sha256"` // of the segment file
}

// entry is one block.
type entry struct {
	Partition int32          `json:"p"`
	First     int64          `json:"first"`
	Last      int64          `json:"last"`
	Files     map[Table]file `json:"files"` // tables without rows have no file
}

// file is one table's part of a block.
type file struct {
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
	CRC32C uint32 `json:"crc32c"` // of the whole file: Parquet's own checksums leave out dictionaries and headers
}

// segmentBlocks is how many blocks a manifest lists itself before it seals them.
const segmentBlocks = 256

// partition returns the state of partition id, or that of one not yet met.
func (m *manifest) partition(id int32) partition {
	i, ok := slices.BinarySearchFunc(m.Partitions, id, func(p partition, id int32) int { return cmp.Compare(p.ID, id) })
	if !ok {
		return partition{ID: id}
	}
	return m.Partitions[i]
}

// with returns the next version: m and one more block, whose latest received
// stamp is now. m is not changed.
func (m *manifest) with(e entry, now Millis) *manifest {
	next := *m
	next.Version++
	next.Tail = append(slices.Clone(m.Tail), e)
	next.Rows = maps.Clone(m.Rows)
	for t, f := range e.Files {
		next.Rows[t] += f.Rows
	}
	p := m.partition(e.Partition)
	p.Cursor = e.Last + 1
	p.Now = max(p.Now, now)
	next.Partitions = slices.Clone(m.Partitions)
	i, ok := slices.BinarySearchFunc(next.Partitions, p.ID, func(q partition, id int32) int { return cmp.Compare(q.ID, id) })
	if ok {
		next.Partitions[i] = p
	} else {
		next.Partitions = slices.Insert(next.Partitions, i, p)
	}
	return &next
}

// sealedFile is the outside of manifests and segments: readable by any build far
// enough to say that it is too new, or damaged.
type sealedFile struct {
	Format int             `json:"format"`
	SHA256 string          `json:"sha256"` // of Body's bytes as they are in the file
	Body   json.RawMessage `json:"body"`
}

// encodeFile wraps v. The same v gives the same bytes.
func encodeFile(v any) ([]byte, error) {
	body, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	b, err := json.Marshal(sealedFile{Format: FormatVersion, SHA256: checksum(body), Body: body})
	if err != nil {
		return nil, err
	}
	return append(b, '\n'), nil
}

// decodeFile is the inverse of encodeFile. name is for the error: a *FormatError
// or a *CorruptError.
func decodeFile(name string, b []byte, v any) error {
	var outside sealedFile
	if err := json.Unmarshal(b, &outside); err != nil {
		return &CorruptError{name, err.Error()}
	}
	if outside.Format > FormatVersion {
		return &FormatError{name, outside.Format}
	}
	if outside.Format < 1 {
		return &CorruptError{name, fmt.Sprintf("format is %d", outside.Format)}
	}
	if got := checksum(outside.Body); got != outside.SHA256 {
		return &CorruptError{name, fmt.Sprintf("checksum is %s, not %s as recorded", got, outside.SHA256)}
	}
	dec := json.NewDecoder(bytes.NewReader(outside.Body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return &CorruptError{name, err.Error()}
	}
	return nil
}

func checksum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
