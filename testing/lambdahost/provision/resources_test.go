package provision_test

import (
	"testing"
)

// TestTable: an emulator is told about a table's keys, indexes, stream and time to live, and about nothing that it does not have.
func TestTable(t *testing.T) {
	s := &services{}
	stack := mustCreate(t, s, `
  Audit:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: audit
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: MessageSid, AttributeType: S}, {AttributeName: Customer, AttributeType: S}]
      KeySchema: [{AttributeName: MessageSid, KeyType: HASH}]
      GlobalSecondaryIndexes:
        - IndexName: by-customer
          KeySchema: [{AttributeName: Customer, KeyType: HASH}, {AttributeName: MessageSid, KeyType: RANGE}]
          Projection: {ProjectionType: KEYS_ONLY}
      StreamSpecification: {StreamViewType: NEW_AND_OLD_IMAGES}
      TimeToLiveSpecification: {AttributeName: ExpiresAt, Enabled: true}
      SSESpecification: {SSEEnabled: true}
      DeletionProtectionEnabled: true
`)
	key := func(name, kind string) map[string]any { return map[string]any{"AttributeName": name, "KeyType": kind} }
	attribute := func(name string) map[string]any { return map[string]any{"AttributeName": name, "AttributeType": "S"} }
	compare(t, "CreateTable", map[string]any{
		"TableName": "audit", "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": []any{attribute("MessageSid"), attribute("Customer")},
		"KeySchema":            []any{key("MessageSid", "HASH")},
		"GlobalSecondaryIndexes": []any{map[string]any{
			"IndexName": "by-customer", "KeySchema": []any{key("Customer", "HASH"), key("MessageSid", "RANGE")},
			"Projection": map[string]any{"ProjectionType": "KEYS_ONLY"},
		}},
		"StreamSpecification": map[string]any{"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"},
	}, s.input(t, "CreateTable"))
	compare(t, "UpdateTimeToLive", map[string]any{
		"TableName": "audit", "TimeToLiveSpecification": map[string]any{"AttributeName": "ExpiresAt", "Enabled": true},
	}, s.input(t, "UpdateTimeToLive"))
	checkNames(t, stack, "Audit", map[string]string{
		"": "audit", "Arn": "arn:aws:dynamodb:us-east-1:000000000000:table/audit",
		"StreamArn": "arn:aws:dynamodb:ddblocal:0:table/audit/stream/1",
	})
}

// TestPlainTable has no stream and forgets nothing, and neither does one whose time to live is switched off.
func TestPlainTable(t *testing.T) {
	for name, more := range map[string]string{
		"without":      "",
		"switched off": "TimeToLiveSpecification: {AttributeName: ExpiresAt, Enabled: false}",
	} {
		t.Run(name, func(t *testing.T) {
			s := &services{}
			mustCreate(t, s, `
  Routing:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: routing
      `+more+`
`)
			if _, streams := s.input(t, "CreateTable")["StreamSpecification"]; streams {
				t.Error("it has a stream")
			}
			compare(t, "calls", []string{"CreateTable"}, s.operations())
		})
	}
}

// TestQueues: a queue's attributes are strings to SQS, and a policy is JSON. Its dead-letter queue has to be there before it.
func TestQueues(t *testing.T) {
	s := &services{}
	stack := mustCreate(t, s, `
  Inbox:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: inbox.fifo
      FifoQueue: true
      DeduplicationScope: messageGroup
      FifoThroughputLimit: perMessageGroupId
      SqsManagedSseEnabled: true
      VisibilityTimeout: 120
      RedrivePolicy: {deadLetterTargetArn: !GetAtt ZDead.Arn, maxReceiveCount: 1000}
      Tags: [{Key: app, Value: relay}]
  ZDead:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: dead.fifo
      FifoQueue: true
      MessageRetentionPeriod: 1209600
      RedriveAllowPolicy: {redrivePermission: byQueue}
`)
	compare(t, "calls", []string{"CreateQueue", "CreateQueue"}, s.operations())
	compare(t, "the dead-letter queue", map[string]any{
		"QueueName": "dead.fifo", "Attributes": map[string]any{"FifoQueue": "true", "MessageRetentionPeriod": "1209600"},
	}, s.calls[0].input)
	compare(t, "the queue", map[string]any{
		"QueueName": "inbox.fifo", "Attributes": map[string]any{
			"FifoQueue": "true", "VisibilityTimeout": "120",
			"RedrivePolicy": `{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead.fifo","maxReceiveCount":1000}`,
		},
	}, s.calls[1].input)
	checkNames(t, stack, "Inbox", map[string]string{
		"": "http://queues.example.com/inbox.fifo", "QueueUrl": "http://queues.example.com/inbox.fifo", "QueueName": "inbox.fifo",
		"Arn": "arn:aws:sqs:us-east-1:000000000000:inbox.fifo",
	})
}

// TestStandardQueue: SQS refuses FifoQueue with the value false; a queue without order does not have it.
func TestStandardQueue(t *testing.T) {
	s := &services{}
	mustCreate(t, s, `
  Timers:
    Type: AWS::SQS::Queue
    Properties: {QueueName: timers, FifoQueue: false, DelaySeconds: 0}
`)
	compare(t, "the queue", map[string]any{"QueueName": "timers", "Attributes": map[string]any{"DelaySeconds": "0"}},
		s.input(t, "CreateQueue"))
}

func TestLogGroup(t *testing.T) {
	s := &services{}
	stack := mustCreate(t, s, `
  Trail:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: /relay/audit, RetentionInDays: 400}
`)
	compare(t, "CreateLogGroup", map[string]any{"logGroupName": "/relay/audit"}, s.input(t, "CreateLogGroup"))
	compare(t, "PutRetentionPolicy", map[string]any{"logGroupName": "/relay/audit", "retentionInDays": 400.0},
		s.input(t, "PutRetentionPolicy"))
	checkNames(t, stack, "Trail", map[string]string{"": "/relay/audit", "Arn": "arn:aws:logs:us-east-1:000000000000:log-group:/relay/audit:*"})
}

// TestBuckets: one that is not named has a name of the stack's, in small letters as S3 wants it.
func TestBuckets(t *testing.T) {
	s := &services{}
	stack := mustCreate(t, s, `
  Failures: {Type: "AWS::S3::Bucket"}
  Seeds: {Type: "AWS::S3::Bucket", Properties: {BucketName: seeds}}
`)
	compare(t, "calls", []string{"PUT /relay-failures", "PUT /seeds"}, s.operations())
	checkNames(t, stack, "Failures", map[string]string{"": "relay-failures", "Arn": "arn:aws:s3:::relay-failures"})
	checkNames(t, stack, "Seeds", map[string]string{"": "seeds", "Arn": "arn:aws:s3:::seeds"})
}
