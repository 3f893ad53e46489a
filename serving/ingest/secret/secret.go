// Package secret reads secrets that a configuration names instead of holding: ${NAME} is
// an environment variable, ${file:/path} the first line of a file, and text around them stays.
package secret

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
)

// Source is where secrets are.
type Source struct {
	Env  func(name string) (string, bool)
	File func(path string) ([]byte, error)
}

// System are the process's environment and files.
func System() Source { return Source{os.LookupEnv, os.ReadFile} }

var reference = regexp.MustCompile(`\$\{(file:[^{}]+|[A-Za-z_][A-Za-z0-9_]*)\}`)

// Named reports whether the text names a secret.
func Named(text string) bool { return reference.MatchString(text) }

// Only reports whether the text is a name of a secret, perhaps behind a word such as Bearer, and
// so tells nobody anything.
func Only(text string) bool {
	if word, rest, ok := strings.Cut(text, " "); ok && (word == "Bearer" || word == "Basic" || word == "Token") {
		text = rest
	}
	return text != "" && reference.ReplaceAllString(text, "") == ""
}

// maxBytes bounds a secret.
const maxBytes = 16 << 10

// Expand is the text with what it names in place. The error names a variable or file, never a value.
func (s Source) Expand(text string) (string, error) {
	var failed error
	out := reference.ReplaceAllStringFunc(text, func(r string) string {
		v, err := s.value(r[2 : len(r)-1])
		if err != nil && failed == nil {
			failed = err
		}
		return v
	})
	switch {
	case failed != nil:
		return "", failed
	case strings.ContainsAny(out, "\r\n\x00"):
		return "", errors.New("the value has more than one line")
	}
	return out, nil
}

func (s Source) value(name string) (string, error) {
	path, isFile := strings.CutPrefix(name, "file:")
	if !isFile {
		v, ok := s.Env(name)
		if !ok || v == "" {
			return "", fmt.Errorf("the environment variable %s is not set", name)
		}
		return v, nil
	}
	if s.File == nil {
		return "", fmt.Errorf("the file %s: files are not read here", path)
	}
	b, err := s.File(path)
	switch {
	case err != nil:
		return "", fmt.Errorf("the file %s cannot be read", path)
	case len(b) > maxBytes:
		return "", fmt.Errorf("the file %s has %d bytes; at most %d are read", path, len(b), maxBytes)
	}
	v := strings.TrimRight(string(b), "\r\n")
	if v == "" {
		return "", fmt.Errorf("the file %s is empty", path)
	}
	return v, nil
}
