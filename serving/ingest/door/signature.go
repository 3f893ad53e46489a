package door

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"strconv"
	"strings"
	"time"
)

// Signature says how a webhook's sender signs, so that Verify can tell its requests from
// anybody's. Forms has the usual ones.
type Signature struct {
	// Header that holds the signature.
	Header string `yaml:"header"`
	// Algorithm of the HMAC: sha256, sha512, or sha1 for senders that have no better.
	Algorithm string `yaml:"algorithm"`
	// Encoding of the signature: hex or base64.
	Encoding string `yaml:"encoding"`
	// Prefix before the signature, such as sha256=.
	Prefix string `yaml:"prefix"`
	// List is the name of the signature in a header that is a list such as t=1,v1=ab,v1=cd; empty where the header holds the signature alone.
	List string `yaml:"list"`
	// TimestampList is the name of the time in such a header.
	TimestampList string `yaml:"timestamp_list"`
	// TimestampHeader is the header that holds the time, Unix seconds.
	TimestampHeader string `yaml:"timestamp_header"`
	// Tolerance is how far the time may be from ours.
	Tolerance time.Duration `yaml:"tolerance"`
	// Signed is what is signed: {body}, with {timestamp} where there is one.
	Signed string `yaml:"signed"`
	// Secrets that may have signed; more than one while a secret is replaced.
	Secrets []string `yaml:"secrets"`
}

// Forms are the usual signatures by their sender's name; Secrets is for the operator to set.
func Forms() map[string]Signature {
	return map[string]Signature{
		"plain":   DefaultSignature(),
		"github":  {Header: "X-Hub-Signature-256", Algorithm: "sha256", Encoding: "hex", Prefix: "sha256=", Signed: "{body}"},
		"shopify": {Header: "X-Shopify-Hmac-Sha256", Algorithm: "sha256", Encoding: "base64", Signed: "{body}"},
		"stripe": {Header: "Stripe-Signature", Algorithm: "sha256", Encoding: "hex", List: "v1", TimestampList: "t",
			Tolerance: 5 * time.Minute, Signed: "{timestamp}.{body}"},
		"slack": {Header: "X-Slack-Signature", Algorithm: "sha256", Encoding: "hex", Prefix: "v0=",
			TimestampHeader: "X-Slack-Request-Timestamp", Tolerance: 5 * time.Minute, Signed: "v0:{timestamp}:{body}"},
		"segment": {Header: "X-Signature", Algorithm: "sha1", Encoding: "hex", Signed: "{body}"},
	}
}

// DefaultSignature is the HMAC-SHA-256 of the body in hexadecimal.
func DefaultSignature() Signature {
	return Signature{Header: "X-Signature", Algorithm: "sha256", Encoding: "hex", Signed: "{body}"}
}

func (s Signature) hash() func() hash.Hash {
	switch s.Algorithm {
	case "sha1":
		return sha1.New
	case "sha256":
		return sha256.New
	case "sha512":
		return sha512.New
	}
	return nil
}

// Validate names the field that cannot be.
func (s Signature) Validate() error {
	timed := s.TimestampHeader != "" || s.TimestampList != ""
	switch {
	case s.Header == "":
		return errors.New("header: is missing; it is the header that holds the signature")
	case s.hash() == nil:
		return fmt.Errorf("algorithm: is %q; it must be sha256, sha512 or sha1", s.Algorithm)
	case s.Encoding != "hex" && s.Encoding != "base64":
		return fmt.Errorf("encoding: is %q; it must be hex or base64", s.Encoding)
	case strings.Count(s.Signed, "{body}") != 1:
		return fmt.Errorf("signed: is %q; it must hold {body} once", s.Signed)
	case strings.Contains(s.Signed, "{timestamp}") != timed:
		return errors.New("signed: must hold {timestamp} where timestamp_header or timestamp_list is set, and only there: a time that is not signed proves nothing")
	case s.TimestampHeader != "" && s.TimestampList != "":
		return errors.New("timestamp_header: is set, and so is timestamp_list; choose one")
	case s.TimestampList != "" && s.List == "":
		return errors.New("timestamp_list: needs list, the signature's name in the same header")
	case timed && s.Tolerance <= 0:
		return fmt.Errorf("tolerance: is %s; it must be positive, such as 5m", s.Tolerance)
	case len(s.Secrets) == 0:
		return errors.New("secrets: must hold at least one secret")
	}
	for i, secret := range s.Secrets {
		if secret == "" {
			return fmt.Errorf("secrets[%d]: is empty", i)
		}
	}
	return nil
}

// maxSignatures bounds how many signatures of a header are tried.
const maxSignatures = 8

// Verify checks that one of the secrets signed the body, and lately. Signatures are compared in
// constant time. The error says what is wrong, and is no secret.
func (s Signature) Verify(header Header, body []byte, now time.Time) error {
	given, stamp, err := s.given(header)
	if err != nil {
		return err
	}
	if stamp != "" {
		unix, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil || unix < 0 || unix > 1e11 {
			return errors.New("the signature's time is not in Unix seconds")
		}
		if off := now.Sub(time.Unix(unix, 0)); off > s.Tolerance || off < -s.Tolerance {
			return fmt.Errorf("the signature is %s old; at most %s are accepted", off.Round(time.Second), s.Tolerance)
		}
	}
	before, after, ok := strings.Cut(s.Signed, "{body}")
	if !ok || s.hash() == nil {
		return errors.New("the signature's settings are not valid")
	}
	fits := false
	for _, secret := range s.Secrets {
		mac := hmac.New(s.hash(), []byte(secret))
		mac.Write([]byte(strings.ReplaceAll(before, "{timestamp}", stamp)))
		mac.Write(body)
		mac.Write([]byte(strings.ReplaceAll(after, "{timestamp}", stamp)))
		want := mac.Sum(nil)
		for _, sum := range given {
			fits = hmac.Equal(sum, want) || fits
		}
	}
	if !fits {
		return errors.New("the signature is wrong")
	}
	return nil
}

// given are the signatures of the request and the time that they cover, "" where none is.
func (s Signature) given(header Header) (sums [][]byte, stamp string, err error) {
	text := strings.TrimSpace(header(s.Header))
	if text == "" {
		return nil, "", fmt.Errorf("the header %s is missing", s.Header)
	}
	signatures := []string{text}
	if s.List != "" {
		signatures = nil
		for _, part := range strings.Split(text, ",") {
			switch name, value, _ := strings.Cut(strings.TrimSpace(part), "="); name {
			case s.List:
				signatures = append(signatures, value)
			case s.TimestampList:
				stamp = value
			}
		}
	}
	if s.TimestampHeader != "" {
		stamp = strings.TrimSpace(header(s.TimestampHeader))
	}
	if (s.TimestampHeader != "" || s.TimestampList != "") && stamp == "" {
		return nil, "", errors.New("the signature's time is missing")
	}
	for _, signature := range signatures[:min(len(signatures), maxSignatures)] {
		code, ok := strings.CutPrefix(signature, s.Prefix)
		if !ok {
			continue
		}
		var sum []byte
		if s.Encoding == "base64" {
			sum, err = base64.StdEncoding.DecodeString(code)
		} else {
			sum, err = hex.DecodeString(code)
		}
		if err == nil {
			sums = append(sums, sum)
		}
	}
	if len(sums) == 0 {
		return nil, "", fmt.Errorf("the header %s holds no signature in %s", s.Header, s.Encoding)
	}
	return sums, stamp, nil
}
