package archive

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"kindred/data"
	"kindred/data/event"
	"kindred/data/lake"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// at is a record received the given time after noon.
func at(offset int64, after time.Duration) data.Record {
	return data.Record{Offset: offset, Value: event.Seal(data.Event{
		V: data.EventVersion, ID: fmt.Sprint("e", offset), Source: "shop", Space: "default", Type: data.Track, Name: "Product Viewed",
		Profile: "p", Times: data.Times{Event: noon.Add(after), Received: noon.Add(after)}, Items: []data.EventItem{{ID: "lamp"}},
	})}
}

func flush(offset int64, after time.Duration) data.Record {
	return data.Record{Offset: offset, Value: event.Seal(data.Event{
		V: data.EventVersion, ID: fmt.Sprint("f", offset), Source: "kindred", Space: "default", Type: data.System, Name: data.SysFlush,
		Times: data.Times{Event: noon.Add(after), Received: noon.Add(after)},
	})}
}

// bounds cuts a whole log and lists the blocks as "first-last".
func bounds(opt Options, from lake.Position, log []data.Record) (got []string) {
	c := newCutter(opt, 0, from)
	for _, rec := range log {
		if b := c.add(rec); b != nil {
			got = append(got, fmt.Sprintf("%d-%d", b.First, b.Last))
		}
	}
	return got
}

func TestWhereABlockEnds(t *testing.T) {
	opt := Options{BlockSpan: 5 * time.Minute, BlockRecords: 4, BlockBytes: 1 << 20, ReadRecords: 10}
	small := opt
	small.BlockBytes = len(at(0, 0).Value) + 1
	poison := func(offset int64) data.Record { return data.Record{Offset: offset, Value: []byte("poison")} }
	for name, c := range map[string]struct {
		opt  Options
		from lake.Position
		log  []data.Record
		want []string
	}{
		"within one span nothing ends": {opt: opt, log: []data.Record{at(0, 0), at(1, time.Minute), at(2, 299*time.Second)}},
		"the record that crosses a boundary is its block's last": {
			opt: opt, log: []data.Record{at(0, 0), at(1, time.Minute), at(2, 5*time.Minute), at(3, 6*time.Minute), at(4, 11*time.Minute)},
			want: []string{"0-2", "3-4"},
		},
		"spans are counted from 1970, not from the first record": {
			opt: opt, log: []data.Record{at(0, 4*time.Minute), at(1, 5*time.Minute), at(2, 9*time.Minute)}, want: []string{"0-1"},
		},
		"log time goes on from the block before": {
			opt: opt, from: lake.Position{Next: 7, Now: noon}, log: []data.Record{at(7, 5*time.Minute), at(8, 6*time.Minute)}, want: []string{"7-7"},
		},
		"the first record of a partition crosses nothing":        {opt: opt, log: []data.Record{at(0, time.Hour), at(1, time.Hour)}},
		"a record from the past crosses nothing":                 {opt: opt, log: []data.Record{at(0, 6*time.Minute), at(1, 0), at(2, 7*time.Minute)}},
		"a block is full at its number of records":               {opt: opt, log: []data.Record{at(0, 0), at(1, 0), at(2, 0), at(3, 0), at(4, 0)}, want: []string{"0-3"}},
		"a block is full at its number of bytes":                 {opt: small, log: []data.Record{at(0, 0), at(1, 0), at(2, 0)}, want: []string{"0-1"}},
		"a flush ends its block, even alone":                     {opt: opt, log: []data.Record{at(0, 0), flush(1, 0), flush(2, 0)}, want: []string{"0-1", "2-2"}},
		"poison has no time but counts":                          {opt: opt, log: []data.Record{poison(0), poison(1), at(2, 0), poison(3)}, want: []string{"0-3"}},
		"offsets that are missing from the log belong to blocks": {opt: opt, log: []data.Record{at(3, 0), flush(9, 0), flush(12, 0)}, want: []string{"0-9", "10-12"}},
	} {
		if got := bounds(c.opt, c.from, c.log); !cmp.Equal(got, c.want) {
			t.Errorf("%s: blocks %v; want %v", name, got, c.want)
		}
	}
}

// anyLog draws a log with everything that ends a block, and records out of order in time.
func anyLog(t *rapid.T) []data.Record {
	var log []data.Record
	offset, clock := int64(0), time.Duration(0)
	for range rapid.IntRange(0, 60).Draw(t, "records") {
		clock += time.Duration(rapid.IntRange(-60, 120).Draw(t, "seconds")) * time.Second
		switch rapid.IntRange(0, 9).Draw(t, "sort") {
		case 0:
			log = append(log, flush(offset, clock))
		case 1:
			log = append(log, data.Record{Offset: offset, Value: []byte("poison")})
		default:
			log = append(log, at(offset, clock))
		}
		offset += int64(rapid.IntRange(1, 2).Draw(t, "step"))
	}
	return log
}

func TestACutterThatBeginsAnywhereEndsBlocksAtTheSamePlaces(t *testing.T) {
	opt := Options{BlockSpan: 5 * time.Minute, BlockRecords: 9, BlockBytes: 1500, ReadRecords: 10}
	rapid.Check(t, func(t *rapid.T) {
		log := anyLog(t)
		want := bounds(opt, lake.Position{}, log)
		var got []string
		var from lake.Position
		for i := 0; i < len(log); { // a new cutter after every block, from the position that the lake knows
			c := newCutter(opt, 0, from)
			for i < len(log) {
				b := c.add(log[i])
				i++
				if b != nil {
					got = append(got, fmt.Sprintf("%d-%d", b.First, b.Last))
					from.Next = b.Last + 1
					for _, rec := range b.Records {
						if e, err := event.Open(rec.Value); err == nil && e.Times.Received.After(from.Now) {
							from.Now = e.Times.Received
						}
					}
					break
				}
			}
		}
		if !cmp.Equal(got, want) {
			t.Fatalf("with restarts the blocks are %v; want %v", got, want)
		}
	})
}

func TestNoBlockIsLargerThanItsBounds(t *testing.T) {
	opt := Options{BlockSpan: 5 * time.Minute, BlockRecords: 9, BlockBytes: 1500, ReadRecords: 10}
	rapid.Check(t, func(t *rapid.T) {
		c := newCutter(opt, 0, lake.Position{})
		for _, rec := range anyLog(t) {
			b := c.add(rec)
			if b == nil {
				continue
			}
			size := 0
			for _, r := range b.Records[:len(b.Records)-1] {
				size += len(r.Value)
			}
			if len(b.Records) > opt.BlockRecords || size >= opt.BlockBytes {
				t.Fatalf("block %d-%d has %d records and %d bytes before its last", b.First, b.Last, len(b.Records), size)
			}
		}
	})
}

func TestOptionsThatCannotBeAreNamed(t *testing.T) {
	if err := Default().Validate(); err != nil {
		t.Errorf("Default: %v", err)
	}
	for _, change := range []func(*Options){
		func(o *Options) { o.BlockSpan = time.Millisecond },
		func(o *Options) { o.BlockRecords = 0 },
		func(o *Options) { o.BlockBytes = -1 },
		func(o *Options) { o.ReadRecords = 0 },
	} {
		o := Default()
		change(&o)
		if err := o.Validate(); err == nil {
			t.Errorf("Validate took %+v", o)
		}
	}
}
