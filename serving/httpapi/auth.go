package httpapi

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
)

// keyring decides who a caller is. It holds digests only.
type keyring struct {
	keys []ringKey
}

type ringKey struct {
	name   string
	digest [sha256.Size]byte
	scopes []Scope
}

// newKeyring takes keys that Config.Validate accepted.
func newKeyring(keys []Key) keyring {
	var ring keyring
	for _, k := range keys {
		d, err := k.digest()
		if err != nil {
			continue // Validate refuses it; it opens nothing
		}
		ring.keys = append(ring.keys, ringKey{k.Name, d, k.Scopes})
	}
	return ring
}

// open reports whether no keys are configured: then everybody may do everything.
func (r keyring) open() bool { return len(r.keys) == 0 }

// find returns the key that secret belongs to. Every key is compared, each in
// constant time, so the time taken tells nothing about the secrets.
func (r keyring) find(secret string) (ringKey, bool) {
	presented := sha256.Sum256([]byte(secret))
	found, ok := ringKey{}, false
	for _, k := range r.keys {
		if subtle.ConstantTimeCompare(k.digest[:], presented[:]) == 1 {
			found, ok = k, true
		}
	}
	return found, ok && secret != ""
}

// may reports whether the key carries the scope: admin carries all, read recommend.
func (k ringKey) may(s Scope) bool {
	return slices.Contains(k.scopes, s) || slices.Contains(k.scopes, ScopeAdmin) || s == ScopeRecommend && slices.Contains(k.scopes, ScopeRead)
}

// presented is the secret in the request's headers: Authorization Bearer or
// Basic (the key is the user name, as trackers send it), or X-API-Key. Empty when none.
func presented(h http.Header) string {
	if key := h.Get("X-API-Key"); key != "" {
		return key
	}
	scheme, rest, _ := strings.Cut(h.Get("Authorization"), " ")
	rest = strings.TrimSpace(rest)
	switch strings.ToLower(scheme) {
	case "bearer":
		return rest
	case "basic":
		b, err := base64.StdEncoding.DecodeString(rest)
		if err != nil {
			return ""
		}
		user, _, _ := strings.Cut(string(b), ":")
		return user
	}
	return ""
}
