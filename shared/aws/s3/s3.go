// Package s3 is the relay's door to Amazon S3: one bucket of it. It makes no buckets (template.yaml does).
package s3

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"quickdumpnow.com/smsrelay/shared/fault"
)

// api is the part of the SDK's client that a Bucket uses.
type api interface {
	GetObject(context.Context, *sdk.GetObjectInput, ...func(*sdk.Options)) (*sdk.GetObjectOutput, error)
	PutObject(context.Context, *sdk.PutObjectInput, ...func(*sdk.Options)) (*sdk.PutObjectOutput, error)
}

// Bucket is one bucket. It is safe for concurrent use.
type Bucket struct {
	client api
	name   string
}

// New returns the bucket of that name.
func New(cfg aws.Config, name string) *Bucket {
	// Emulators have no name for each bucket.
	pathStyle := func(o *sdk.Options) { o.UsePathStyle = cfg.BaseEndpoint != nil }
	return &Bucket{client: sdk.NewFromConfig(cfg, pathStyle), name: name}
}

// kindOfCode knows S3's own error codes: if a bucket is missing or may not be used, someone has to fix the set-up.
func kindOfCode(code string) (kind fault.Kind, ok bool) {
	switch code {
	case "NoSuchBucket", "AllAccessDisabled", "KMS.DisabledException", "PermanentRedirect":
		return fault.Fatal, true
	case "EntityTooLarge", "NoSuchKey", "NotFound", "NoSuchVersion":
		return fault.Permanent, true
	default:
		return fault.Unknown, false
	}
}
