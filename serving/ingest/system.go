package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kindred/data"
	"kindred/data/event"
	"kindred/features/identity"
)

// UserSource is the source of events that the users API makes.
const UserSource = "users-api"

// Identify appends an identify event for each user, so that the fold and a replay
// agree on their traits: all of them or none. The error is a *UserError for traits
// that are no JSON, or that an event cannot hold, and for a user that identifies
// nobody; else it is data.ErrOverloaded or the log's, wrapped.
func (s *Service) Identify(ctx context.Context, users []data.User) error {
	now := s.deps.Now().UTC().Truncate(time.Millisecond)
	events := make([]data.Event, 0, len(users))
	for i, u := range users {
		traits, err := json.Marshal(u.Traits)
		if err != nil {
			return &UserError{i, u.ID, err}
		}
		if u.Traits == nil {
			traits = nil
		}
		e := data.Event{
			V: data.EventVersion, ID: s.deps.NewID(), Source: UserSource, Space: s.cfg.Space, Env: s.cfg.Env,
			Type: data.Identify, IDs: data.IDs{User: u.ID}, Traits: traits,
			Times: data.Times{Event: now, Received: now},
		}
		if e.Profile, err = s.route(ctx, e.IDs); errors.Is(err, identity.ErrNobody) {
			return &UserError{i, u.ID, err}
		} else if err != nil {
			return fmt.Errorf("user %q: %w", u.ID, err)
		}
		if err := readable(e); err != nil {
			return &UserError{i, u.ID, err}
		}
		events = append(events, e)
	}
	return s.Append(ctx, events)
}

// UserError says why one of the users given to Identify cannot be stored.
type UserError struct {
	Index int // in the list
	User  data.UserID
	Err   error
}

func (e *UserError) Error() string { return fmt.Sprintf("user %q: %v", e.User, e.Err) }

// Unwrap gives access to the cause.
func (e *UserError) Unwrap() error { return e.Err }

// readable is the objection of the log's readers to e, if they have one: what they
// refuse must not be acknowledged. e is no larger than a tracking call may be.
func readable(e data.Event) error {
	b := event.Append(nil, e)
	if len(b) > event.MaxCallBytes {
		return fmt.Errorf("%d bytes as an event; at most %d are taken", len(b), event.MaxCallBytes)
	}
	_, err := event.Decode(b)
	return err
}

// DeleteUser appends the delete event that erases the user's profile. Deleting
// somebody nobody has met is data.ErrNotFound.
func (s *Service) DeleteUser(ctx context.Context, user data.UserID) error {
	profile, err := s.deps.Index.Lookup(ctx, data.IDUser, string(user))
	if err != nil {
		return fmt.Errorf("delete user %q: %w", user, err)
	}
	return s.Append(ctx, []data.Event{s.system(data.SysDelete, s.deps.NewID(), profile, data.IDs{User: user})})
}

// Show queues the impression of a list for the log. It never waits: with the
// queue full the impression is dropped and counted. The event has an id of its own:
// the request's may be the client's, and occur more than once.
func (s *Service) Show(profile data.ProfileID, ids data.IDs, shown data.Shown, ctx json.RawMessage) {
	e := s.system(data.SysImpression, s.deps.NewID(), profile, ids)
	e.Shown, e.Ctx = &shown, ctx
	select {
	case s.shown <- e:
	default:
		s.counts.shownDropped.Add(1)
	}
}

// system is a system event about a profile.
func (s *Service) system(name, id string, profile data.ProfileID, ids data.IDs) data.Event {
	now := s.deps.Now().UTC().Truncate(time.Millisecond)
	return data.Event{
		V: data.EventVersion, ID: id, Source: "kindred", Space: s.cfg.Space, Env: s.cfg.Env,
		Type: data.System, Name: name, IDs: ids, Profile: profile, Times: data.Times{Event: now, Received: now},
	}
}

// maxShownBatch bounds how many impressions go into one write.
const maxShownBatch = 256

// Run logs queued impressions until ctx ends, then what is still queued, and
// returns nil. What the log refuses is dropped and counted.
func (s *Service) Run(ctx context.Context) error {
	for {
		select {
		case e := <-s.shown:
			s.logShown(ctx, s.gather(ctx, e))
		case <-ctx.Done():
			drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			for {
				select {
				case e := <-s.shown:
					s.logShown(drain, s.gather(ctx, e))
				default:
					return nil
				}
			}
		}
	}
}

// gather is the impression and those that come while it lingers; when ctx ends, those
// that are there.
func (s *Service) gather(ctx context.Context, first data.Event) []data.Event {
	batch := append(make([]data.Event, 0, 16), first)
	linger := time.NewTimer(s.cfg.ImpressionLinger)
	defer linger.Stop()
	for waiting := true; len(batch) < maxShownBatch; {
		if waiting {
			select {
			case e := <-s.shown:
				batch = append(batch, e)
				continue
			case <-linger.C:
			case <-ctx.Done():
			}
			waiting = false
		}
		select {
		case e := <-s.shown:
			batch = append(batch, e)
		default:
			return batch
		}
	}
	return batch
}

// logShown writes impressions.
func (s *Service) logShown(ctx context.Context, batch []data.Event) {
	err := s.appendShown(ctx, batch)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		err = s.appendShown(drain, batch)
	}
	if err != nil {
		s.counts.shownDropped.Add(uint64(len(batch)))
		return
	}
	s.counts.shownLogged.Add(uint64(len(batch)))
}

// appendShown makes impressions durable. They are no news to the person's own
// profile, so their positions are not noted.
func (s *Service) appendShown(ctx context.Context, batch []data.Event) error {
	return s.append(ctx, batch, false)
}

// Command appends a system event that an operator asked for, such as an unmerge.
func (s *Service) Command(ctx context.Context, e data.Event) error {
	now := s.deps.Now().UTC().Truncate(time.Millisecond)
	e.Space, e.Env, e.Times = s.cfg.Space, s.cfg.Env, data.Times{Event: now, Received: now}
	return s.Append(ctx, []data.Event{e})
}
