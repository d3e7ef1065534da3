package simulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/stream-audit/audit"
	"quickdumpnow.com/smsrelay/shared/onehost/eventsource"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// feed is the change stream of a table.
type feed struct {
	name string
	// made counts the table's changes, and change returns one of them.
	made   func() int
	change func(i int) tableChange
	// audited is up to which change the audit has come, records are those that it was shown, images what they left of each item.
	audited int
	records []events.DynamoDBEventRecord
	images  map[string]map[string]events.DynamoDBAttributeValue
}

// tableChange is one write: an item's key, its attributes by then, and when it was written.
type tableChange struct {
	keys map[string]events.DynamoDBAttributeValue
	id   string
	item any
	at   time.Time
}

// ledgerFeed is the change stream of the ledger.
func (s *schedule) ledgerFeed() *feed {
	return &feed{name: "audit", made: func() int { return len(s.changes) }, change: func(i int) tableChange {
		c := s.changes[i]
		sid := c.record.MessageSid
		keys := map[string]events.DynamoDBAttributeValue{"MessageSid": events.NewStringAttribute(sid)}
		return tableChange{keys: keys, id: sid, item: c.record, at: c.at}
	}}
}

// left counts the changes that are still to be audited.
func (f *feed) left() int { return f.made() - f.audited }

// streamed returns the ith change as a stream shows it. Each is made once.
func (f *feed) streamed(i int) events.DynamoDBEventRecord {
	for len(f.records) <= i {
		c := f.change(len(f.records))
		before, after := f.images[c.id], image(c.item)
		if f.images == nil {
			f.images = map[string]map[string]events.DynamoDBAttributeValue{}
		}
		f.images[c.id] = after
		name := events.DynamoDBOperationTypeModify
		if before == nil {
			name = events.DynamoDBOperationTypeInsert
		}
		f.records = append(f.records, events.DynamoDBEventRecord{
			EventName: string(name),
			Change: events.DynamoDBStreamRecord{
				ApproximateCreationDateTime: events.SecondsEpochTime{Time: c.at}, Keys: c.keys, OldImage: before, NewImage: after,
				SequenceNumber: strconv.Itoa(len(f.records) + 1),
			},
		})
	}
	return f.records[i]
}

// streamDoor is a change stream as the audit sees it.
type streamDoor struct {
	*schedule

	feed *feed
}

func (d streamDoor) Read(ctx context.Context, limit int, _ time.Duration) ([]events.DynamoDBEventRecord, error) {
	read := 0
	c := call{
		op: "stream.Read", read: true, what: func() string { return fmt.Sprintf("%d changes", read) },
		ready: func() bool { return d.feed.left() > 0 },
	}
	return through(ctx, d.schedule, c, func(*actor) ([]events.DynamoDBEventRecord, error) {
		end := min(d.feed.audited+limit, d.feed.made())
		records := make([]events.DynamoDBEventRecord, 0, end-d.feed.audited)
		for i := d.feed.audited; i < end; i++ {
			records = append(records, d.feed.streamed(i))
		}
		read = len(records)
		return records, nil
	})
}

func (d streamDoor) Checkpoint(ctx context.Context, sequenceNumber string) error {
	c := call{op: "stream.Checkpoint", what: func() string { return sequenceNumber }}
	_, err := through(ctx, d.schedule, c, func(*actor) (none, error) {
		n, err := strconv.Atoi(sequenceNumber)
		d.feed.audited = max(d.feed.audited, n)
		return none{}, err
	})
	return err
}

// image is an item as a stream shows it.
func image(of any) map[string]events.DynamoDBAttributeValue {
	item, err := json.Marshal(of)
	if err != nil {
		panic(err)
	}
	shown, err := eventsource.Image(item)
	if err != nil {
		panic(err)
	}
	return shown
}

// startAudit starts a process that audits the changes of a table from the checkpoint on.
func (s *schedule) startAudit(f *feed) {
	handler := audit.New(audit.Config{Log: auditDoor{s}, Now: time.Now, Logger: s.logger, Emit: telemetry.Discard})
	p := &process{name: f.name}
	p.restart = func() { s.startAudit(f) }
	s.spawn(p, f.name, func(ctx context.Context, _ *actor) {
		stream := eventsource.Stream{Changes: streamDoor{s, f}, Function: handler.Handle, BatchSize: 100, Logger: s.logger}
		_ = stream.Run(ctx)
	})
}
