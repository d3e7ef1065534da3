package s3

import (
	"bytes"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
)

// Put stores a JSON object under a key and replaces an existing one. It returns nil only when the bucket has it durably.
// Errors are *fault.Error, never Unknown: the same object may be put again.
func (b *Bucket) Put(ctx context.Context, key string, object []byte) error {
	_, err := b.client.PutObject(ctx, &sdk.PutObjectInput{
		Bucket: &b.name, Key: &key, Body: bytes.NewReader(object), ContentType: aws.String("application/json"),
	})
	if err != nil {
		return awsclient.Call{Name: "S3 PutObject", Kind: kindOfCode}.Fault(err)
	}
	return nil
}
