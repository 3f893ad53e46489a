package quota

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Reason says what a limit did, and is what its counter is called.
type Reason uint8

// The reasons.
const (
	None          Reason = iota // nothing: within the limits
	SourceRate                  // the source sends too many calls; the body was refused
	TooManyBytes                // the bodies in flight have too many bytes; the body was refused
	TooManyBodies               // too many bodies are in flight; the body was refused
	BotRate                     // the person sends too many calls; the call was flagged
	PersonRate                  // the person sends far too many calls; the call was refused
	UserSwitches                // the anonymous id comes with too many users; the call was refused
	reasons                     // how many there are
)

var reasonNames = [reasons]string{"", "source.rate", "server.bytes", "server.bodies", "bot.rate", "person.rate", "user.switches"}

// String is the reason's name in metrics and events, such as bot.rate.
func (r Reason) String() string { return reasonNames[r] }

// Flags reports whether the call is kept and flagged.
func (r Reason) Flags() bool { return r == BotRate }

// Refuses reports whether the call is refused.
func (r Reason) Refuses() bool { return r != None && r != BotRate }

var refusals = [reasons]string{
	SourceRate:    "this key sends more calls than it may; try again later",
	TooManyBytes:  "the server takes in as much as it can; try again later",
	TooManyBodies: "the server takes in as much as it can; try again later",
	PersonRate:    "person.rate: more calls of one person than are taken",
	UserSwitches:  "user.switches: the anonymous id comes with more user ids than are taken",
}

// Error is what a client, or a reader of the dead letters, is told.
func (r Reason) Error() string { return refusals[r] }

// Refusal is the answer to a body that is not taken now.
type Refusal struct {
	Reason Reason
	After  time.Duration // when it may be tried again
}

// maxRetry is the longest that Segment's clients wait.
const maxRetry = 300 * time.Second

// Seconds is After in whole seconds, 1 to 300: what Retry-After and X-RateLimit-Reset say.
func (r Refusal) Seconds() int {
	after := min(max(r.After, time.Second), maxRetry)
	return int((after + time.Second - 1) / time.Second)
}

// Error is what the client is told.
func (r Refusal) Error() string { return r.Reason.Error() }

// flagged is what an event that nobody else flagged gets.
var flagged = json.RawMessage(`{"score":0.9,"reasons":["bot.rate"]}`)

// Flag is an event's bot field with the reason bot.rate and a score of .9 at least. bot
// is what it was, nil for nothing; then nothing is allocated, and the result must not
// be changed. Other fields of bot are kept.
func Flag(bot json.RawMessage) json.RawMessage {
	const score = .9
	if bot = bytes.TrimSpace(bot); len(bot) == 0 || string(bot) == "null" {
		return flagged
	}
	fields := map[string]json.RawMessage{}
	if json.Unmarshal(bot, &fields) != nil {
		return flagged
	}
	var was float64
	if json.Unmarshal(fields["score"], &was) != nil || was < score {
		fields["score"] = strconv.AppendFloat(nil, score, 'g', -1, 64)
	}
	var names []string
	json.Unmarshal(fields["reasons"], &names)
	if !slices.Contains(names, BotRate.String()) {
		names = append(names, BotRate.String())
	}
	fields["reasons"], _ = json.Marshal(names) // strings
	out, err := json.Marshal(fields)
	if err != nil { // parts of what was read
		panic(fmt.Sprint("flag: ", err))
	}
	return out
}
