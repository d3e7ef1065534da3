//go:build unix

package lambdahost

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"quickdumpnow.com/smsrelay/testing/lambdahost/mapping"
)

// destination returns what a stream's mapping does with batches that it gives up: an object in a bucket, with the records,
// as Lambda writes it.
func (h *Host) destination(ctx context.Context, f *function, p sourceProperties) (func(context.Context, mapping.Lost) error, error) {
	target := p.DestinationConfig.OnFailure.Destination
	bucket, isBucket := strings.CutPrefix(target, "arn:aws:s3:::")
	if !isBucket {
		return nil, fmt.Errorf("on-failure destination %q is no bucket: it would keep pointers to records, not the records", target)
	}
	mark := rand.Text()
	client := s3.NewFromConfig(f.config, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &bucket}); err != nil {
		return nil, fmt.Errorf("on-failure destination %s: %w", bucket, err)
	}
	return func(ctx context.Context, lost mapping.Lost) error {
		body, err := json.Marshal(h.invocationRecord(f, lost))
		if err != nil {
			return err
		}
		at := h.config.Now().UTC()
		key := fmt.Sprintf("aws/lambda/%s/%s/%s/%s-%s", mark, lost.ShardID, at.Format("2006/01/02"),
			at.Format("2006-01-02T15.04.05"), rand.Text())
		_, err = client.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String(key), Body: bytes.NewReader(body)})
		return err
	}, nil
}

// invocationRecord is Lambda's account of a batch that was given up. In a bucket it has the event, too.
func (h *Host) invocationRecord(f *function, lost mapping.Lost) map[string]any {
	first, last := lost.Records[0], lost.Records[len(lost.Records)-1]
	return map[string]any{
		"version": "1.0", "timestamp": h.config.Now().UTC(),
		"requestContext": map[string]any{
			"functionArn": "arn:aws:lambda:" + region + ":" + AccountID + ":function:" + h.Name(f.id),
			"condition":   lost.Condition, "approximateInvokeCount": lost.Tries,
		},
		"DDBStreamBatchInfo": map[string]any{
			"shardId": lost.ShardID, "streamArn": lost.StreamARN, "batchSize": len(lost.Records),
			"startSequenceNumber": first.SequenceNumber, "endSequenceNumber": last.SequenceNumber,
			"approximateArrivalOfFirstRecord": first.At, "approximateArrivalOfLastRecord": last.At,
		},
		"payload": string(lost.Event),
	}
}
