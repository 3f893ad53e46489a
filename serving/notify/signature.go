package notify

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"
)

// SignatureHeader is the name of the header with the signature: t=UNIX SECONDS, and
// v1=HEX once for each secret, the HMAC-SHA256 of the text UNIX SECONDS.BODY.
const SignatureHeader = "Kindred-Signature"

// Sign is the value of the header.
func Sign(at time.Time, body []byte, secrets ...string) string {
	stamp := strconv.FormatInt(at.Unix(), 10)
	text := "t=" + stamp
	for _, s := range secrets {
		text += ",v1=" + hex.EncodeToString(sum(s, stamp, body))
	}
	return text
}

func sum(secret, stamp string, body []byte) []byte {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(stamp))
	h.Write([]byte("."))
	h.Write(body)
	return h.Sum(nil)
}

// ErrSignature says that a request is not from who knows the secret, or is old.
var ErrSignature = errors.New("notify: the signature does not fit")

// Verify is what a receiver does: it checks a header against the body, and that it was made
// within tolerance of now.
func Verify(header string, body []byte, secret string, now time.Time, tolerance time.Duration) error {
	stamp, rest, _ := strings.Cut(header, ",")
	stamp, ok := strings.CutPrefix(stamp, "t=")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if !ok || err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > tolerance {
		return ErrSignature
	}
	want := sum(secret, stamp, body)
	for _, part := range strings.Split(rest, ",") {
		got, err := hex.DecodeString(strings.TrimPrefix(part, "v1="))
		if err == nil && hmac.Equal(got, want) {
			return nil
		}
	}
	return ErrSignature
}
