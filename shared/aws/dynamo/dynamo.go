// Package dynamo is the relay's door to DynamoDB: the tables of the ledger, the routes, the conversations and the pace, in the
// terms of shared/ledger, shared/route, shared/conversation and shared/pace. It creates no tables (template.yaml does, after
// [LedgerSchema], [RoutesSchema], [ConversationsSchema] and [PaceSchema]), it reads no change stream (Lambda passes that to
// functions/stream-audit), and it decides nothing about a record.
package dynamo

import (
	"context"
	"errors"

	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// api is the part of the SDK's client that the tables use.
type api interface {
	GetItem(context.Context, *sdk.GetItemInput, ...func(*sdk.Options)) (*sdk.GetItemOutput, error)
	PutItem(context.Context, *sdk.PutItemInput, ...func(*sdk.Options)) (*sdk.PutItemOutput, error)
	BatchGetItem(context.Context, *sdk.BatchGetItemInput, ...func(*sdk.Options)) (*sdk.BatchGetItemOutput, error)
	TransactWriteItems(context.Context, *sdk.TransactWriteItemsInput, ...func(*sdk.Options)) (*sdk.TransactWriteItemsOutput, error)
	Query(context.Context, *sdk.QueryInput, ...func(*sdk.Options)) (*sdk.QueryOutput, error)
	Scan(context.Context, *sdk.ScanInput, ...func(*sdk.Options)) (*sdk.ScanOutput, error)
}

// reading returns the fault of a call that changes nothing.
func reading(operation string, err error) error {
	return awsclient.Call{Name: "DynamoDB " + operation, Kind: kindOfCode}.Fault(err)
}

// writing returns the fault of a call that changes an item.
func writing(operation string, witness awsclient.Witness, err error) error {
	call := awsclient.Call{Name: "DynamoDB " + operation, Writes: true, Doubtful: witness.Doubtful, Kind: kindOfCode}
	return call.Fault(err)
}

// unreadable returns the fault of an item that someone has to fix: written by hand, or by another version of the code.
func unreadable(key string, cause error) error {
	return &fault.Error{Kind: fault.Fatal, Err: errors.New("item " + key + " is unreadable: " + cause.Error())}
}

// kindOfCode knows DynamoDB's own error codes.
func kindOfCode(code string) (kind fault.Kind, ok bool) {
	switch code {
	case "ProvisionedThroughputExceededException":
		return fault.Throttled, true
	case "TransactionInProgressException", "TransactionConflictException", "ReplicatedWriteConflictException",
		"ResourceInUseException":
		return fault.Transient, true
	case "ItemCollectionSizeLimitExceededException":
		return fault.Permanent, true
	default:
		return fault.Unknown, false
	}
}

// unstorable returns the fault of a value that has no form as an item.
func unstorable(cause error) error {
	return &fault.Error{Kind: fault.Permanent, Err: cause}
}
