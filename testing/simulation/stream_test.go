package simulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/stream-audit/audit"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/eventsource"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// streamDoor is the ledger's change stream as the audit sees it.
type streamDoor struct{ *schedule }

func (d streamDoor) Read(ctx context.Context, limit int, _ time.Duration) ([]events.DynamoDBEventRecord, error) {
	read := 0
	c := call{
		op: "stream.Read", read: true, what: func() string { return fmt.Sprintf("%d changes", read) },
		ready: func() bool { return d.audited < len(d.changes) },
	}
	return through(ctx, d.schedule, c, func(*actor) ([]events.DynamoDBEventRecord, error) {
		end := min(d.audited+limit, len(d.changes))
		records := make([]events.DynamoDBEventRecord, 0, end-d.audited)
		for i := d.audited; i < end; i++ {
			records = append(records, d.streamed(i))
		}
		read = len(records)
		return records, nil
	})
}

func (d streamDoor) Checkpoint(ctx context.Context, sequenceNumber string) error {
	c := call{op: "stream.Checkpoint", what: func() string { return sequenceNumber }}
	_, err := through(ctx, d.schedule, c, func(*actor) (none, error) {
		n, err := strconv.Atoi(sequenceNumber)
		d.audited = max(d.audited, n)
		return none{}, err
	})
	return err
}

// streamed returns the ith change as a stream shows it. Each is made once.
func (s *schedule) streamed(i int) events.DynamoDBEventRecord {
	for len(s.stream) <= i {
		c := s.changes[len(s.stream)]
		before := s.images[c.record.MessageSid]
		after := s.image(c.record)
		s.images[c.record.MessageSid] = after
		name := events.DynamoDBOperationTypeModify
		if before == nil {
			name = events.DynamoDBOperationTypeInsert
		}
		s.stream = append(s.stream, events.DynamoDBEventRecord{
			EventName: string(name),
			Change: events.DynamoDBStreamRecord{
				ApproximateCreationDateTime: events.SecondsEpochTime{Time: c.at},
				Keys:                        map[string]events.DynamoDBAttributeValue{"MessageSid": after["MessageSid"]},
				OldImage:                    before, NewImage: after, SequenceNumber: strconv.Itoa(len(s.stream) + 1),
			},
		})
	}
	return s.stream[i]
}

func (s *schedule) image(r ledger.Record) map[string]events.DynamoDBAttributeValue {
	item, err := json.Marshal(r)
	if err != nil {
		panic(err)
	}
	image, err := eventsource.Image(item)
	if err != nil {
		panic(err)
	}
	return image
}

// startAudit starts a process that audits the changes from the checkpoint on.
func (s *schedule) startAudit() {
	handler := audit.New(audit.Config{Log: auditDoor{s}, Now: time.Now, Logger: s.logger, Emit: telemetry.Discard})
	p := &process{name: "audit"}
	p.restart = s.startAudit
	s.spawn(p, "audit", func(ctx context.Context, _ *actor) {
		stream := eventsource.Stream{Changes: streamDoor{s}, Function: handler.Handle, BatchSize: 100, Logger: s.logger}
		_ = stream.Run(ctx)
	})
}
