package dataset

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"kindred/data"
	"kindred/data/event"
)

// StageOptions say how a data set becomes events.
type StageOptions struct {
	Space data.Space
	Env   string
	// Source names the import; message ids are unique per source. "" means
	// "import-" and the format, so that the same files under another path are the
	// same messages.
	Source string
	// Now is the time of the import. Required.
	Now time.Time
	// ShiftToNow moves all event times by the same amount, so that the newest is
	// one second before Now. Ids and original times stay as they are.
	ShiftToNow bool
	// HeldOut brings in Validation and Test, too, behind Interactions.
	HeldOut bool
	// Progress, if set, is told now and then how many of how many events are written.
	Progress func(done, total int)
}

// undated is the original time of the first row of a data set without any time:
// 2000-01-01 in Unix milliseconds.
const undated = 946_684_800_000

// Stage turns a data set into a file of canonical events in dir, sorted by (event
// time, file order): written, decoded again as a check, fsynced, and only then given
// its name. When it fails, or ctx ends, nothing is left.
//
// Every interaction becomes a track event under the name that event.Name gives its
// kind, with the item's facets copied from the data set; every person with traits an
// identify event at the time of their first row; a jsonl message stays what it is.
// All have Imported set, Received = Now, and Profile empty for the importer to route.
//
// Message ids are hashes of (source, user, item, kind, value, time in ms, occurrence
// among equal rows), taken from what the files say: importing again adds nothing,
// with or without a shift, whenever it is. For the same reason Times.Original, by
// whose day ids are kept, never depends on Now.
//
// Rows without a time are put one second apart in the order of the file: before the
// oldest known time of the data set; where none is known their original times begin
// at 2000-01-01 and their event times end one second before Now.
func Stage(ctx context.Context, ds *Dataset, dir string, in StageOptions) (*Staged, error) {
	if in.Now.IsZero() {
		return nil, errors.New("stage: the time of the import is not set")
	}
	if in.Source == "" {
		in.Source = "import-" + ds.Format
	}
	in.Now = in.Now.UTC().Truncate(time.Millisecond)
	p := plan(ds, in)
	s, err := p.write(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("stage %s: %w", ds.Name, err)
	}
	s.items = ds.Items
	return s, nil
}

// planner orders the events of a data set before any is made.
type planner struct {
	ds     *Dataset
	in     StageOptions
	rows   []data.Interaction
	facets map[data.ItemID]map[string][]string
	order  []entry
	shift  time.Duration // event time less original time
	copies map[[16]byte]uint32
}

// entry is one event to come: its original time, and which it is.
type entry struct {
	at   int64 // Unix ms
	user bool  // index in ds.Users, else in ds.Events or rows
	i    int
}

// plan gives every event its original time and sorts.
func plan(ds *Dataset, in StageOptions) *planner {
	p := &planner{ds: ds, in: in, copies: make(map[[16]byte]uint32), facets: make(map[data.ItemID]map[string][]string)}
	if ds.Events != nil {
		for i, e := range ds.Events {
			p.order = append(p.order, entry{at: e.Times.Event.UnixMilli(), i: i})
		}
		p.sortAndShift(false)
		return p
	}
	p.rows = ds.Interactions
	if in.HeldOut {
		p.rows = slices.Concat(ds.Interactions, ds.Validation, ds.Test)
	}
	for _, it := range ds.Items {
		if f := it.Facets(); f != nil {
			p.facets[it.ID] = f
		}
	}
	times, undatedAll := originals(p.rows)
	first := make(map[data.UserID]int64, len(ds.Users))
	oldest := int64(math.MaxInt64)
	for i, at := range times {
		oldest = min(oldest, at)
		if was, met := first[p.rows[i].User]; !met || at < was {
			first[p.rows[i].User] = at
		}
	}
	if len(times) == 0 {
		oldest = undated
	}
	for i, u := range ds.Users {
		if len(u.Traits) == 0 {
			continue
		}
		at, met := first[u.ID]
		if !met {
			at = oldest
		}
		p.order = append(p.order, entry{at: at, user: true, i: i})
	}
	for i, at := range times {
		p.order = append(p.order, entry{at: at, i: i})
	}
	p.sortAndShift(undatedAll)
	return p
}

// sortAndShift brings the events into the order of time, keeping the order in which
// they were added where times are equal, and decides how far event times move.
func (p *planner) sortAndShift(undatedAll bool) {
	slices.SortStableFunc(p.order, func(a, b entry) int { return cmp.Compare(a.at, b.at) })
	if n := len(p.order); n > 0 && (p.in.ShiftToNow || undatedAll) {
		newest := time.UnixMilli(p.order[n-1].at)
		p.shift = p.in.Now.Add(-time.Second).Sub(newest)
	}
}

// originals are the original times of the rows in Unix milliseconds, invented for
// those without; none says that no row has a time.
func originals(rows []data.Interaction) (times []int64, none bool) {
	missing, oldest := 0, int64(math.MaxInt64)
	for _, row := range rows {
		if row.At.IsZero() {
			missing++
		} else {
			oldest = min(oldest, row.At.UnixMilli())
		}
	}
	next := max(0, oldest-1000*int64(missing))
	if none = missing == len(rows); none {
		next = undated
	}
	times = make([]int64, len(rows))
	for i, row := range rows {
		if times[i] = row.At.UnixMilli(); row.At.IsZero() {
			times[i] = next
			next += 1000
		}
	}
	return times, none
}

// event makes the event of an entry.
func (p *planner) event(x entry) (data.Event, error) {
	if p.ds.Events != nil {
		return p.message(p.ds.Events[x.i]), nil
	}
	e := data.Event{
		V: data.EventVersion, Source: p.in.Source, Space: p.in.Space, Env: p.in.Env, Imported: true,
		Times: data.Times{Original: time.UnixMilli(x.at).UTC(), Received: p.in.Now},
	}
	p.stamp(&e, e.Times.Original)
	if x.user {
		u := p.ds.Users[x.i]
		traits, err := json.Marshal(u.Traits)
		if err != nil {
			return e, fmt.Errorf("user %q: traits: %w", u.ID, err)
		}
		e.Type, e.Traits, e.IDs.User = data.Identify, traits, u.ID
		e.ID = p.name("identify", string(u.ID), string(traits))
		return e, nil
	}
	row := p.rows[x.i]
	if math.IsNaN(row.Value) || math.IsInf(row.Value, 0) {
		return e, fmt.Errorf("user %q, item %q: the value %v is not finite", row.User, row.Item, row.Value)
	}
	e.Type, e.Name, e.IDs.User, e.Session.ID = data.Track, event.Name(row.Kind), row.User, row.Session
	props, err := properties(row)
	if err != nil {
		return e, fmt.Errorf("user %q, item %q: %w", row.User, row.Item, err)
	}
	e.Props = props
	item := data.EventItem{ID: row.Item, Facets: p.facets[row.Item]}
	switch row.Kind {
	case data.Rating:
		e.Value = row.Value
	case data.Purchase:
		e.Value, item.Quantity, item.Price = row.Value, 1, row.Value
	}
	e.Items = []data.EventItem{item}
	ms := ""
	if !row.At.IsZero() {
		ms = strconv.FormatInt(row.At.UnixMilli(), 10)
	}
	e.ID = p.name(string(row.User), string(row.Item), row.Kind.String(), strconv.FormatFloat(row.Value, 'g', -1, 64), ms)
	return e, nil
}

// message is a jsonl message as part of this import.
func (p *planner) message(e data.Event) data.Event {
	if e.Source == "" {
		e.Source = p.in.Source
	}
	if e.Env == "" {
		e.Env = p.in.Env
	}
	if e.Times.Original.IsZero() {
		e.Times.Original = e.Times.Event
	}
	e.Space, e.Imported, e.Profile = p.in.Space, true, ""
	e.Times.Received, e.Times.Late = p.in.Now, false
	p.stamp(&e, e.Times.Event)
	return e
}

// stamp sets the event time: at, shifted, but never after the import.
func (p *planner) stamp(e *data.Event, at time.Time) {
	if e.Times.Event = at.Add(p.shift); e.Times.Event.After(p.in.Now) {
		e.Times.Event, e.Times.Clamped = p.in.Now, true
	}
}

// name is the message id of what the parts say: the first 128 bits of SHA-256 over
// source and parts, each behind its length, and the occurrence number among equal ones.
func (p *planner) name(parts ...string) string {
	h := sha256.New()
	writePart(h, p.in.Source)
	for _, part := range parts {
		writePart(h, part)
	}
	var same [16]byte
	copy(same[:], h.Sum(nil))
	n := p.copies[same]
	p.copies[same] = n + 1
	h.Write(binary.AppendUvarint(nil, uint64(n)))
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func writePart(h hash.Hash, part string) {
	h.Write(binary.AppendUvarint(nil, uint64(len(part))))
	h.Write([]byte(part))
}

// properties are what a tracker would have sent with the row, as far as it is known.
// Where a kind is defined by a threshold and the row does not say how far beyond it,
// they hold the least whole value that means the kind.
func properties(row data.Interaction) (json.RawMessage, error) {
	props := map[string]any{"product_id": row.Item}
	switch row.Kind {
	case data.Rating:
		props["rating"] = row.Value
	case data.Scroll:
		if props["depth"] = row.Value; !(row.Value > 0.8 && row.Value <= 1) {
			props["depth"] = 1
		}
	case data.Dwell:
		if props["dwell_seconds"] = row.Value; !(row.Value > 30) {
			props["dwell_seconds"] = 31
		}
	case data.Hide:
		props["feedback"] = "hide"
	}
	return json.Marshal(props)
}

// write makes the events and puts them into a file.
func (p *planner) write(ctx context.Context, dir string) (_ *Staged, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, "import-*.tmp")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	out, sum, line := bufio.NewWriterSize(f, 1<<20), sha256.New(), []byte(nil)
	for n, x := range p.order {
		if n%1024 == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if p.in.Progress != nil {
				p.in.Progress(n, len(p.order))
			}
		}
		e, err := p.event(x)
		if err != nil {
			return nil, err
		}
		line = event.Append(line[:0], e)
		if _, err := event.Decode(line); err != nil {
			return nil, fmt.Errorf("event %d of user %q: %w", n+1, e.IDs.User, err)
		}
		line = append(line, '\n')
		sum.Write(line)
		if _, err := out.Write(line); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(out.Flush(), f.Sync(), f.Close()); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "import-"+hex.EncodeToString(sum.Sum(nil)[:8])+".jsonl")
	if err := os.Rename(f.Name(), path); err != nil {
		return nil, err
	}
	if err := syncDir(dir); err != nil {
		os.Remove(path)
		return nil, err
	}
	if p.in.Progress != nil {
		p.in.Progress(len(p.order), len(p.order))
	}
	return &Staged{path: path, count: len(p.order)}, nil
}

// syncDir makes a rename in dir durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
