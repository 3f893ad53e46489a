package artifact

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	magic         = "KNDRD"
	formatVersion = 1

	nameSize   = 16
	headerSize = len(magic) + 1 + 2
	entrySize  = nameSize + 8 + 8 + sha256.Size
)

// section is one named part of a container.
type section struct {
	name string
	body []byte
}

// pack writes the container of package comment. Names are ours: at most nameSize bytes.
func pack(sections []section) []byte {
	size := headerSize + len(sections)*entrySize + sha256.Size
	for _, s := range sections {
		size += len(s.body)
	}
	b := make([]byte, 0, size)
	b = append(b, magic...)
	b = append(b, formatVersion)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(sections)))
	offset := headerSize + len(sections)*entrySize
	for _, s := range sections {
		var name [nameSize]byte
		copy(name[:], s.name)
		sum := sha256.Sum256(s.body)
		b = append(b, name[:]...)
		b = binary.LittleEndian.AppendUint64(b, uint64(offset))
		b = binary.LittleEndian.AppendUint64(b, uint64(len(s.body)))
		b = append(b, sum[:]...)
		offset += len(s.body)
	}
	for _, s := range sections {
		b = append(b, s.body...)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// unpack checks the container and returns its sections, in order, without copying
// their bytes. It allocates in proportion to the table, which it knows to fit b.
func unpack(b []byte) ([]section, error) {
	corrupt := func(name, format string, args ...any) ([]section, error) {
		return nil, &CorruptError{Section: name, Err: fmt.Errorf(format, args...)}
	}
	if len(b) < len(magic)+1 || string(b[:len(magic)]) != magic {
		return corrupt("", "it does not begin with %q", magic)
	}
	if v := int(b[len(magic)]); v != formatVersion {
		return nil, &VersionError{Version: v}
	}
	if len(b) < headerSize+sha256.Size {
		return corrupt("", "%d bytes are too few", len(b))
	}
	body, want := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], want) {
		return corrupt("", "the checksum does not match: the file was cut off or changed")
	}
	count := int(binary.LittleEndian.Uint16(body[len(magic)+1:]))
	next := headerSize + count*entrySize
	if next > len(body) {
		return corrupt("", "the table of %d sections does not fit into %d bytes", count, len(b))
	}
	sections := make([]section, 0, count)
	for i := range count {
		entry := body[headerSize+i*entrySize:][:entrySize]
		name, err := sectionName(entry[:nameSize])
		if err != nil {
			return corrupt("", "section %d: %w", i, err)
		}
		offset := binary.LittleEndian.Uint64(entry[nameSize:])
		length := binary.LittleEndian.Uint64(entry[nameSize+8:])
		if offset != uint64(next) || length > uint64(len(body)-next) {
			return corrupt(name, "it is said to lie at %d with length %d: want offset %d and at most %d bytes", offset, length, next, len(body)-next)
		}
		content := body[next : next+int(length) : next+int(length)]
		if sum := sha256.Sum256(content); !bytes.Equal(sum[:], entry[nameSize+16:]) {
			return corrupt(name, "its checksum does not match")
		}
		sections = append(sections, section{name, content})
		next += int(length)
	}
	if next != len(body) {
		return corrupt("", "%d bytes lie outside every section", len(body)-next)
	}
	return sections, nil
}

// sectionName reads a name padded with zeros.
func sectionName(b []byte) (string, error) {
	name := bytes.TrimRight(b, "\x00")
	if len(name) == 0 {
		return "", errors.New("it has no name")
	}
	for _, c := range name {
		if c < 'a' || c > 'z' {
			return "", fmt.Errorf("name %q: only a to z are allowed", name)
		}
	}
	return string(name), nil
}
