package onehost

import (
	"context"
	"strconv"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/cmd/relay/console"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// openLive makes what tells the console's pages of changes. It is told of them by the one reader of the outbox, so that a page that is open
// reads nothing, and wakes nobody, while nothing happens.
func (r *Relay) openLive(ctx context.Context) error {
	newest, err := r.db.Changes().Done(ctx)
	r.live = console.NewLive(newest)
	return err
}

// liveEvents are the changes as pages are told of them.
func liveEvents(read []sqlite.Change, records []events.DynamoDBEventRecord) []console.Event {
	all := make([]console.Event, 0, len(read))
	for i, change := range read {
		item := records[i].Change.NewImage
		if item == nil {
			item = records[i].Change.OldImage
		}
		id, err := strconv.ParseInt(change.SequenceNumber, 10, 64)
		if err != nil {
			continue // The outbox has decimal numbers.
		}
		e := console.Event{ID: id, TwilioNumber: numberIn(item, "TwilioNumber")}
		switch change.Table {
		case sqlite.TableConversations:
			e.Customer = numberIn(item, "Customer")
		case sqlite.TableLedger:
			isOurs := isSet(item, "Manual") || isSet(item, "Notice")
			if e.Customer = numberIn(item, "Customer"); isOurs || e.Customer == "" {
				e.Customer = numberIn(item, "Destination")
			}
			_, isAnswer := item["Answer"]
			_, isChild := item["ParentSid"]
			e.IsText = change.Old == nil && !isOurs && !isAnswer && !isChild
			if isAnswer {
				e.Customer = "" // Both the phone's and the customer's page may show it.
			}
		}
		all = append(all, e)
	}
	return all
}

func numberIn(item map[string]events.DynamoDBAttributeValue, name string) sms.PhoneNumber {
	if value, found := item[name]; found && value.DataType() == events.DataTypeString {
		return sms.PhoneNumber(value.String())
	}
	return ""
}

func isSet(item map[string]events.DynamoDBAttributeValue, name string) bool {
	value, found := item[name]
	return found && value.DataType() == events.DataTypeBoolean && value.Boolean()
}
