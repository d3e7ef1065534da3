package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// Get returns an object of at most limit bytes, in its latest version or in the one named. Errors are *fault.Error: Permanent if
// there is no such object or it is larger, Fatal if the bucket is not there or may not be read.
func (b *Bucket) Get(ctx context.Context, key, version string, limit int64) ([]byte, error) {
	input := &sdk.GetObjectInput{Bucket: &b.name, Key: &key}
	if version != "" {
		input.VersionId = &version
	}
	call := awsclient.Call{Name: "S3 GetObject", Kind: kindOfCode}
	out, err := b.client.GetObject(ctx, input, func(o *sdk.Options) { o.APIOptions = append(o.APIOptions, awsclient.Streamed) })
	if err != nil {
		return nil, explained(call.Fault(err))
	}
	object, err := io.ReadAll(io.LimitReader(out.Body, limit+1))
	if err = errors.Join(err, out.Body.Close()); err != nil {
		return nil, &fault.Error{Kind: fault.Transient, Err: errors.New("S3 GetObject: the object was not read to its end")}
	}
	if int64(len(object)) > limit {
		return nil, &fault.Error{Kind: fault.Permanent, Err: fmt.Errorf("S3 GetObject: the object is larger than %d bytes", limit)}
	}
	return object, nil
}

// explained adds to a refusal what else it may mean: without permission to list the bucket, a missing object is also refused.
func explained(f *fault.Error) *fault.Error {
	if f.HTTPStatus == http.StatusForbidden {
		f.Err = fmt.Errorf("%w; it may not be there, or may not be read", f.Err)
	}
	return f
}
