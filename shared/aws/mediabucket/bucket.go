// Package mediabucket keeps pictures and other attachments in a bucket of Amazon S3, by package media's contract. It makes no buckets
// (template.yaml does), and removes nothing: the bucket's lifecycle does that after items have expired.
package mediabucket

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"quickdumpnow.com/smsrelay/shared/aws/s3http"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/media"
)

// Prefix is how the keys of items begin; the token follows.
const Prefix = "media/"

// MaxItem is the most bytes that a function can answer with: Lambda takes 6 MB for an answer, in which the item is in base64.
const MaxItem = 4_400_000

// The headers that keep what S3 has no field for.
const (
	headerExpires = "x-amz-meta-expires"
	headerName    = "x-amz-meta-name"
)

// Bucket is a media.Store. It is safe for concurrent use.
type Bucket struct {
	s3  *s3http.Bucket
	now func() time.Time
}

// New returns the bucket of that name. Items expire by the clock.
func New(cfg aws.Config, name string, now func() time.Time) *Bucket {
	return &Bucket{s3: s3http.New(cfg, name, now), now: now}
}

// Put implements media.Store. It streams the content, and so makes only one attempt.
func (b *Bucket) Put(ctx context.Context, item media.Item, content io.Reader) error {
	exact := media.Exactly(content, item.Size)
	request, err := b.newRequest(ctx, http.MethodPut, item.Token, exact)
	if err != nil {
		return err
	}
	request.ContentLength = item.Size
	request.Header.Set("Content-Type", item.ContentType)
	request.Header.Set(headerExpires, strconv.FormatInt(item.ExpiresAt.Unix(), 10))
	request.Header.Set(headerName, item.Name)
	response, err := b.s3.Send(request) //nolint:bodyclose // s3http.Discard closes it.
	defer s3http.Discard(response)
	switch {
	case exact.Err() != nil:
		return exact.Err()
	case err != nil:
		return err
	}
	return s3http.Failure("PutObject", response)
}

// Look implements media.Store.
func (b *Bucket) Look(ctx context.Context, token media.Token) (media.Item, error) {
	response, err := b.read(ctx, http.MethodHead, token) //nolint:bodyclose // s3http.Discard closes it.
	if err != nil {
		return media.Item{}, err
	}
	defer s3http.Discard(response)
	return b.itemOf(token, response)
}

// Open implements media.Store.
func (b *Bucket) Open(ctx context.Context, token media.Token) (media.Item, io.ReadCloser, error) {
	response, err := b.read(ctx, http.MethodGet, token)
	if err != nil {
		return media.Item{}, nil, err
	}
	item, err := b.itemOf(token, response)
	if err != nil {
		s3http.Discard(response)
		return media.Item{}, nil, err
	}
	return item, response.Body, nil
}

// attempts is how often an item is asked for: whoever fetches it for a text would not come again.
const attempts = 3

// read asks for an item. Without permission to list the bucket, S3 forbids what is not there.
func (b *Bucket) read(ctx context.Context, method string, token media.Token) (*http.Response, error) {
	if !token.IsValid() {
		return nil, media.ErrNotFound
	}
	for attempt := 1; ; attempt++ {
		response, err := b.ask(ctx, method, token)
		switch {
		case err == nil && (response.StatusCode == http.StatusNotFound || response.StatusCode == http.StatusForbidden):
			s3http.Discard(response)
			return nil, media.ErrNotFound
		case err == nil:
			if err = s3http.Failure(operationOf(method), response); err == nil {
				return response, nil
			}
			s3http.Discard(response)
		}
		if kind := fault.Of(err).Kind; attempt == attempts || ctx.Err() != nil || kind != fault.Transient && kind != fault.Throttled {
			return nil, err
		}
	}
}

func operationOf(method string) string {
	if method == http.MethodHead {
		return "HeadObject"
	}
	return "GetObject"
}

func (b *Bucket) ask(ctx context.Context, method string, token media.Token) (*http.Response, error) {
	request, err := b.newRequest(ctx, method, token, http.NoBody)
	if err != nil {
		return nil, err
	}
	return b.s3.Send(request)
}

func (b *Bucket) newRequest(ctx context.Context, method string, token media.Token, body io.Reader) (*http.Request, error) {
	request, err := b.s3.Request(ctx, method, Prefix+string(token), body)
	if err != nil || !token.IsValid() {
		return nil, &fault.Error{Kind: fault.Permanent, Err: errors.New("S3: no request can be made of this")}
	}
	return request, nil
}

// itemOf reads what an answer says of its item.
func (b *Bucket) itemOf(token media.Token, response *http.Response) (media.Item, error) {
	seconds, err := strconv.ParseInt(response.Header.Get(headerExpires), 10, 64)
	if err != nil {
		return media.Item{}, &fault.Error{Kind: fault.Permanent, Err: errors.New("S3: the object is not one of the relay's")}
	}
	item := media.Item{
		Token: token, ContentType: response.Header.Get("Content-Type"), Size: response.ContentLength,
		Name: response.Header.Get(headerName), ExpiresAt: time.Unix(seconds, 0).UTC(),
	}
	if !b.now().Before(item.ExpiresAt) {
		return media.Item{}, media.ErrNotFound
	}
	return item, nil
}
