package twilio

import (
	"errors"
	"io"
	"strings"
	"sync"
)

// errSealed is what a transport gets that reads a body after its call has ended.
var errSealed = errors.New("the call is over")

// outgoing is the body of one POST, and knows whether the POST can have had an effect. Without its body a request is
// incomplete and Twilio cannot act on it. So if nobody had begun to read the body when the call failed, nothing was sent;
// sealing the body makes sure that a transport that still works in the background does not send it later. That is exact where
// httptrace is not: its hooks fire before anything is flushed, and not at all when the context ends before a connection is
// asked for.
// Go's transport repeats a POST on a new connection only if it wrote nothing to the old one. It then opens the body again, and
// what was read before no longer counts.
type outgoing struct {
	text string

	mu     sync.Mutex
	reader *outgoingReader // the one that may read; nil before the first and after the seal
	begun  bool
	sealed bool
}

// open returns a reader from the start of the body and shuts out the readers before it. It is a request's GetBody.
func (o *outgoing) open() (io.ReadCloser, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sealed {
		return nil, errSealed
	}
	o.begun = false
	o.reader = &outgoingReader{of: o, rest: strings.NewReader(o.text)}
	return o.reader, nil
}

// seal ends all reading and reports whether any of the body may have been sent.
func (o *outgoing) seal() (begun bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sealed = true
	o.reader = nil
	return o.begun
}

type outgoingReader struct {
	of   *outgoing
	rest *strings.Reader
}

// Read implements io.Reader.
func (r *outgoingReader) Read(p []byte) (int, error) {
	r.of.mu.Lock()
	defer r.of.mu.Unlock()
	if r.of.reader != r {
		return 0, errSealed
	}
	r.of.begun = true
	return r.rest.Read(p)
}

// Close implements io.Closer. There is nothing to close.
func (r *outgoingReader) Close() error { return nil }
