// Package poll fetches people from another system's HTTP interface on an interval
// and makes identify calls of them: the connector http_poll, for a CRM that sends
// no webhooks.
//
// A run reads the pages of a list of records, one after the other. Each page's calls are handed
// to Accept, and only when that has made them durable is the place in the list saved; so a
// crash reads a page twice and loses none. A record's call has an id that is made of
// the connector's name, the record's id, its time of change and what is sent, so that
// the second reading of the same state is a duplicate, which the fold drops; what this process has sent
// lately it does not send again at all.
//
// A failed run is tried again with exponential back-off and jitter, or when the other
// side says (Retry-After).
//
// Where the addresses come from outside (the configuration, links in answers), they are
// held to the configured host and, when connecting, to public addresses: a name that
// resolves into the own network is refused unless that is allowed, and so is plain HTTP.
// A redirect to another host is not followed.
//
// Invariant: the saved place never runs ahead of what Accept has acknowledged.
package poll
