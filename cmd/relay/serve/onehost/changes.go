package onehost

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/cmd/relay/console"
	"quickdumpnow.com/smsrelay/shared/onehost/eventsource"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

// changes presents the database's outbox as a DynamoDB stream, so that the same function audits both.
type changes struct {
	outbox *sqlite.Changes
	// tell tells open pages what is read; nil tells nobody.
	tell func([]console.Event)
}

// keysOf returns the keys of the changed item, by their names in its table.
func keysOf(change sqlite.Change) map[string]events.DynamoDBAttributeValue {
	switch change.Table {
	case sqlite.TableConversations:
		number, item := change.ConversationKey()
		return map[string]events.DynamoDBAttributeValue{
			"TwilioNumber": events.NewStringAttribute(number), "Item": events.NewStringAttribute(item),
		}
	case sqlite.TableRouting:
		return map[string]events.DynamoDBAttributeValue{"TwilioNumber": events.NewStringAttribute(change.Key)}
	default:
		return map[string]events.DynamoDBAttributeValue{"MessageSid": events.NewStringAttribute(change.Key)}
	}
}

// Read returns the oldest changes behind the checkpoint as stream records.
func (c changes) Read(ctx context.Context, limit int, wait time.Duration) ([]events.DynamoDBEventRecord, error) {
	read, err := c.outbox.Read(ctx, limit, wait)
	if err != nil {
		return nil, err
	}
	records := make([]events.DynamoDBEventRecord, len(read))
	for i, change := range read {
		if records[i], err = recordOf(change); err != nil {
			return nil, fmt.Errorf("change %s: %w", change.SequenceNumber, err)
		}
	}
	if c.tell != nil {
		c.tell(liveEvents(read, records))
	}
	return records, nil
}

// Checkpoint marks everything up to sequenceNumber as done.
func (c changes) Checkpoint(ctx context.Context, sequenceNumber string) error {
	return c.outbox.Checkpoint(ctx, sequenceNumber)
}

func recordOf(change sqlite.Change) (events.DynamoDBEventRecord, error) {
	before, err := eventsource.Image(change.Old)
	if err != nil {
		return events.DynamoDBEventRecord{}, err
	}
	after, err := eventsource.Image(change.New)
	if err != nil {
		return events.DynamoDBEventRecord{}, err
	}
	record := events.DynamoDBEventRecord{
		EventID: change.SequenceNumber, EventName: nameOf(change.Old, change.New), EventSource: "smsrelay:sqlite",
		Change: events.DynamoDBStreamRecord{
			ApproximateCreationDateTime: events.SecondsEpochTime{Time: change.At},
			Keys:                        keysOf(change),
			OldImage:                    before, NewImage: after,
			SequenceNumber: change.SequenceNumber, StreamViewType: "NEW_AND_OLD_IMAGES",
		},
	}
	if change.Expired {
		record.UserIdentity = &events.DynamoDBUserIdentity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"}
	}
	return record, nil
}

func nameOf(before, after json.RawMessage) string {
	switch {
	case before == nil:
		return string(events.DynamoDBOperationTypeInsert)
	case after == nil:
		return string(events.DynamoDBOperationTypeRemove)
	default:
		return string(events.DynamoDBOperationTypeModify)
	}
}

// quiet passes on only warnings and errors: on one host, a line for each batch of the audit would hide the others.
func quiet(logger *slog.Logger) *slog.Logger {
	return slog.New(atLeastWarn{logger.Handler()})
}

type atLeastWarn struct{ slog.Handler }

// Enabled holds back records below a warning.
func (h atLeastWarn) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}
