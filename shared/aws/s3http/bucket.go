// Package s3http makes a few calls of Amazon S3's HTTP interface itself and signs them with the SDK's signer: the SDK's client for S3 adds
// 1.25 MB to a program. Other services that speak S3 answer to it, too. It makes no buckets.
package s3http

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// Bucket is one bucket. It is safe for concurrent use.
type Bucket struct {
	cfg    aws.Config
	base   string
	now    func() time.Time
	signer *v4.Signer
}

// New returns the bucket of that name. Requests are signed with the clock's time.
func New(cfg aws.Config, name string, now func() time.Time) *Bucket {
	base := "https://" + name + ".s3." + cfg.Region + "." + suffixOf(cfg.Region) + "/"
	if cfg.BaseEndpoint != nil {
		// Emulators have no host name for each bucket.
		base = strings.TrimSuffix(*cfg.BaseEndpoint, "/") + "/" + name + "/"
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	return &Bucket{cfg: cfg, base: base, now: now, signer: signer}
}

// suffixOf returns the domain of a region's services. China has its own.
func suffixOf(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return "amazonaws.com.cn"
	}
	return "amazonaws.com"
}

// Request returns a request about the object of that key, which Send makes. With an empty key it is about the bucket.
func (b *Bucket) Request(ctx context.Context, method, key string, body io.Reader) (*http.Request, error) {
	parts := strings.Split(key, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return http.NewRequestWithContext(ctx, method, b.base+strings.Join(parts, "/"), body)
}

// unsigned stands for the body's hash in the signature: TLS protects it on its way, and it is not read twice.
const unsigned = "UNSIGNED-PAYLOAD"

// Send signs the request and makes it. An error means that there is no answer; it is a *fault.Error.
func (b *Bucket) Send(request *http.Request) (*http.Response, error) {
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

// noAnswer says why there is no answer, without the URL: it may have a secret in it.
func noAnswer(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return errors.New("S3: no answer")
}

// Discard closes an answer of which nothing more is needed; nil if there is none.
func Discard(response *http.Response) {
	if response != nil {
		_ = response.Body.Close()
	}
}
