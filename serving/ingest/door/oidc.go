package door

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"
)

// GoogleJWKS is where Google publishes the keys of Pub/Sub's tokens; the caller fetches it.
const GoogleJWKS = "https://www.googleapis.com/oauth2/v3/certs"

// OIDC says which bearer tokens are accepted.
type OIDC struct {
	// Issuers that may have signed, e.g. https://accounts.google.com.
	Issuers []string `yaml:"issuers"`
	// Audience that the token must be for: the push endpoint's, as the subscription names it.
	Audience string `yaml:"audience"`
	// Email of the service account that must have sent, verified; empty accepts any.
	Email string `yaml:"email"`
	// Leeway for clocks that differ.
	Leeway time.Duration `yaml:"leeway"`
}

// DefaultOIDC is Google's, without audience and e-mail, which must be set.
func DefaultOIDC() OIDC {
	return OIDC{Issuers: []string{"https://accounts.google.com", "accounts.google.com"}, Leeway: time.Minute}
}

// Validate names what cannot be.
func (o OIDC) Validate() error {
	switch {
	case len(o.Issuers) == 0 || slices.Contains(o.Issuers, ""):
		return errors.New("issuers: must name at least one issuer, such as https://accounts.google.com")
	case o.Audience == "":
		return errors.New("audience: is missing; it is the subscription's audience, often the endpoint's address")
	case o.Leeway < 0 || o.Leeway > 10*time.Minute:
		return fmt.Errorf("leeway: is %s; it must be between 0 and 10m", o.Leeway)
	}
	return nil
}

// Keys are public keys by their key id.
type Keys map[string]*rsa.PublicKey

// maxJWKS bounds a key set and a token.
const maxJWKS = 64 << 10

// ParseJWKS reads a JSON Web Key Set (RFC 7517). Keys that are not RSA for RS256 signatures are left
// out, as are those below 2048 bits; without any other it is an error.
func ParseJWKS(b []byte) (Keys, error) {
	if len(b) > maxJWKS {
		return nil, fmt.Errorf("read the key set: %d bytes; at most %d are taken", len(b), maxJWKS)
	}
	set, err := parseObject(b)
	if err != nil {
		return nil, fmt.Errorf("read the key set: it %w", err)
	}
	keys := Keys{}
	for _, raw := range listOf(set.get("keys")) {
		k, err := fieldsOf(raw)
		if err != nil || k.text("kty") != "RSA" || k.text("kid") == "" ||
			k.text("alg") != "" && k.text("alg") != "RS256" || k.text("use") != "" && k.text("use") != "sig" {
			continue
		}
		n, err1 := base64.RawURLEncoding.DecodeString(strings.TrimRight(k.text("n"), "="))
		e, err2 := base64.RawURLEncoding.DecodeString(strings.TrimRight(k.text("e"), "="))
		exponent := new(big.Int).SetBytes(e)
		key := &rsa.PublicKey{N: new(big.Int).SetBytes(n)}
		if err1 != nil || err2 != nil || key.N.BitLen() < 2048 || key.N.BitLen() > 8192 || exponent.BitLen() > 31 || exponent.Int64() < 3 {
			continue
		}
		key.E = int(exponent.Int64())
		keys[k.text("kid")] = key
	}
	if len(keys) == 0 {
		return nil, errors.New("read the key set: it holds no RSA key of at least 2048 bits with a kid")
	}
	return keys, nil
}

// Claims are what a verified token says.
type Claims struct {
	Issuer, Audience, Subject, Email string
	Expires                          time.Time
}

// ErrUnknownKey is the refusal of a token whose key is not in the set: the caller may fetch the set anew.
var ErrUnknownKey = errors.New("the token's key is not in the key set")

// Verify checks the bearer token of an Authorization header: RS256 by one of the keys, issuer,
// audience, e-mail, and that now lies within its life. The error says which failed, and is no secret.
func (o OIDC) Verify(authorization string, keys Keys, now time.Time) (Claims, error) {
	token := bearer(authorization)
	if token == "" {
		return Claims{}, errors.New("the header Authorization holds no bearer token")
	}
	if len(token) > maxJWKS {
		return Claims{}, errors.New("the token is too long")
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return Claims{}, errors.New("the token is no signed JWT: it needs three parts")
	}
	head, err := jwtPart(parts[0])
	if err != nil {
		return Claims{}, fmt.Errorf("the token's header %w", err)
	}
	if alg := head.text("alg"); alg != "RS256" {
		return Claims{}, fmt.Errorf("the token is signed by %q; only RS256 is accepted", clip(alg))
	}
	if head.get("crit") != nil {
		return Claims{}, errors.New("the token demands extensions (crit) that are not known here")
	}
	key := keys[head.text("kid")]
	if key == nil {
		return Claims{}, ErrUnknownKey
	}
	signature, err := base64.RawURLEncoding.Strict().DecodeString(parts[2])
	if err != nil {
		return Claims{}, errors.New("the token's signature is not Base64")
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature) != nil {
		return Claims{}, errors.New("the token's signature is wrong")
	}
	body, err := jwtPart(parts[1])
	if err != nil {
		return Claims{}, fmt.Errorf("the token's claims %w", err)
	}
	return o.claims(body, now)
}

// claims checks what a token with a good signature says.
func (o OIDC) claims(body *object, now time.Time) (Claims, error) {
	c := Claims{Issuer: body.text("iss"), Subject: body.text("sub"), Email: body.text("email")}
	audiences := []string{body.text("aud")}
	for _, a := range listOf(body.get("aud")) {
		audiences = append(audiences, textOf(a))
	}
	expires, known := seconds(body.get("exp"))
	c.Expires = expires
	from, started := seconds(body.get("nbf"))
	issued, dated := seconds(body.get("iat"))
	switch {
	case !slices.Contains(o.Issuers, c.Issuer):
		return Claims{}, fmt.Errorf("the token's issuer %q is not one of %s", clip(c.Issuer), strings.Join(o.Issuers, ", "))
	case o.Audience == "" || !slices.Contains(audiences, o.Audience):
		return Claims{}, errors.New("the token is for another audience")
	case !known:
		return Claims{}, errors.New("the token does not expire (exp); it must")
	case !now.Before(expires.Add(o.Leeway)):
		return Claims{}, fmt.Errorf("the token expired at %s", expires.Format(time.RFC3339))
	case started && now.Add(o.Leeway).Before(from), dated && now.Add(o.Leeway).Before(issued):
		return Claims{}, errors.New("the token is not valid yet")
	case o.Email != "" && (c.Email != o.Email || string(body.get("email_verified")) != "true"):
		return Claims{}, errors.New("the token is not of the expected service account")
	}
	c.Audience = o.Audience
	return c, nil
}

func jwtPart(s string) (*object, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, errors.New("is not Base64")
	}
	return parseObject(b)
}

// seconds is a NumericDate.
func seconds(v json.RawMessage) (time.Time, bool) {
	var f float64
	if len(v) == 0 || json.Unmarshal(v, &f) != nil || !(f >= 0 && f < 1e11) {
		return time.Time{}, false
	}
	return time.Unix(int64(f), 0).UTC(), true
}
