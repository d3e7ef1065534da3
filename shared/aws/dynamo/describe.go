package dynamo

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Description is a table's settings.
type Description struct {
	// Key is the partition key, SortKey the sort key, empty if there is none; Indexes are the secondary indexes that are ready.
	Key     string
	SortKey string
	Indexes []string
	// StreamViewType is what the stream shows, empty if there is none; StreamARN is the newest stream's.
	StreamViewType string
	StreamARN      string
	// TTLAttribute says when items expire; empty if they do not.
	TTLAttribute string
	// Protected is whether it is protected against deletion.
	Protected bool
}

// Describe returns the table's settings. It is for operators' tools. Errors are *fault.Error, a Fatal one if there is no such
// table.
func Describe(ctx context.Context, cfg aws.Config, table string) (Description, error) {
	client := sdk.NewFromConfig(cfg)
	out, err := client.DescribeTable(ctx, &sdk.DescribeTableInput{TableName: &table})
	if err != nil {
		return Description{}, reading("DescribeTable of "+table, err)
	}
	d := Description{StreamARN: aws.ToString(out.Table.LatestStreamArn), Protected: aws.ToBool(out.Table.DeletionProtectionEnabled)}
	for _, key := range out.Table.KeySchema {
		if key.KeyType == types.KeyTypeHash {
			d.Key = aws.ToString(key.AttributeName)
		} else {
			d.SortKey = aws.ToString(key.AttributeName)
		}
	}
	for _, index := range out.Table.GlobalSecondaryIndexes {
		if index.IndexStatus == types.IndexStatusActive {
			d.Indexes = append(d.Indexes, aws.ToString(index.IndexName))
		}
	}
	slices.Sort(d.Indexes)
	if stream := out.Table.StreamSpecification; stream != nil && aws.ToBool(stream.StreamEnabled) {
		d.StreamViewType = string(stream.StreamViewType)
	}
	expiry, err := client.DescribeTimeToLive(ctx, &sdk.DescribeTimeToLiveInput{TableName: &table})
	if err != nil {
		return Description{}, reading("DescribeTimeToLive of "+table, err)
	}
	if ttl := expiry.TimeToLiveDescription; ttl != nil && ttl.TimeToLiveStatus == types.TimeToLiveStatusEnabled {
		d.TTLAttribute = aws.ToString(ttl.AttributeName)
	}
	return d, nil
}

// BackedUp returns whether the table can be restored to any moment of the last weeks. Errors are those of Describe.
func BackedUp(ctx context.Context, cfg aws.Config, table string) (bool, error) {
	out, err := sdk.NewFromConfig(cfg).DescribeContinuousBackups(ctx, &sdk.DescribeContinuousBackupsInput{TableName: &table})
	if err != nil {
		return false, reading("DescribeContinuousBackups of "+table, err)
	}
	if d := out.ContinuousBackupsDescription; d != nil && d.PointInTimeRecoveryDescription != nil {
		return d.PointInTimeRecoveryDescription.PointInTimeRecoveryStatus == types.PointInTimeRecoveryStatusEnabled, nil
	}
	return false, nil
}
