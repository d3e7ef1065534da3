package mapping

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Client speaks to DynamoDB Streams. It reads the answers as they come, because the records in them are, but for two
// fields, the very JSON that Lambda hands to a function.
type Client struct {
	// Endpoint is where the service is.
	Endpoint string
	// Config has the region and the credentials.
	Config aws.Config
	HTTP   *http.Client
	Now    func() time.Time
}

// Exists asks for the stream by its table, as Lambda does when a mapping is made.
func (c *Client) Exists(ctx context.Context, table string) error {
	var answer struct{ Streams []json.RawMessage }
	if err := c.call(ctx, "ListStreams", map[string]any{"TableName": table}, &answer); err != nil {
		return err
	}
	if len(answer.Streams) == 0 {
		return fmt.Errorf("table %s has no stream", table)
	}
	return nil
}

// shards returns the ids of a stream's shards.
func (c *Client) shards(ctx context.Context, streamARN string) ([]string, error) {
	var answer struct {
		StreamDescription struct {
			Shards []struct {
				ShardID string `json:"ShardId"`
			}
		}
	}
	if err := c.call(ctx, "DescribeStream", map[string]any{"StreamArn": streamARN}, &answer); err != nil {
		return nil, err
	}
	var ids []string
	for _, shard := range answer.StreamDescription.Shards {
		ids = append(ids, shard.ShardID)
	}
	return ids, nil
}

// iterator returns where to read on in a shard.
func (c *Client) iterator(ctx context.Context, streamARN string, at place) (string, error) {
	asked := map[string]any{"StreamArn": streamARN, "ShardId": at.shardID, "ShardIteratorType": "TRIM_HORIZON"}
	if at.last != "" {
		asked["ShardIteratorType"], asked["SequenceNumber"] = "AFTER_SEQUENCE_NUMBER", at.last
	}
	var answer struct{ ShardIterator string }
	err := c.call(ctx, "GetShardIterator", asked, &answer)
	return answer.ShardIterator, err
}

// records reads up to limit records and returns where to read on, which is empty at the end of a closed shard.
func (c *Client) records(ctx context.Context, iterator string, limit int, sourceARN string) (records []Record, next string, err error) {
	var answer struct {
		Records           []map[string]json.RawMessage
		NextShardIterator string
	}
	if err := c.call(ctx, "GetRecords", map[string]any{"ShardIterator": iterator, "Limit": limit}, &answer); err != nil {
		return nil, "", err
	}
	for _, fields := range answer.Records {
		record, err := recordOf(fields, sourceARN)
		if err != nil {
			return nil, "", err
		}
		records = append(records, record)
	}
	return records, answer.NextShardIterator, nil
}

// recordOf makes the event's record of the stream's: it names its source, and writes who made the change in lower case.
func recordOf(fields map[string]json.RawMessage, sourceARN string) (Record, error) {
	var change struct {
		SequenceNumber              string
		ApproximateCreationDateTime float64
	}
	if err := json.Unmarshal(fields["dynamodb"], &change); err != nil {
		return Record{}, fmt.Errorf("read a stream's record: %w", err)
	}
	var err error
	if fields["eventSourceARN"], err = json.Marshal(sourceARN); err != nil {
		return Record{}, err
	}
	var identity struct {
		Type        string `json:"type"`
		PrincipalID string `json:"principalId"`
	}
	if json.Unmarshal(fields["userIdentity"], &identity) == nil && identity.Type != "" {
		if fields["userIdentity"], err = json.Marshal(identity); err != nil {
			return Record{}, err
		}
	}
	text, err := json.Marshal(fields)
	return Record{
		SequenceNumber: change.SequenceNumber, Text: text, At: time.UnixMilli(int64(change.ApproximateCreationDateTime * 1000)),
	}, err
}

// call makes one signed call and reads the answer.
func (c *Client) call(ctx context.Context, operation string, input, output any) error {
	body, err := json.Marshal(input)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Endpoint+"/", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", "DynamoDBStreams_20120810."+operation)
	if err := c.sign(ctx, request, body); err != nil {
		return err
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %.500s", operation, response.Status, answer)
	}
	return json.Unmarshal(answer, output)
}

func (c *Client) sign(ctx context.Context, request *http.Request, body []byte) error {
	credentials, err := c.Config.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(body)
	return v4.NewSigner().SignHTTP(ctx, credentials, request, hex.EncodeToString(sum[:]), "dynamodb", c.Config.Region, c.Now())
}
