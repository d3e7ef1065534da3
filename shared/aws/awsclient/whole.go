package awsclient

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
)

// maxWhole is the longest body, in bytes, that [httpClient.Do] copies.
const maxWhole = 64 << 10

// Do makes the request. net/http writes the header and the body at once if it can tell that the body is in memory. It cannot tell that of
// the SDK's readers, and would write one after the other: another record of TLS, and another call of the system. So a short body gets a
// reader that it knows.
func (c *httpClient) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.ContentLength > 0 && r.ContentLength <= maxWhole {
		body := make([]byte, r.ContentLength)
		if _, err := io.ReadFull(r.Body, body); err != nil {
			return nil, fmt.Errorf("read the request's body: %w", err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
	}
	return c.Client.Do(r)
}
