// Package door translates what other systems send into tracking calls of Segment's
// shape, which data/event judges and serving/ingest takes in like any other:
// nothing that comes through a door skips a check.
//
//   - trackers: Rudder, Snowplow, PostHog, Pixel
//   - streams: Firehose, PubSub (with OIDC), Debezium, Webhook (with Signature)
//   - encodings: Protobuf (proto/kindred.proto), Avro, XML
//
// A door is a pure function of the bytes of a request: it reads no clock, draws no
// random number, opens no connection. What it makes is a Batch: calls, and next to them
// the records that could not be translated, for the dead letters. An error means that
// the request as a whole is unreadable (*BodyError, a 400).
//
// # Ids
//
// A call's messageId is the sender's own, or a hash of what stays the same when the sender
// tries again: Firehose's requestId and the record's place, Pub/Sub's messageId, Debezium's
// source position, a webhook's idempotency key, a pixel's query. So a retry is a
// duplicate that the fold drops.
//
// # Bounds
//
// Limits bounds bytes, calls and depth of a request. As in data/event, nothing is
// repaired: bytes that are not UTF-8, half surrogates, and names that occur twice are
// refused where a translator reads them, and left to data/event where it does not.
//
// Invariants: the same request gives the same batch; every call is one JSON object;
// any bytes give a batch or an error (fuzzed).
package door
