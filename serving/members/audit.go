package members

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"kindred/data"
	"kindred/data/event"
	"kindred/features"
)

// AuditOptions say what is recomputed.
type AuditOptions struct {
	Log interface {
		Read(ctx context.Context, partition int32, from int64, max int) ([]data.Record, error)
		Start(partition int32) int64
	}
	Folded   func(partition int32) int64
	Profile  func(ctx context.Context, id data.ProfileID) ([]byte, error)
	Features features.Config
	// Clusterers and Rules are the fold's.
	Clusterers features.Clusterers
	Rules      features.Rules
	// Chosen picks the sample.
	Chosen func(id data.ProfileID) bool
}

// Audited is what an audit found.
type Audited struct {
	People     int              // that were compared
	Mismatches []data.ProfileID // whose segments are not what the log says; none are expected
}

// Note counts what an audit found, for the metrics.
func (m *Members) Note(a Audited) {
	m.audited.Add(uint64(a.People))
	m.mismatched.Add(uint64(len(a.Mismatches)))
}

// Noted is how many people audits compared, and how many differed.
func (m *Members) Noted() (people, mismatches uint64) { return m.audited.Load(), m.mismatched.Load() }

// auditRounds is how often a difference is looked at again while the fold moves on beside the audit.
const auditRounds = 20

// Audit folds a partition's log again, from its first record on and in memory, and compares the
// segments of the people who are chosen with what is stored, byte by byte. It costs the memory of
// the partition's people.
func Audit(ctx context.Context, partition int32, opt AuditOptions) (Audited, error) {
	var out Audited
	if opt.Log.Start(partition) > 0 {
		return out, errors.New("audit: the log does not have its first records any more")
	}
	b := features.NewBuilder(opt.Features)
	m := features.NewMemory(partition, features.State{}, nil, opt.Clusterers).WithRules(opt.Rules)
	want := map[data.ProfileID][]byte{} // encoded profiles
	skips := map[int64]bool{}
	next, noted := int64(0), int64(0)
	read := func(from *int64, until int64, each func(data.Record, *data.Event, error) error) error {
		for *from < until {
			recs, err := opt.Log.Read(ctx, partition, *from, int(min(2048, until-*from)))
			if err == nil && len(recs) == 0 {
				err = errors.New("the log ends before the fold")
			}
			if err != nil {
				return err
			}
			for _, r := range recs {
				e, err := event.Open(r.Value)
				if err := each(r, &e, err); err != nil {
					return err
				}
				*from = r.Offset + 1
			}
		}
		return nil
	}
	for round := 1; ; round++ {
		cut := opt.Folded(partition)
		err := read(&noted, cut, func(_ data.Record, e *data.Event, err error) error {
			if err == nil && e.Type == data.System && e.Name == data.SysSkip && e.Skip != nil {
				skips[*e.Skip] = true
			}
			return nil
		})
		if err == nil {
			err = read(&next, cut, func(r data.Record, e *data.Event, err error) error {
				if err != nil || skips[r.Offset] {
					return nil // a dead letter
				}
				_, err = b.Fold(ctx, m, r.Offset, *e)
				return err
			})
		}
		if err != nil {
			return out, fmt.Errorf("audit partition %d: %w", partition, err)
		}
		c, err := m.Commit(cut)
		if err != nil {
			return out, fmt.Errorf("audit partition %d: %w", partition, err)
		}
		for id, p := range c.Profiles {
			if _, looked := want[id]; opt.Chosen(id) && (round == 1 || looked) {
				want[id] = bytes.Clone(p)
			}
		}
		if round == 1 {
			out.People = len(want)
		}
		for id, p := range want {
			same, err := sameSegments(ctx, opt, id, p)
			if err != nil {
				return out, fmt.Errorf("audit profile %s: %w", id, err)
			}
			if same {
				delete(want, id)
			}
		}
		if len(want) == 0 || round == auditRounds || opt.Folded(partition) == cut {
			for id := range want {
				out.Mismatches = append(out.Mismatches, id)
			}
			return out, nil
		}
	}
}

func sameSegments(ctx context.Context, opt AuditOptions, id data.ProfileID, want []byte) (bool, error) {
	got, err := opt.Profile(ctx, id)
	if errors.Is(err, data.ErrNotFound) {
		return false, nil
	}
	var a, b data.Profile
	if err == nil {
		err = errors.Join(a.UnmarshalBinary(got), b.UnmarshalBinary(want))
	}
	return bytes.Equal(a.Segments, b.Segments), err
}
