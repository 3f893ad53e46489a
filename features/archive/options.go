package archive

import (
	"fmt"
	"time"
)

// Options say where blocks end and how much is read at a time. Only ReadRecords may
// be changed without changing which files the same log gives.
type Options struct {
	BlockSpan    time.Duration `yaml:"block_span"`    // of log time
	BlockRecords int           `yaml:"block_records"` // records in a block, at most
	BlockBytes   int           `yaml:"block_bytes"`   // a block ends with the record that reaches this many
	ReadRecords  int           `yaml:"read_records"`  // records asked of the log at a time
}

// Default is what a server uses that was not told otherwise.
func Default() Options {
	return Options{BlockSpan: 5 * time.Minute, BlockRecords: 100_000, BlockBytes: 32 << 20, ReadRecords: 2048}
}

// Validate reports the first field that cannot be, or nil.
func (o Options) Validate() error {
	switch {
	case o.BlockSpan < time.Second:
		return fmt.Errorf("archive.block_span is %v; must be at least 1s", o.BlockSpan)
	case o.BlockRecords < 1:
		return fmt.Errorf("archive.block_records is %d; must be at least 1", o.BlockRecords)
	case o.BlockBytes < 1:
		return fmt.Errorf("archive.block_bytes is %d; must be at least 1", o.BlockBytes)
	case o.ReadRecords < 1:
		return fmt.Errorf("archive.read_records is %d; must be at least 1", o.ReadRecords)
	}
	return nil
}
