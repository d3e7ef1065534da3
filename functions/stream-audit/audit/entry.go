package audit

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// The subjects of entries.
const (
	SubjectMessage = "message"
	SubjectRoute   = "route"
	// SubjectUnreadable is a change of which there is no entry to be had.
	SubjectUnreadable = "unreadable"
)

// The changes that entries tell of.
const (
	changeCreated = "created"
	changeChanged = "changed"
	changeRemoved = "removed"
	changeExpired = "expired"
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
		return changeCreated, nil
	case events.DynamoDBOperationTypeModify:
		return changeChanged, nil
	case events.DynamoDBOperationTypeRemove:
		if record.UserIdentity != nil && record.UserIdentity.PrincipalID == ttlPrincipal {
			return changeExpired, nil
		}
		return changeRemoved, nil
	default:
		return "", fmt.Errorf("unknown event name %q", record.EventName)
	}
}

// images reads the item before and after. Of a created item there is none before, of a removed one none after; the
// other one then stands for both.
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
	latest := after
	if latest == nil {
		latest = before
	}
	entry := auditlog.Entry{
		ID:           messageID(before, *latest, change, record.Change.SequenceNumber),
		Time:         timeOf(latest.UpdatedAt, after == nil, record),
		Subject:      SubjectMessage,
		Change:       change,
		Version:      latest.Version,
		MessageSid:   latest.MessageSid,
		TwilioNumber: latest.TwilioNumber.Mask(),
		Customer:     latest.Customer.Mask(),
	}
	if before != nil {
		entry.From = string(before.State)
	}
	if after != nil {
		entry.To, entry.Reason = string(after.State), string(after.Reason)
		entry.Attempt = attemptOf(before, *after)
	}
	return entry, nil
}

// messageID returns the identity of a text's entry. A change made past the relay leaves the version as it was, and
// then the place in the stream tells the two apart.
func messageID(before *ledger.Record, latest ledger.Record, change, sequenceNumber string) string {
	text := id(latest.MessageSid, latest.Version, change)
	if change == changeChanged && before != nil && before.Version >= latest.Version {
		text += "@" + sequenceNumber
	}
	return text
}

// id returns the entry's identity, the same however often the entry is made.
func id(key string, version int64, change string) string {
	text := key + "." + strconv.FormatInt(version, 10)
	if change == changeRemoved || change == changeExpired {
		text += "." + change
	}
	return text
}

// timeOf returns when a text's record was changed: its own word for it, which is finer than the stream's, or the
// stream's where the record was removed.
func timeOf(updated time.Time, removed bool, record events.DynamoDBEventRecord) time.Time {
	if removed || updated.IsZero() {
		return ledger.Stamp(record.Change.ApproximateCreationDateTime.Time)
	}
	return ledger.Stamp(updated)
}

// attemptOf returns the attempt that the change is about: the one that differs from before, or else the last.
func attemptOf(before *ledger.Record, after ledger.Record) *auditlog.Attempt {
	if len(after.Attempts) == 0 {
		return nil
	}
	about := after.Attempts[len(after.Attempts)-1]
	if before != nil {
		for i, attempt := range after.Attempts {
			if i < len(before.Attempts) && attempt != before.Attempts[i] {
				about = attempt
				break
			}
		}
	}
	return &auditlog.Attempt{
		Number: about.Number, Hop: about.Hop, Destination: about.To.Mask(), OutboundSid: about.OutboundSid,
		Status: string(about.Status), Outcome: about.Outcome, ErrorCode: about.ErrorCode,
		Looks: about.Looks, Found: about.Found, HopDone: about.HopDone,
	}
}
