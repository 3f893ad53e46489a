package poll

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// nextLink is the target of the first link with the relation next (RFC 8288), "" for none.
func nextLink(h http.Header) string {
	rest := strings.Join(h.Values("Link"), ", ")
	for {
		start := strings.IndexByte(rest, '<')
		if start < 0 {
			return ""
		}
		target, after, ok := strings.Cut(rest[start+1:], ">")
		if !ok {
			return ""
		}
		parameters, remaining := cutLink(after)
		if isNext(parameters) {
			return target
		}
		rest = remaining
	}
}

// cutLink cuts s at the comma that ends a link, which is none inside quotes.
func cutLink(s string) (parameters, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// isNext reports whether the first rel among the parameters has next in it.
func isNext(parameters string) bool {
	for parameters != "" {
		var parameter string
		parameter, parameters = cutParameter(parameters)
		name, value, _ := strings.Cut(parameter, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "rel") {
			continue
		}
		for _, relation := range strings.Fields(strings.Trim(strings.TrimSpace(value), `"`)) {
			if strings.EqualFold(relation, "next") {
				return true
			}
		}
		return false
	}
	return false
}

func cutParameter(s string) (parameter, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// retryAfter is what an answer asks to wait, in seconds or until a date; 0 for nothing.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}
