package s3http

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// ErrNotFound means that the bucket has no such object.
var ErrNotFound = errors.New("no such object")

// Object is one object of a bucket, as a list shows it.
type Object struct {
	Key          string    `xml:"Key"`
	Size         int64     `xml:"Size"`
	LastModified time.Time `xml:"LastModified"`
}

// Put stores an object of that many bytes under a key and replaces one that is there. It returns nil only when the bucket has it durably.
// It reads the content once, so it makes one attempt. Errors are *fault.Error, as those of the other calls.
func (b *Bucket) Put(ctx context.Context, key string, content io.Reader, size int64) error {
	request, err := b.Request(ctx, http.MethodPut, key, io.NopCloser(content))
	if err != nil {
		return &fault.Error{Kind: fault.Permanent, Err: errors.New("S3: no request can be made of this")}
	}
	request.ContentLength = size
	if size == 0 {
		request.Body = http.NoBody
	}
	response, err := b.Send(request)
	defer Discard(response)
	if err != nil {
		return err
	}
	return Failure("PutObject", response)
}

// Open reads an object, or the part of it that begins at offset and has size bytes; with size 0 it goes to the end. The error is
// ErrNotFound if there is none.
func (b *Bucket) Open(ctx context.Context, key string, offset, size int64) (io.ReadCloser, error) {
	header := http.Header{}
	switch {
	case size > 0:
		header.Set("Range", fmt.Sprintf("bytes=%d-%d", offset, offset+size-1))
	case offset > 0:
		header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	response, err := b.ask(ctx, "GetObject", http.MethodGet, key, nil, header)
	if err != nil {
		return nil, err
	}
	return response.Body, nil
}

// Delete removes an object. It is no error that there is none.
func (b *Bucket) Delete(ctx context.Context, key string) error {
	response, err := b.ask(ctx, "DeleteObject", http.MethodDelete, key, nil, nil)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	Discard(response)
	return err
}

// List calls visit for each object whose key begins with prefix, in the order of their keys. The error is visit's own, or the bucket's.
func (b *Bucket) List(ctx context.Context, prefix string, visit func(Object) error) error {
	query := url.Values{"list-type": {"2"}, "prefix": {prefix}}
	for {
		page, err := b.page(ctx, query)
		if err != nil {
			return err
		}
		for _, object := range page.Contents {
			if err := visit(object); err != nil {
				return err
			}
		}
		if !page.IsTruncated || page.NextContinuationToken == "" {
			return nil
		}
		query.Set("continuation-token", page.NextContinuationToken)
	}
}

// page is one answer of a list.
type page struct {
	Contents              []Object `xml:"Contents"`
	IsTruncated           bool     `xml:"IsTruncated"`
	NextContinuationToken string   `xml:"NextContinuationToken"`
}

func (b *Bucket) page(ctx context.Context, query url.Values) (p page, err error) {
	response, err := b.ask(ctx, "ListObjectsV2", http.MethodGet, "", query, nil)
	if err != nil {
		return page{}, err
	}
	defer Discard(response)
	if err := xml.NewDecoder(response.Body).Decode(&p); err != nil {
		return page{}, &fault.Error{Kind: fault.Transient, Err: errors.New("S3 ListObjectsV2: the answer was not read to its end")}
	}
	return p, nil
}

// attempts is how often a call without a body is made, if the service has trouble.
const attempts = 3

// pause is how long the first pause between two attempts is.
const pause = 200 * time.Millisecond

// ask makes a request without a body, more than once if need be.
func (b *Bucket) ask(ctx context.Context, operation, method, key string, query url.Values, header http.Header) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		response, err := b.askOnce(ctx, operation, method, key, query, header)
		if err == nil {
			return response, nil
		}
		kind := fault.Of(err).Kind
		if attempt == attempts || kind != fault.Transient && kind != fault.Throttled {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(pause << attempt):
		}
	}
}

func (b *Bucket) askOnce(
	ctx context.Context, operation, method, key string, query url.Values, header http.Header,
) (*http.Response, error) {
	request, err := b.Request(ctx, method, key, http.NoBody)
	if err != nil {
		return nil, &fault.Error{Kind: fault.Permanent, Err: errors.New("S3: no request can be made of this")}
	}
	request.URL.RawQuery = query.Encode()
	for name, values := range header {
		request.Header[name] = values
	}
	response, err := b.Send(request)
	if err != nil {
		return nil, err
	}
	if err := Failure(operation, response); err != nil {
		missing := response.StatusCode == http.StatusNotFound && fault.Of(err).Kind == fault.Permanent
		Discard(response)
		if missing {
			return nil, &fault.Error{Kind: fault.Permanent, HTTPStatus: http.StatusNotFound, Err: ErrNotFound}
		}
		return nil, err
	}
	return response, nil
}
