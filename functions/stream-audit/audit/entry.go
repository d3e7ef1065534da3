package audit

import (
	"errors"
	"fmt"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// ttlPrincipal is who DynamoDB says it is when a table's time to live deletes an item.
const ttlPrincipal = "dynamodb.amazonaws.com"

var errUnknownTable = errors.New("a change of neither the ledger nor the routing table")

// entryOf makes the entry of one change. Which table it is of, the key tells.
func entryOf(record events.DynamoDBEventRecord) (auditlog.Entry, error) {
	change, err := changeOf(record)
	if err != nil {
		return auditlog.Entry{}, err
	}
	if _, ok := record.Change.Keys["MessageSid"]; ok {
		return messageEntry(record, change)
	}
	if _, ok := record.Change.Keys["TwilioNumber"]; ok {
		return routeEntry(record, change)
	}
	return auditlog.Entry{}, errUnknownTable
}

func changeOf(record events.DynamoDBEventRecord) (string, error) {
	switch events.DynamoDBOperationType(record.EventName) {
	case events.DynamoDBOperationTypeInsert:
		return auditlog.ChangeCreated, nil
	case events.DynamoDBOperationTypeModify:
		return auditlog.ChangeChanged, nil
	case events.DynamoDBOperationTypeRemove:
		if record.UserIdentity != nil && record.UserIdentity.PrincipalID == ttlPrincipal {
			return auditlog.ChangeExpired, nil
		}
		return auditlog.ChangeRemoved, nil
	default:
		return "", fmt.Errorf("unknown event name %q", record.EventName)
	}
}

// images reads the item before and after. A created item has none before, a removed one none after; the other one is then used
// for both.
func images[T any](record events.DynamoDBEventRecord) (before, after *T, err error) {
	if before, err = image[T](record.Change.OldImage); err != nil {
		return nil, nil, fmt.Errorf("read old image: %w", err)
	}
	if after, err = image[T](record.Change.NewImage); err != nil {
		return nil, nil, fmt.Errorf("read new image: %w", err)
	}
	if before == nil && after == nil {
		return nil, nil, errors.New("change has no image: the stream must be NEW_AND_OLD_IMAGES")
	}
	return before, after, nil
}

func messageEntry(record events.DynamoDBEventRecord, change string) (auditlog.Entry, error) {
	before, after, err := images[ledger.Record](record)
	if err != nil {
		return auditlog.Entry{}, err
	}
	seen := auditlog.Seen{SequenceNumber: record.Change.SequenceNumber, At: record.Change.ApproximateCreationDateTime.Time}
	return auditlog.MessageEntry(before, after, change, seen)
}
