package split

import (
	"fmt"
	"slices"
	"strings"
)

// Protocol names a way to divide.
type Protocol string

// The protocols.
const (
	Time        Protocol = "time"
	UserTime    Protocol = "user-time"
	Given       Protocol = "given"
	LeaveOneOut Protocol = "leave-one-out"
	Session     Protocol = "session"
)

// Protocols are all of them, in the order that help texts print.
func Protocols() []Protocol { return []Protocol{Time, UserTime, Given, LeaveOneOut, Session} }

// ParseProtocol reads a protocol's name; the error lists the names there are.
func ParseProtocol(s string) (Protocol, error) {
	if p := Protocol(s); slices.Contains(Protocols(), p) {
		return p, nil
	}
	names := make([]string, 0, len(Protocols()))
	for _, p := range Protocols() {
		names = append(names, string(p))
	}
	return "", fmt.Errorf("protocol %q: use one of %s", s, strings.Join(names, ", "))
}
