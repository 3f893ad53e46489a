// Package session cuts a person's events into sessions, one event at a time.
//
// A session is named by the tracker, or found by inactivity: two events belong
// together when less than the gap lies between them. A late event therefore
//
//   - joins a session that it is less than the gap away from, moving its start or end;
//   - bridges the current session and the one before it when it is that close to both,
//     which makes them one;
//   - otherwise is a session of its own.
//
// Only the two newest sessions are kept. A late event older than both is left out:
// it belongs to a session that was counted and forgotten. So for events later than
// the newest one by less than the gap, the current session and the count equal what
// cutting the sorted list of events would give.
//
// Sessions that a tracker named are only ever joined by their name or, for events
// without one, by being near; they are never bridged.
//
// Invariant: Current is the session with the later start; Previous is zero, or
// starts before Current.
package session
