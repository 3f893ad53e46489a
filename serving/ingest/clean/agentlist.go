package clean

import (
	"bytes"
	"compress/gzip"
	_ "embed" // the list of crawlers
	"encoding/json"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

//go:embed vendored/crawler-user-agents/crawler-user-agents.json.gz
var crawlers []byte

// maxPatterns bounds an operator's list.
const maxPatterns = 20_000

// agentList knows the user agents of programs. Patterns that are plain text, as nearly all
// are, are found by their first three bytes; the rest are regular expressions tried one by one.
type agentList struct {
	plain    map[uint32][]string
	patterns []*regexp.Regexp
	never    []*regexp.Regexp // no programs, whatever the others say
}

// newAgentList reads the vendored list and behind it the operator's, which may be empty.
func newAgentList(operator []byte) (*agentList, error) {
	l := &agentList{plain: map[uint32][]string{}}
	r, err := gzip.NewReader(bytes.NewReader(crawlers))
	if err != nil {
		return nil, fmt.Errorf("the embedded list of crawlers: %w", err)
	}
	var entries []struct {
		Pattern string `json:"pattern"`
	}
	if err := json.NewDecoder(r).Decode(&entries); err != nil {
		return nil, fmt.Errorf("the embedded list of crawlers: %w", err)
	}
	for _, e := range entries {
		if err := l.add(e.Pattern); err != nil {
			return nil, fmt.Errorf("the embedded list of crawlers: %w", err)
		}
	}
	for i, line := range strings.Split(string(operator), "\n") {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		if i > maxPatterns {
			return nil, fmt.Errorf("more than %d lines", maxPatterns)
		}
		if pattern, never := strings.CutPrefix(line, "!"); never {
			re, err := regexp.Compile(pattern)
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", i+1, err)
			}
			l.never = append(l.never, re)
		} else if err := l.add(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
	}
	return l, nil
}

func (l *agentList) add(pattern string) error {
	if len(pattern) > 500 {
		return fmt.Errorf("%.60q…: a pattern may have at most 500 bytes", pattern)
	}
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return err
	}
	if parsed.Op == syntax.OpLiteral && parsed.Flags&syntax.FoldCase == 0 {
		if text := string(parsed.Rune); len(text) >= 3 {
			l.plain[three(text)] = append(l.plain[three(text)], text)
			return nil
		}
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	if re.MatchString("") {
		return fmt.Errorf("%q matches everything; name a part that only programs have", pattern)
	}
	l.patterns = append(l.patterns, re)
	return nil
}

func three(s string) uint32 { return uint32(s[0])<<16 | uint32(s[1])<<8 | uint32(s[2]) }

// find is the reason why the user agent is a program's, or "".
func (l *agentList) find(ua string) string {
	if l.exempt(ua) {
		return ""
	}
	for i := 0; i+3 <= len(ua); i++ {
		for _, text := range l.plain[three(ua[i:])] {
			if strings.HasPrefix(ua[i:], text) {
				return "user_agent:" + clip(text, 60)
			}
		}
	}
	for _, re := range l.patterns {
		if re.MatchString(ua) {
			return "user_agent:" + clip(re.String(), 60)
		}
	}
	return ""
}

func (l *agentList) exempt(ua string) bool {
	for _, re := range l.never {
		if re.MatchString(ua) {
			return true
		}
	}
	return false
}
