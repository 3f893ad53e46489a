package archive

import (
	"time"

	"kindred/data"
	"kindred/data/event"
	"kindred/data/lake"
)

// cutter finds where blocks end. It is a pure fold over a partition's records: the
// same records from the same position give the same blocks, however they arrive.
type cutter struct {
	opt       Options
	partition int32
	first     int64     // of the block being gathered
	now       time.Time // log time: latest received stamp so far, over all blocks
	records   []data.Record
	bytes     int

	decoder event.Decoder
	event   data.Event // of the record in hand
}

func newCutter(opt Options, partition int32, from lake.Position) *cutter {
	return &cutter{opt: opt, partition: partition, first: from.Next, now: from.Now}
}

// add takes the partition's next record, and returns the block that it ends, or nil.
func (c *cutter) add(rec data.Record) *lake.Block {
	c.records = append(c.records, rec)
	c.bytes += len(rec.Value)
	if !c.ends(rec) {
		return nil
	}
	b := &lake.Block{Partition: c.partition, First: c.first, Last: rec.Offset, Records: c.records}
	c.first, c.records, c.bytes = rec.Offset+1, nil, 0
	return b
}

// ends carries log time on, and reports whether rec ends the block. A record that
// is no event has no time and ends nothing but a full block.
func (c *cutter) ends(rec data.Record) bool {
	end := len(c.records) >= c.opt.BlockRecords || c.bytes >= c.opt.BlockBytes
	e := &c.event
	defer c.decoder.Reset() // nothing of the event is kept
	if c.decoder.Open(rec.Value, e) != nil {
		return end
	}
	if e.Type == data.System && e.Name == data.SysFlush {
		end = true
	}
	if e.Times.Received.After(c.now) {
		if !c.now.IsZero() && c.span(c.now) != c.span(e.Times.Received) {
			end = true
		}
		c.now = e.Times.Received
	}
	return end
}

// span numbers the spans of log time.
func (c *cutter) span(t time.Time) int64 { return t.UnixMilli() / c.opt.BlockSpan.Milliseconds() }

// next is the offset that the cutter wants to see next, at the earliest.
func (c *cutter) next() int64 {
	if len(c.records) > 0 {
		return c.records[len(c.records)-1].Offset + 1
	}
	return c.first
}
