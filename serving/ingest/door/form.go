package door

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"unicode/utf8"
)

// Document is the JSON document of a body, whatever its Content-Type claims: JSON is taken as it
// is, which RudderStack's clients call a form and browsers text/plain; in a real form the
// document is the field data or payload, as it is or in Base64. A form without them
// becomes an object of its fields. Other bodies come back unchanged, for the reader to refuse.
func Document(contentType string, body []byte) []byte {
	trimmed := bytes.TrimSpace(body)
	if len(trimmed) == 0 || trimmed[0] == '{' || trimmed[0] == '[' ||
		!strings.HasPrefix(strings.TrimSpace(strings.ToLower(contentType)), "application/x-www-form-urlencoded") {
		return body
	}
	form, err := url.ParseQuery(string(trimmed))
	if err != nil {
		return body
	}
	for _, name := range []string{"data", "payload"} {
		text := strings.TrimSpace(form.Get(name))
		if doc := []byte(text); text != "" && (text[0] == '{' || text[0] == '[') && json.Valid(doc) {
			return doc
		}
		if doc, ok := unbase64(text); ok && json.Valid(doc) {
			return doc
		}
	}
	o := newObject()
	for _, name := range sortedKeys(form) {
		if !utf8.ValidString(name) || !utf8.ValidString(form.Get(name)) {
			return body
		}
		o.set(name, quote(form.Get(name)))
	}
	return o.bytes()
}

// unbase64 reads any of Base64's alphabets, with or without padding.
func unbase64(s string) ([]byte, bool) {
	s = strings.TrimRight(strings.ReplaceAll(s, " ", "+"), "=") // a plus that a form made a space
	s = strings.NewReplacer("-", "+", "_", "/").Replace(s)
	b, err := base64.RawStdEncoding.DecodeString(s)
	return b, err == nil && len(b) > 0
}
