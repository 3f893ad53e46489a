package door

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"
)

func b64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

func jwt(t *testing.T, key *rsa.PrivateKey, head, claims string) string {
	t.Helper()
	text := b64url([]byte(head)) + "." + b64url([]byte(claims))
	sum := sha256.Sum256([]byte(text))
	sig, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + text + "." + b64url(sig)
}

func jwk(kid string, k *rsa.PublicKey, more string) string {
	return fmt.Sprintf(`{"kty":"RSA","kid":%q,"n":%q,"e":%q%s}`, kid, b64url(k.N.Bytes()), b64url(big.NewInt(int64(k.E)).Bytes()), more)
}

func TestBearerTokensAreVerified(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	keys, err := ParseJWKS([]byte(`{"keys":[{"kty":"EC","kid":"e"},` + jwk("k1", &key.PublicKey, `,"alg":"RS256","use":"sig"`) + `,` + jwk("enc", &key.PublicKey, `,"use":"enc"`) + `]}`))
	if err != nil || len(keys) != 1 {
		t.Fatalf("%v, %v", keys, err)
	}
	o := DefaultOIDC()
	o.Audience, o.Email = "https://kindred.example/push", "push@p.iam.gserviceaccount.com"
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	const head = `{"alg":"RS256","kid":"k1","typ":"JWT"}`
	claims := func(change func(map[string]any)) string {
		m := map[string]any{"iss": "https://accounts.google.com", "aud": o.Audience, "email": o.Email, "email_verified": true,
			"sub": "1", "iat": noon.Add(-time.Minute).Unix(), "exp": noon.Add(time.Hour).Unix()}
		if change != nil {
			change(m)
		}
		b, _ := json.Marshal(m)
		return string(b)
	}
	good := jwt(t, key, head, claims(nil))
	if c, err := o.Verify(good, keys, noon); err != nil || c.Email != o.Email || c.Subject != "1" || !c.Expires.Equal(noon.Add(time.Hour)) {
		t.Fatalf("%+v, %v", c, err)
	}
	if _, err := o.Verify(good, keys, noon.Add(time.Hour+30*time.Second)); err != nil {
		t.Errorf("within the leeway: %v", err)
	}
	set := func(name string, v any) func(map[string]any) { return func(m map[string]any) { m[name] = v } }
	parts := strings.Split(strings.TrimPrefix(good, "Bearer "), ".")
	mac := hmac.New(sha256.New, key.PublicKey.N.Bytes()) // the public key as a shared secret
	hs := b64url([]byte(`{"alg":"HS256","kid":"k1"}`)) + "." + parts[1]
	mac.Write([]byte(hs))
	for name, c := range map[string]struct {
		token string
		now   time.Time
	}{
		"nothing":          {"", noon},
		"another scheme":   {"Basic " + parts[0], noon},
		"two parts":        {"Bearer " + parts[0] + "." + parts[1], noon},
		"another key":      {jwt(t, other, head, claims(nil)), noon},
		"other claims":     {"Bearer " + parts[0] + "." + b64url([]byte(claims(set("sub", "2")))) + "." + parts[2], noon},
		"none":             {"Bearer " + b64url([]byte(`{"alg":"none","kid":"k1"}`)) + "." + parts[1] + ".", noon},
		"HS256":            {"Bearer " + hs + "." + b64url(mac.Sum(nil)), noon},
		"RS512 by name":    {jwt(t, key, `{"alg":"RS512","kid":"k1"}`, claims(nil)), noon},
		"crit":             {jwt(t, key, `{"alg":"RS256","kid":"k1","crit":["x"]}`, claims(nil)), noon},
		"issuer":           {jwt(t, key, head, claims(set("iss", "https://evil.example"))), noon},
		"audience":         {jwt(t, key, head, claims(set("aud", "https://other.example"))), noon},
		"no audience":      {jwt(t, key, head, claims(set("aud", nil))), noon},
		"e-mail":           {jwt(t, key, head, claims(set("email", "x@y"))), noon},
		"unverified":       {jwt(t, key, head, claims(set("email_verified", false))), noon},
		"expired":          {good, noon.Add(time.Hour + 2*time.Minute)},
		"without an end":   {jwt(t, key, head, claims(set("exp", nil))), noon},
		"end as text":      {jwt(t, key, head, claims(set("exp", "9999999999"))), noon},
		"from the future":  {jwt(t, key, head, claims(set("iat", noon.Add(time.Hour).Unix()))), noon},
		"not before":       {jwt(t, key, head, claims(set("nbf", noon.Add(time.Hour).Unix()))), noon},
		"names twice":      {jwt(t, key, head, strings.Replace(claims(nil), "{", `{"aud":"x",`, 1)), noon},
		"claims not JSON":  {jwt(t, key, head, "x"), noon},
		"bent signature":   {good[:len(good)-8] + "AAAAAAAA", noon},
		"padded signature": {good + "=", noon},
	} {
		if c, err := o.Verify(c.token, keys, c.now); err == nil {
			t.Errorf("%s was accepted: %+v", name, c)
		}
	}
	if _, err := o.Verify(jwt(t, key, `{"alg":"RS256","kid":"k2"}`, claims(nil)), keys, noon); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("an unknown key: %v", err)
	}
	if _, err := o.Verify(jwt(t, key, head, claims(set("aud", []string{"x", o.Audience}))), keys, noon); err != nil {
		t.Errorf("a list of audiences: %v", err)
	}
	small := &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1023), E: 65537}
	for _, set := range []string{``, `{}`, `{"keys":[` + jwk("k", small, "") + `]}`, `{"keys":[` + jwk("", &key.PublicKey, "") + `]}`, `{"keys":[` + jwk("k", &key.PublicKey, `,"alg":"RS512"`) + `]}`} {
		if _, err := ParseJWKS([]byte(set)); err == nil {
			t.Errorf("%s was taken", clip(set))
		}
	}
	for field, bad := range map[string]OIDC{"issuers": {Audience: "a"}, "audience": DefaultOIDC(), "leeway": {Issuers: []string{"i"}, Audience: "a", Leeway: time.Hour}} {
		if err := bad.Validate(); err == nil || !strings.HasPrefix(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func FuzzOIDC(f *testing.F) {
	f.Add("Bearer e30.e30.e30", []byte(`{"keys":[{"kty":"RSA"}]}`))
	f.Fuzz(func(t *testing.T, authorization string, set []byte) {
		keys, err := ParseJWKS(set)
		if err != nil {
			keys = Keys{}
		}
		if _, err := DefaultOIDC().Verify(authorization, keys, noon); err == nil {
			t.Error("a token without a key of ours was accepted")
		}
	})
}
