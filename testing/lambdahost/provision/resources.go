package provision

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"quickdumpnow.com/smsrelay/testing/lambdahost/template"
)

// tableProperties are those of AWS::DynamoDB::Table that an emulator can be told. Encryption, recovery and protection
// against deletion it has not.
type tableProperties struct {
	TableName              string
	AttributeDefinitions   []struct{ AttributeName, AttributeType string }
	KeySchema              []keyProperties
	GlobalSecondaryIndexes []struct {
		IndexName  string
		KeySchema  []keyProperties
		Projection struct{ ProjectionType string }
	}
	StreamSpecification     *struct{ StreamViewType string }
	TimeToLiveSpecification *struct {
		AttributeName string
		Enabled       bool
	}
}

type keyProperties struct{ AttributeName, KeyType string }

func keySchema(keys []keyProperties) []types.KeySchemaElement {
	schema := make([]types.KeySchemaElement, len(keys))
	for i, key := range keys {
		schema[i] = types.KeySchemaElement{AttributeName: aws.String(key.AttributeName), KeyType: types.KeyType(key.KeyType)}
	}
	return schema
}

// table makes a table, with its indexes, its stream and its time to live.
func (s *Stack) table(ctx context.Context, id string, r template.Resource) error {
	var p tableProperties
	if err := s.Into(r.Properties, &p); err != nil {
		return err
	}
	client := dynamodb.NewFromConfig(s.account.DynamoDB)
	out, err := client.CreateTable(ctx, p.input())
	if err != nil {
		return err
	}
	s.onDelete(func(ctx context.Context) error {
		_, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &p.TableName})
		return err
	})
	s.physical[id] = map[string]string{
		"": p.TableName, "Arn": "arn:aws:dynamodb:" + s.account.Region + ":" + s.account.ID + ":table/" + p.TableName,
		"StreamArn": aws.ToString(out.TableDescription.LatestStreamArn),
	}
	if p.TimeToLiveSpecification == nil || !p.TimeToLiveSpecification.Enabled {
		return nil
	}
	_, err = client.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: &p.TableName,
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: &p.TimeToLiveSpecification.AttributeName, Enabled: aws.Bool(true),
		},
	})
	return err
}

func (p tableProperties) input() *dynamodb.CreateTableInput {
	input := &dynamodb.CreateTableInput{
		TableName: &p.TableName, BillingMode: types.BillingModePayPerRequest, KeySchema: keySchema(p.KeySchema),
	}
	for _, attribute := range p.AttributeDefinitions {
		input.AttributeDefinitions = append(input.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: aws.String(attribute.AttributeName), AttributeType: types.ScalarAttributeType(attribute.AttributeType),
		})
	}
	for _, index := range p.GlobalSecondaryIndexes {
		input.GlobalSecondaryIndexes = append(input.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(index.IndexName), KeySchema: keySchema(index.KeySchema),
			Projection: &types.Projection{ProjectionType: types.ProjectionType(index.Projection.ProjectionType)},
		})
	}
	if p.StreamSpecification != nil {
		input.StreamSpecification = &types.StreamSpecification{
			StreamEnabled: aws.Bool(true), StreamViewType: types.StreamViewType(p.StreamSpecification.StreamViewType),
		}
	}
	return input
}

// notEmulated are attributes of queues that ElasticMQ does not know: they say how much a queue takes, how it is encrypted
// and who may name it as theirs.
func notEmulated(attribute string) bool {
	switch attribute {
	case "DeduplicationScope", "FifoThroughputLimit", "SqsManagedSseEnabled", "RedriveAllowPolicy":
		return true
	default:
		return false
	}
}

// queue makes a queue.
func (s *Stack) queue(ctx context.Context, id string, r template.Resource) error {
	resolved, err := s.Resolve(r.Properties)
	if err != nil {
		return err
	}
	properties, _ := resolved.(map[string]any)
	name, attributes := "", map[string]string{}
	for property, value := range properties {
		text, err := attributeText(value)
		switch {
		case err != nil:
			return err
		case property == "QueueName":
			name = text
		case property == "FifoQueue" && text == "false", notEmulated(property), property == "Tags":
		default:
			attributes[property] = text
		}
	}
	client := sqs.NewFromConfig(s.account.SQS)
	out, err := client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: &name, Attributes: attributes})
	if err != nil {
		return err
	}
	s.onDelete(func(ctx context.Context) error {
		_, err := client.DeleteQueue(ctx, &sqs.DeleteQueueInput{QueueUrl: out.QueueUrl})
		return err
	})
	s.physical[id] = map[string]string{
		"": *out.QueueUrl, "QueueName": name, "QueueUrl": *out.QueueUrl,
		"Arn": "arn:aws:sqs:" + s.account.Region + ":" + s.account.ID + ":" + name,
	}
	return nil
}

// attributeText writes a property as SQS takes it: scalars as they are, the rest as JSON.
func attributeText(value any) (string, error) {
	switch value.(type) {
	case map[string]any, []any:
		text, err := json.Marshal(value)
		return string(text), err
	default:
		return fmt.Sprint(value), nil
	}
}

// logGroup makes a log group.
func (s *Stack) logGroup(ctx context.Context, id string, r template.Resource) error {
	var p struct {
		LogGroupName    string
		RetentionInDays int32
	}
	if err := s.Into(r.Properties, &p); err != nil {
		return err
	}
	client := cloudwatchlogs.NewFromConfig(s.account.Other)
	if _, err := client.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &p.LogGroupName}); err != nil {
		return err
	}
	s.onDelete(func(ctx context.Context) error {
		_, err := client.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: &p.LogGroupName})
		return err
	})
	s.physical[id] = map[string]string{
		"": p.LogGroupName, "Arn": "arn:aws:logs:" + s.account.Region + ":" + s.account.ID + ":log-group:" + p.LogGroupName + ":*",
	}
	_, err := client.PutRetentionPolicy(ctx,
		&cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: &p.LogGroupName, RetentionInDays: &p.RetentionInDays})
	return err
}

// bucket makes a bucket, which moto keeps for as long as it runs.
func (s *Stack) bucket(ctx context.Context, id string, r template.Resource) error {
	var p struct{ BucketName string }
	if err := s.Into(r.Properties, &p); err != nil {
		return err
	}
	if p.BucketName == "" {
		p.BucketName = strings.ToLower(s.account.StackName + "-" + id)
	}
	client := s3.NewFromConfig(s.account.Other, func(o *s3.Options) { o.UsePathStyle = true })
	if _, err := client.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &p.BucketName}); err != nil {
		return err
	}
	s.physical[id] = map[string]string{"": p.BucketName, "Arn": "arn:aws:s3:::" + p.BucketName}
	return nil
}
