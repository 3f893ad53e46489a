// Package snippet serves what pages load to track their visitors: our own small
// script at "/kindred.js", and Segment's analytics.js where Segment's snippet looks
// for it, so that a page that uses it moves here by changing a host.
//
//	/kindred.js                                 our script
//	/analytics.js/v1/{key}/analytics.min.js     Segment's library, as its snippet asks for it
//	/analytics-next/bundles/{file}              its lazily loaded chunks
//	/v1/projects/{key}/settings                 its settings: where to send, how to batch and retry
//
// Our script is written by hand for current browsers, in the folder page: kindred.js is
// where it begins. What browsers get is kindred.min.js, which "go generate" makes of the folder
// with esbuild (deploy/services/minify.sh) and which is committed, so that building
// the server needs no Node.js; it has at most 5,000 bytes when compressed. Tests here hold
// both promises; serving/ingest/compat runs the script in a browser.
//
// Files written by other projects live in vendored/, with version, licence and checksum.
//
// Everything here is public: a page's write key is no secret. What is sent, and what
// for, is described in docs/snippet.md; the calls arrive at serving/httpapi.
package snippet
