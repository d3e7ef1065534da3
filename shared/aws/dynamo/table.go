package dynamo

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// DynamoDB answers what it can of a batch and names the rest. The relay asks for the rest again, at most maxRounds times in
// all, after pauses that double.
const (
	maxBatch   = 100
	maxRounds  = 5
	firstPause = 25 * time.Millisecond
)

// table is one table whose items carry a Version.
type table struct {
	client api
	name   string
	key    string
}

// condition is what must be true for the stored item so that a put replaces it.
type condition struct {
	expression string
	names      map[string]string
	values     item
}

// absent holds if there is no item of the key.
func (t table) absent() condition {
	return condition{expression: "attribute_not_exists(#key)", names: map[string]string{"#key": t.key}}
}

// unversioned holds if there is an item of the key that has no version.
func (t table) unversioned() condition {
	return condition{
		expression: "attribute_exists(#key) AND attribute_not_exists(#version)",
		names:      map[string]string{"#key": t.key, "#version": attrVersion},
	}
}

// atVersion holds if there is an item of that version.
func atVersion(version int64) condition {
	return condition{
		expression: "#version = :version",
		names:      map[string]string{"#version": attrVersion},
		values:     item{":version": &types.AttributeValueMemberN{Value: strconv.FormatInt(version, 10)}},
	}
}

// put writes the item if the condition holds of the stored one. If it does not, ok is false and stored is the item as it is,
// nil if there is none.
// An attempt whose answer was lost is repeated. If it had succeeded, the repeat fails because of the version that the first
// attempt wrote: then the stored item is exactly the wanted one, and that counts as written.
func (t table) put(ctx context.Context, wanted item, condition condition) (stored item, ok bool, err error) {
	var witness awsclient.Witness
	_, err = t.client.PutItem(ctx, &sdk.PutItemInput{
		TableName:                           &t.name,
		Item:                                wanted,
		ConditionExpression:                 &condition.expression,
		ExpressionAttributeNames:            condition.names,
		ExpressionAttributeValues:           condition.values,
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}, watch(&witness))
	if err == nil {
		return wanted, true, nil
	}
	failed, conflict := errors.AsType[*types.ConditionalCheckFailedException](err)
	if !conflict {
		return nil, false, writing("PutItem", witness, err)
	}
	return failed.Item, witness.Doubtful && same(failed.Item, wanted), nil
}

// watch lets the witness see each attempt of a call.
func watch(witness *awsclient.Witness) func(*sdk.Options) {
	return func(o *sdk.Options) {
		witness.Retryer = o.Retryer
		o.Retryer = witness
	}
}

// same reports whether both items have the same attributes.
func same(a, b item) bool {
	left, errLeft := canonical(a)
	right, errRight := canonical(b)
	return errLeft == nil && errRight == nil && bytes.Equal(left, right)
}

// get returns the item as last written, nil if there is none.
func (t table) get(ctx context.Context, key string) (item, error) {
	return t.getItem(ctx, t.keyItem(key))
}

// getItem does the same by the whole key, of a table with a sort key.
func (t table) getItem(ctx context.Context, key item) (item, error) {
	out, err := t.client.GetItem(ctx, &sdk.GetItemInput{
		TableName:      &t.name,
		Key:            key,
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return nil, reading("GetItem", err)
	}
	return out.Item, nil
}

// batchGet returns those items that exist among at most maxBatch keys, each there once, in any order. Unless it is consistent, it may
// miss the latest writes.
func (t table) batchGet(ctx context.Context, keys []item, consistent bool) ([]item, error) {
	pending := keys
	var found []item
	pause := firstPause
	for round := 1; len(pending) > 0; round++ {
		if round > maxRounds {
			return nil, &fault.Error{Kind: fault.Throttled, Err: errors.New("DynamoDB BatchGetItem: keys left unprocessed")}
		}
		if round > 1 {
			if err := wait(ctx, pause); err != nil {
				return nil, reading("BatchGetItem", err)
			}
			pause *= 2
		}
		out, err := t.client.BatchGetItem(ctx, &sdk.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{t.name: {Keys: pending, ConsistentRead: &consistent}},
		})
		if err != nil {
			return nil, reading("BatchGetItem", err)
		}
		found = append(found, out.Responses[t.name]...)
		pending = out.UnprocessedKeys[t.name].Keys
	}
	return found, nil
}

// distinct returns the keys as items, each once: DynamoDB refuses a batch with a repeat. Empty keys do not exist.
func (t table) distinct(keys []string) []item {
	keys = slices.Compact(slices.Sorted(slices.Values(keys)))
	items := make([]item, 0, len(keys))
	for _, key := range keys {
		if key != "" {
			items = append(items, t.keyItem(key))
		}
	}
	return items
}

func (t table) keyItem(key string) item {
	return item{t.key: &types.AttributeValueMemberS{Value: key}}
}

// wait pauses, unless the context ends first.
func wait(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
