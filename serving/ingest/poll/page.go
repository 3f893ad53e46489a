package poll

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"kindred/data/event"
)

// place is where a connector is in its list, as it is saved.
type place struct {
	Cursor  string `json:"cursor,omitempty"`  // of the runs that are done
	Pending string `json:"pending,omitempty"` // the cursor that this run leads to, so far
	Page    string `json:"page,omitempty"`    // the address of the run's next page; "" begins a run
	Number  int    `json:"number,omitempty"`  // of that page, from 0
	// What a list of one page was last: the next answer may be that nothing has changed.
	Whole        string `json:"whole,omitempty"` // its address
	Reading      string `json:"reading,omitempty"`
	ETag         string `json:"etag,omitempty"`
	LastModified string `json:"last_modified,omitempty"`
}

// restart is the place at which the run begins again.
func (at place) restart() place { return place{Cursor: at.Cursor} }

// list reads pages until the list ends, saving the place behind each.
func (p *Poller) list(ctx context.Context) error {
	saved, err := p.deps.Store.LoadCursor(ctx, p.cfg.Name)
	if err != nil {
		return p.fail("load the cursor", err)
	}
	var at place
	if len(saved) > 0 {
		if err := json.Unmarshal(saved, &at); err != nil {
			return p.fail("read the cursor", err)
		}
	} else {
		at.Cursor = p.cfg.CursorStart
	}
	p.note(func(s *Status) { s.Cursor = at.Cursor })
	if at.Page != "" { // saved by another configuration, perhaps
		if u, err := url.Parse(at.Page); err != nil || p.cfg.checkNext(u) != nil {
			at = at.restart()
		}
	}
	if at.Reading != p.reading() {
		at.Whole = "" // what was unchanged is read differently now
	}
	for range p.cfg.MaxPages {
		next, err := p.page(ctx, at)
		if isGone(err) && at.Page != "" {
			next = at.restart() // the list was closed behind us: from its start the next time
		} else if err != nil {
			return err
		}
		if next != at {
			if err := p.save(ctx, next); err != nil {
				return err
			}
		}
		if at = next; err != nil || at.Page == "" {
			return err
		}
	}
	return nil
}

func (p *Poller) save(ctx context.Context, at place) error {
	state, err := json.Marshal(at)
	if err == nil {
		err = p.deps.Store.SaveCursor(ctx, p.cfg.Name, state)
	}
	if err != nil {
		return p.fail("save the cursor", err)
	}
	p.note(func(s *Status) { s.Cursor = at.Cursor })
	if at.Page != "" && at.Number%progressPages == 0 {
		p.deps.Logger.Info("connector is reading", "connector", p.cfg.Name, "page", at.Number)
	}
	return nil
}

// progressPages is after how many pages a long run says that it goes on.
const progressPages = 100

// isGone reports whether the other side does not know a page, so that asking again
// would not help.
func isGone(err error) bool {
	var status *statusError
	if !errors.As(err, &status) {
		return false
	}
	switch status.code {
	case http.StatusBadRequest, http.StatusNotFound, http.StatusGone, http.StatusUnprocessableEntity:
		return true
	}
	return false
}

// reading says how records are read.
func (p *Poller) reading() string {
	b, err := json.Marshal([]any{p.cfg.Records, p.cfg.Fields}) // maps are written in order
	if err != nil {
		return "" // strings
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:8])
}

// page reads one page, hands its calls over, and returns the place behind it.
func (p *Poller) page(ctx context.Context, at place) (place, error) {
	address := at.Page
	if address == "" {
		at.Number, at.Pending = 0, ""
		address = p.cfg.expand(at.Cursor, "1")
		if p.cfg.Pages == "body" {
			address = p.cfg.expand(at.Cursor, "")
		}
	}
	answer, err := p.fetch(ctx, address, at)
	if err != nil {
		return at, p.fail("page "+strconv.Itoa(at.Number+1), err)
	}
	if answer.unchanged {
		return at, nil
	}
	var records []json.RawMessage
	list := p.paths.records.in(answer.body)
	if err := json.Unmarshal(list, &records); err != nil || list == nil {
		return at, p.fail("page "+strconv.Itoa(at.Number+1), fmt.Errorf("records %q is no list", p.cfg.Records))
	}
	greatest, err := p.hand(ctx, records)
	if err != nil {
		return at, err
	}
	next := place{Cursor: at.Cursor, Pending: at.Pending, Number: at.Number + 1}
	switch p.cfg.Cursor {
	case "updated":
		next.Pending = later(later(at.Cursor, at.Pending), greatest)
	case "body":
		if c := p.paths.cursor.text(answer.body); c != "" {
			next.Pending = c
		}
	}
	if next.Page, err = p.next(address, answer, len(records), next); err != nil {
		return at, p.fail("next page", err)
	}
	if next.Page == "" || p.cfg.Pages == "none" {
		if next.Pending != "" {
			next.Cursor, next.Pending = next.Pending, ""
		}
	}
	if next.Page == "" {
		if next.Number == 1 {
			next.Whole, next.Reading, next.ETag, next.LastModified = address, p.reading(), answer.header.Get("ETag"), answer.header.Get("Last-Modified")
		}
		next.Number = 0
	}
	return next, nil
}

// hand makes calls of records and hands them over. It returns the greatest time of change.
func (p *Poller) hand(ctx context.Context, records []json.RawMessage) (greatest string, err error) {
	now := p.deps.Now()
	var calls []json.RawMessage
	var ids []string
	deliver := func() error {
		if len(calls) == 0 {
			return nil
		}
		rejected, err := p.deps.Accept(ctx, p.cfg.Name, calls)
		if err != nil {
			return p.fail(fmt.Sprintf("hand over %d calls", len(calls)), err)
		}
		for _, id := range ids {
			p.sent.add(id)
		}
		p.note(func(s *Status) { s.Sent, s.Rejected = s.Sent+uint64(len(calls)), s.Rejected+uint64(rejected) })
		calls, ids = nil, nil // Accept may have kept them
		return nil
	}
	for _, record := range records {
		person, err := p.deps.Mapping(record)
		var call json.RawMessage
		var id string
		if err == nil {
			greatest = later(greatest, person.Updated)
			call, id, err = p.call(person, now)
		}
		switch {
		case err != nil:
			p.note(func(s *Status) { s.Skipped, s.LastSkip = s.Skipped+1, err.Error() })
		case p.sent.has(id):
			p.note(func(s *Status) { s.Unchanged++ })
		default:
			calls, ids = append(calls, call), append(ids, id)
		}
		if len(calls) == p.cfg.MaxCalls {
			if err := deliver(); err != nil {
				return "", err
			}
		}
	}
	if err := deliver(); err != nil {
		return "", err
	}
	p.note(func(s *Status) { s.Pages, s.Rows = s.Pages+1, s.Rows+uint64(len(records)) })
	return greatest, nil
}

// later is the later of two times as the other side writes them; where they are no
// times, the greater number, or text.
func later(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	at, notA := event.ParseTime(a)
	bt, notB := event.ParseTime(b)
	an, errA := strconv.ParseFloat(a, 64)
	bn, errB := strconv.ParseFloat(b, 64)
	greater := b > a
	switch {
	case notA == nil && notB == nil:
		greater = bt.After(at)
	case errA == nil && errB == nil:
		greater = bn > an
	}
	if greater {
		return b
	}
	return a
}

// next is the address of the page behind this one, "" for none.
func (p *Poller) next(address string, answer *answer, records int, at place) (string, error) {
	var next string
	switch p.cfg.Pages {
	case "none": // but a cursor that moves with every answer is one, too
		if p.cfg.Cursor == "body" && records > 0 && at.Pending != "" && at.Pending != at.Cursor {
			next = p.cfg.expand(at.Pending, "")
		}
	case "link":
		next = nextLink(answer.header)
	case "body":
		next = p.paths.next.text(answer.body)
		if next != "" && !strings.HasPrefix(next, "/") && !strings.HasPrefix(next, "https://") && !strings.HasPrefix(next, "http://") {
			if !strings.Contains(p.cfg.URL, "{page}") {
				return "", errors.New("next_path leads to no address, and url has no {page}")
			}
			next = p.cfg.expand(at.Cursor, next)
		}
	case "number":
		if records > 0 {
			next = p.cfg.expand(at.Cursor, strconv.Itoa(at.Number+1))
		}
	}
	if next == "" {
		return "", nil
	}
	from, err := url.Parse(address)
	if err != nil {
		return "", err
	}
	to, err := from.Parse(next)
	if err != nil {
		return "", errors.New("it is no address")
	}
	to.Fragment = ""
	if err := p.cfg.checkNext(to); err != nil {
		return "", err
	}
	if to.String() == address {
		return "", errors.New("it is the same page again")
	}
	return to.String(), nil
}
