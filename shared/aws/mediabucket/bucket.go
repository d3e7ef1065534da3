// Package mediabucket keeps pictures and other attachments in a bucket of Amazon S3, by package media's contract. It makes three calls of
// S3's HTTP interface itself and signs them with the SDK's signer: the SDK's client for S3 adds 1.25 MB to a function. It makes no buckets
// (template.yaml does), and removes nothing: the bucket's lifecycle does that after items have expired.
package mediabucket

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

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
	cfg    aws.Config
	base   string
	now    func() time.Time
	signer *v4.Signer
}

// New returns the bucket of that name. Items expire by the clock.
func New(cfg aws.Config, name string, now func() time.Time) *Bucket {
	base := "https://" + name + ".s3." + cfg.Region + "." + suffixOf(cfg.Region) + "/"
	if cfg.BaseEndpoint != nil {
		// Emulators have no host name for each bucket.
		base = *cfg.BaseEndpoint + "/" + name + "/"
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	return &Bucket{cfg: cfg, base: base, now: now, signer: signer}
}

// suffixOf returns the domain of a region's services. China has its own.
func suffixOf(region string) string {
	if len(region) > 3 && region[:3] == "cn-" {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
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
	response, err := b.send(request)
	defer discard(response)
	switch {
	case exact.Err() != nil:
		return exact.Err()
	case err != nil:
		return err
	}
	return failure("PutObject", response)
}

// Look implements media.Store.
func (b *Bucket) Look(ctx context.Context, token media.Token) (media.Item, error) {
	response, err := b.read(ctx, http.MethodHead, token)
	if err != nil {
		return media.Item{}, err
	}
	defer discard(response)
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
		discard(response)
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
			discard(response)
			return nil, media.ErrNotFound
		case err == nil:
			if err = failure(operationOf(method), response); err == nil {
				return response, nil
			}
			discard(response)
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
	return b.send(request)
}

func (b *Bucket) newRequest(ctx context.Context, method string, token media.Token, body io.Reader) (*http.Request, error) {
	target := b.base + Prefix + url.PathEscape(string(token))
	request, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil || !token.IsValid() {
		return nil, &fault.Error{Kind: fault.Permanent, Err: errors.New("S3: no request can be made of this")}
	}
	return request, nil
}

// unsigned stands for the body's hash in the signature: TLS protects it on its way, and it is not read twice.
const unsigned = "UNSIGNED-PAYLOAD"

// send signs the request and makes it. An error means that there is no answer.
func (b *Bucket) send(request *http.Request) (*http.Response, error) {
	ctx := request.Context()
	credentials, err := b.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, &fault.Error{Kind: fault.Transient, Err: errors.New("S3: no credentials")}
	}
	request.Header.Set("X-Amz-Content-Sha256", unsigned)
	if err := b.signer.SignHTTP(ctx, credentials, request, unsigned, "s3", b.cfg.Region, b.now()); err != nil {
		return nil, &fault.Error{Kind: fault.Permanent, Err: errors.New("S3: the request cannot be signed")}
	}
	response, err := b.cfg.HTTPClient.Do(request)
	if err != nil {
		return nil, &fault.Error{Kind: fault.Transient, Err: noAnswer(ctx)}
	}
	return response, nil
}

// noAnswer says why there is no answer, without the URL: it has the token in it.
func noAnswer(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.New("S3: no answer")
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

// discard closes an answer of which nothing more is needed; nil if there is none.
func discard(response *http.Response) {
	if response != nil {
		_ = response.Body.Close()
	}
}
