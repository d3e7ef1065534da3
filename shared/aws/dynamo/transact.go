package dynamo

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// conditionalPut is one write of a transaction.
type conditionalPut struct {
	wanted    item
	condition condition
}

const (
	codeCanceled  = "TransactionCanceledException"
	reasonNone    = "None"
	reasonRefused = "ConditionalCheckFailed"
)

// putAll writes all items if the condition of each holds of the stored one, or else none; ok is false then.
// An attempt whose answer was lost is repeated with the same token, which DynamoDB answers as it would have answered the first. If it
// forgot the token, the repeat fails because of the versions that the first attempt wrote: then each stored item is exactly the wanted
// one, and that counts as written.
func (t table) putAll(ctx context.Context, puts ...conditionalPut) (ok bool, err error) {
	// The SDK adds the token, before its first attempt.
	input := &sdk.TransactWriteItemsInput{TransactItems: make([]types.TransactWriteItem, len(puts))}
	for i, p := range puts {
		input.TransactItems[i].Put = &types.Put{
			TableName:                           &t.name,
			Item:                                p.wanted,
			ConditionExpression:                 &p.condition.expression,
			ExpressionAttributeNames:            p.condition.names,
			ExpressionAttributeValues:           p.condition.values,
			ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
		}
	}
	var witness awsclient.Witness
	_, err = t.client.TransactWriteItems(ctx, input, watch(&witness))
	if err == nil {
		return true, nil
	}
	canceled, isCanceled := errors.AsType[*types.TransactionCanceledException](err)
	switch {
	case !isCanceled:
		return false, writing("TransactWriteItems", witness, err)
	case !isRefused(canceled.CancellationReasons):
		return false, cancellation(canceled.CancellationReasons, witness, err)
	default:
		return witness.Doubtful && areWritten(canceled.CancellationReasons, puts), nil
	}
}

// isRefused reports whether the condition of a put did not hold.
func isRefused(reasons []types.CancellationReason) bool {
	for _, reason := range reasons {
		if aws.ToString(reason.Code) == reasonRefused {
			return true
		}
	}
	return false
}

// areWritten reports whether the stored items are the wanted ones.
func areWritten(reasons []types.CancellationReason, puts []conditionalPut) bool {
	for i, p := range puts {
		if i >= len(reasons) || !same(reasons[i].Item, p.wanted) {
			return false
		}
	}
	return true
}

// cancellation returns the fault of a transaction that DynamoDB gave up, with the codes of its reasons. Their messages quote items.
func cancellation(reasons []types.CancellationReason, witness awsclient.Witness, err error) error {
	var codes []string
	kind := fault.Transient
	for _, reason := range reasons {
		code := aws.ToString(reason.Code)
		if code == reasonNone || code == "" {
			continue
		}
		codes = append(codes, code)
		if known, ok := kindOfReason(code); ok {
			kind = known
		}
	}
	call := awsclient.Call{Name: "DynamoDB TransactWriteItems", Writes: true, Doubtful: witness.Doubtful}
	call.Kind = func(code string) (fault.Kind, bool) { return kind, code == codeCanceled }
	f := call.Fault(err)
	if len(codes) > 0 {
		f.Err = fmt.Errorf("%w: %s", f.Err, strings.Join(codes, ", "))
	}
	return f
}

// kindOfReason knows the codes of the reasons why a transaction is given up.
func kindOfReason(code string) (kind fault.Kind, ok bool) {
	switch code {
	case "TransactionConflict":
		return fault.Transient, true
	case "ThrottlingError", "ProvisionedThroughputExceeded":
		return fault.Throttled, true
	case "ValidationError", "ItemCollectionSizeLimitExceeded":
		return fault.Permanent, true
	default:
		return fault.Unknown, false
	}
}
