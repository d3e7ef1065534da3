package audit

import (
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// ttlPrincipal is who DynamoDB says it is when a table's time to live deletes an item.
const ttlPrincipal = "dynamodb.amazonaws.com"

var errUnknownTable = errors.New("a change of none of the audited tables")

// attrItem is the sort key of the conversations' table, which no other audited table has.
const attrItem = "Item"

// isAudited reports whether the change belongs in the audit log. Of the conversations' table only conversations and operators' actions
// do: its phones and tags change with almost every text, and the texts are audited themselves. On AWS, the mapping's filter holds back
// the others.
func isAudited(record events.DynamoDBEventRecord) bool {
	item, ok := record.Change.Keys[attrItem]
	return !ok || item.DataType() != events.DataTypeString || conversation.IsAudited(item.String())
}

// entryOf makes the entry of one change. The key says which table it is of.
func entryOf(record events.DynamoDBEventRecord) (auditlog.Entry, error) {
	change, err := changeOf(record)
	if err != nil {
		return auditlog.Entry{}, err
	}
	if _, ok := record.Change.Keys["MessageSid"]; ok {
		return messageEntry(record, change)
	}
	if item, ok := record.Change.Keys[attrItem]; ok {
		if item.DataType() == events.DataTypeString && strings.HasPrefix(item.String(), conversation.PrefixAction) {
			return actionEntry(record, change)
		}
		return conversationEntry(record, change)
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
	return auditlog.MessageEntry(before, after, change, seenOf(record))
}

func conversationEntry(record events.DynamoDBEventRecord, change string) (auditlog.Entry, error) {
	before, after, err := images[conversation.Conversation](record)
	if err != nil {
		return auditlog.Entry{}, err
	}
	return auditlog.ConversationEntry(before, after, change, seenOf(record))
}

func actionEntry(record events.DynamoDBEventRecord, change string) (auditlog.Entry, error) {
	before, after, err := images[conversation.Action](record)
	if err != nil {
		return auditlog.Entry{}, err
	}
	return auditlog.ActionEntry(before, after, change, seenOf(record)), nil
}

func seenOf(record events.DynamoDBEventRecord) auditlog.Seen {
	return auditlog.Seen{SequenceNumber: record.Change.SequenceNumber, At: record.Change.ApproximateCreationDateTime.Time}
}
