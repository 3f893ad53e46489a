// Package httpapi is the HTTP server: the only home of gin and huma.
//
// Two kinds of route live side by side.
//
//   - Tracking (/v1/batch, /v1/track, …) are plain handlers that answer as the
//     clients of Segment expect: 200 {"success":true} whenever the body could be
//     read, with refused calls in the dead letters; 400 only for a body that no
//     retry can mend, because clients throw the batch away; 429 with Retry-After
//     under load; CORS on every answer, so that pages can read it.
//   - Everything else is declared to huma, which validates it and writes
//     /openapi.json. Errors are RFC 9457 problem documents whose errors[].location
//     names the field. Unknown query parameters and unknown fields are refused.
//
// # Order of a request
//
//	request id, recovery, access log, metrics -> security headers -> UTF-8 of the
//	address -> host and cross-origin protection -> route -> key and scope -> body, inflated
//	and bounded -> Idempotency-Key -> validation -> handler
//
// # Keys
//
// With keys configured every route but /healthz, /readyz, /openapi.json and the
// pages needs one that carries the route's scope: ingest, read or admin (which
// includes both). Secrets are hashed at start and compared in constant time;
// logs name keys, never secrets.
//
// Invariants: a stored Idempotency-Key answers without the handler being called;
// no answer that needs no key carries the text of an internal error; an address that other machines
// can reach is refused without keys unless the configuration says insecure; nor does
// a server without keys answer to another name than this machine's.
package httpapi
