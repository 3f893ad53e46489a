package door

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Get fetches an address with an Authorization header, "" for none, at most so many bytes of it.
// ErrNoSchema says that there is nothing at it.
type Get func(ctx context.Context, address, authorization string, most int64) ([]byte, error)

// KeysError says that an issuer's keys cannot be had now: the sender should try again.
type KeysError struct{ Err error }

func (e *KeysError) Error() string { return "fetch the issuer's keys: " + e.Err.Error() }

// Unwrap gives access to the cause.
func (e *KeysError) Unwrap() error { return e.Err }

// IsLater reports whether the sender should try again: nothing is wrong with what it sent.
func IsLater(err error) bool {
	var keys *KeysError
	var schema *RegistryError
	return errors.As(err, &keys) || errors.As(err, &schema)
}

// A fetched key set is believed for keysAge; between two fetches there is at least keysPause, so that
// tokens of made-up keys cannot make us ask.
const (
	keysAge   = time.Hour
	keysPause = time.Minute
)

// keySet is an issuer's keys, fetched when they are needed.
type keySet struct {
	get func(context.Context) ([]byte, error)

	turn    chan struct{} // holds one: guards what follows, and gives up with the context
	keys    Keys
	fetched time.Time // the last success
	tried   time.Time
	failed  error // of the last try
}

func newKeySet(get func(context.Context) ([]byte, error)) *keySet {
	k := &keySet{get: get, turn: make(chan struct{}, 1)}
	k.turn <- struct{}{}
	return k
}

// current are the keys as of now; anew asks for others than those that are known. The error is a *KeysError.
// Old keys stand while others cannot be had.
func (k *keySet) current(ctx context.Context, now time.Time, anew bool) (Keys, error) {
	select {
	case <-k.turn:
		defer func() { k.turn <- struct{}{} }()
	case <-ctx.Done():
		return nil, &KeysError{ctx.Err()}
	}
	if k.keys != nil && !anew && now.Sub(k.fetched) < keysAge {
		return k.keys, nil
	}
	if k.tried.IsZero() || now.Sub(k.tried) >= keysPause {
		k.tried = now
		b, err := k.get(ctx)
		var keys Keys
		if err == nil {
			keys, err = ParseJWKS(b)
		}
		if k.failed = err; err == nil {
			k.keys, k.fetched = keys, now
		} else if ctx.Err() != nil {
			k.tried = time.Time{} // the asker went away: that says nothing about the issuer
		}
	}
	if k.keys == nil {
		if k.failed == nil {
			k.failed = errors.New("not yet")
		}
		return nil, &KeysError{k.failed}
	}
	return k.keys, nil
}

// Push is a subscription that may push.
type Push struct {
	oidc OIDC
	keys *keySet
}

// Verify checks the token of a push. A *KeysError asks the sender to try again; another
// error refuses it, says why, and is no secret.
func (p *Push) Verify(ctx context.Context, authorization string, now time.Time) error {
	if bearer(authorization) == "" {
		return errors.New("the header Authorization holds no bearer token")
	}
	keys, err := p.keys.current(ctx, now, false)
	if err != nil {
		return err
	}
	if _, err = p.oidc.Verify(authorization, keys, now); errors.Is(err, ErrUnknownKey) {
		if keys, err = p.keys.current(ctx, now, true); err != nil {
			return err
		}
		_, err = p.oidc.Verify(authorization, keys, now)
	}
	if err != nil {
		return fmt.Errorf("the token is refused: %w", err)
	}
	return nil
}
