package poll

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// answer is one page.
type answer struct {
	unchanged bool
	header    http.Header
	body      json.RawMessage
}

// fetch gets one page. Errors do not have the address, whose query may be secret.
func (p *Poller) fetch(ctx context.Context, address string, at place) (*answer, error) {
	ctx, cancel := context.WithTimeout(ctx, p.cfg.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, errors.New("the address cannot be read")
	}
	if err := p.cfg.checkNext(request.URL); err != nil {
		return nil, err
	}
	request.Header = p.headers.Clone()
	if at.Page == "" && at.Whole == address {
		if at.ETag != "" {
			request.Header.Set("If-None-Match", at.ETag)
		}
		if at.LastModified != "" {
			request.Header.Set("If-Modified-Since", at.LastModified)
		}
	}
	response, err := p.client.Do(request)
	if err != nil {
		var where *url.Error
		if errors.As(err, &where) {
			err = where.Err
		}
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNotModified && at.Whole == address {
		return &answer{unchanged: true}, nil
	}
	if response.StatusCode != http.StatusOK {
		err := &statusError{response.StatusCode}
		if after := retryAfter(response.Header, p.deps.Now()); after > 0 {
			return nil, &waitError{after, err}
		}
		return nil, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, p.cfg.MaxBodyBytes+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", err)
	case int64(len(body)) > p.cfg.MaxBodyBytes:
		return nil, fmt.Errorf("the answer has more than %d bytes; see max_body_bytes", p.cfg.MaxBodyBytes)
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if !json.Valid(body) {
		return nil, errors.New("the answer is no JSON")
	}
	return &answer{header: response.Header, body: body}, nil
}

// statusError is an answer that is no page.
type statusError struct{ code int }

func (e *statusError) Error() string {
	return fmt.Sprintf("the answer is %d %s", e.code, http.StatusText(e.code))
}
