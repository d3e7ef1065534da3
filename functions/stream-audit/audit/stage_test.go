package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/functions/stream-audit/audit"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/eventsource"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// noon is when everything happens that is not said to happen later.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// stage is a handler with everything around it.
type stage struct {
	*audit.Handler
	// Config is the handler's own.
	*audit.Config

	log   *relaytest.MemoryAuditLog
	clock *relaytest.Clock
	// logged holds the operator's log, emitted the EMF lines.
	logged, emitted *bytes.Buffer
}

// newStage returns a handler over log, or over an empty log that never fails if that is nil.
func newStage(log auditlog.Log) stage {
	s := stage{log: &relaytest.MemoryAuditLog{}, clock: relaytest.NewClock(noon), logged: &bytes.Buffer{}, emitted: &bytes.Buffer{}}
	if log == nil {
		log = s.log
	}
	s.Handler = audit.New(audit.Config{
		Log: log, Now: s.clock.Now,
		Logger: slog.New(slog.NewJSONHandler(s.logged, &slog.HandlerOptions{ReplaceAttr: withoutTime})),
		Emit:   telemetry.NewEMF(s.emitted, s.clock.Now),
	})
	s.Config = audit.ConfigOf(s.Handler)
	return s
}

// withoutTime leaves the time out of the operator's log: it is not the clock's.
func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// handle gives the handler a batch and returns the SequenceNumber that it named, or "" if it named none.
func (s stage) handle(t rapid.TB, records ...events.DynamoDBEventRecord) (failed string) {
	t.Helper()
	response, err := s.Handle(context.Background(), events.DynamoDBEvent{Records: records})
	if err != nil {
		t.Fatalf("Handle: %v, want no error ever", err)
	}
	switch len(response.BatchItemFailures) {
	case 0:
		return ""
	case 1:
		return response.BatchItemFailures[0].ItemIdentifier
	default:
		t.Fatalf("%d changes are named, want only the first", len(response.BatchItemFailures))
		return ""
	}
}

// entries returns what the log has kept.
func (s stage) entries(t rapid.TB) []auditlog.Entry {
	t.Helper()
	var entries []auditlog.Entry
	for _, line := range s.log.Lines() {
		var entry auditlog.Entry
		decoder := json.NewDecoder(bytes.NewReader(line.Text))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&entry); err != nil {
			t.Fatalf("line %s: %v", line.Text, err)
		}
		if !entry.Time.Equal(line.Time) {
			t.Errorf("line is of %v, but its entry of %v", line.Time, entry.Time)
		}
		entries = append(entries, entry)
	}
	return entries
}

// entry gives the handler one record and returns the entry it makes of it.
func (s stage) entry(t rapid.TB, record events.DynamoDBEventRecord) auditlog.Entry {
	t.Helper()
	if failed := s.handle(t, record); failed != "" {
		t.Fatalf("change %s is named as failed: %s", failed, s.logged)
	}
	entries := s.entries(t)
	if len(entries) == 0 {
		t.Fatal("no entry was written")
	}
	return entries[len(entries)-1]
}

// ids returns the ids of the entries kept.
func (s stage) ids(t rapid.TB) []string {
	t.Helper()
	ids := []string{}
	for _, entry := range s.entries(t) {
		ids = append(ids, entry.ID)
	}
	return ids
}

// sequence returns the nth SequenceNumber.
func sequence(n int) string { return fmt.Sprintf("%020d", 100+n) }

// image returns an item as a stream shows it.
func image[T any](item *T) map[string]events.DynamoDBAttributeValue {
	text, err := json.Marshal(item)
	if err != nil {
		panic(err)
	}
	attributes, err := eventsource.Image(text)
	if err != nil {
		panic(err)
	}
	return attributes
}

// changeOf returns the nth stream record of a table with that key: an item before and after, nil for none.
func changeOf[T any](n int, key, value string, before, after *T) events.DynamoDBEventRecord {
	name := events.DynamoDBOperationTypeModify
	switch {
	case before == nil:
		name = events.DynamoDBOperationTypeInsert
	case after == nil:
		name = events.DynamoDBOperationTypeRemove
	}
	return events.DynamoDBEventRecord{
		EventID: fmt.Sprintf("%032x", n), EventName: string(name), EventSource: "aws:dynamodb",
		Change: events.DynamoDBStreamRecord{
			ApproximateCreationDateTime: events.SecondsEpochTime{Time: noon},
			Keys:                        map[string]events.DynamoDBAttributeValue{key: events.NewStringAttribute(value)},
			OldImage:                    image(before), NewImage: image(after),
			SequenceNumber: sequence(n), StreamViewType: "NEW_AND_OLD_IMAGES",
		},
	}
}

// ofMessage returns the nth stream record, a change of the ledger.
func ofMessage(n int, before, after *ledger.Record) events.DynamoDBEventRecord {
	either := after
	if either == nil {
		either = before
	}
	return changeOf(n, "MessageSid", either.MessageSid, before, after)
}

// ofRoute returns the nth stream record, a change of the routing table.
func ofRoute(n int, before, after *route.Route) events.DynamoDBEventRecord {
	either := after
	if either == nil {
		either = before
	}
	return changeOf(n, "TwilioNumber", string(either.TwilioNumber), before, after)
}

// expired makes a removal the table's own.
func expired(record events.DynamoDBEventRecord) events.DynamoDBEventRecord {
	record.UserIdentity = &events.DynamoDBUserIdentity{Type: "Service", PrincipalID: "dynamodb.amazonaws.com"}
	return record
}

// life returns the stored versions of a text that goes through at once: sending, sent, delivered.
func life(n int, at time.Time) []ledger.Record {
	claimed, err := relaytest.Record(n, at).Claim("claim-1", 0, relaytest.Destination, time.Minute, at)
	if err != nil {
		panic(err)
	}
	sent, _ := claimed.Accept(1, outboundSid(n), sms.StatusQueued, at.Add(time.Second))
	receipt := sms.Receipt{Sid: outboundSid(n), Status: sms.StatusDelivered, CallbackRef: sms.CallbackRef{Attempt: 1}}
	delivered, _ := sent.Apply(receipt, ledger.Onward{}, at.Add(2*time.Second))
	return versions(claimed, sent, delivered)
}

// versions numbers the records as a store does.
func versions(records ...ledger.Record) []ledger.Record {
	for i := range records {
		records[i].Version = int64(i + 1)
	}
	return records
}

func outboundSid(n int) string { return relaytest.MessageSid(1000 + n) }

// changes returns the stream of a record's versions, numbered from first.
func changes(first int, stored []ledger.Record) []events.DynamoDBEventRecord {
	var records []events.DynamoDBEventRecord
	var before *ledger.Record
	for i := range stored {
		records = append(records, ofMessage(first+i, before, &stored[i]))
		before = &stored[i]
	}
	return records
}

// unreadable returns the nth stream record, one that no entry can be made of.
func unreadable(n int) events.DynamoDBEventRecord {
	record := changes(n, life(n, noon))[0]
	record.Change.NewImage["Version"] = events.NewStringAttribute("one")
	return record
}

// readEvent reads an event as Lambda hands it over.
func readEvent(tb testing.TB, name string) events.DynamoDBEvent {
	tb.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	var event events.DynamoDBEvent
	if err := json.Unmarshal(text, &event); err != nil {
		tb.Fatal(err)
	}
	return event
}

// compareGolden compares the lines with a golden file, which -update writes.
func compareGolden(t *testing.T, name string, lines []auditlog.Line) {
	t.Helper()
	var got strings.Builder
	for _, line := range lines {
		got.Write(line.Text)
		got.WriteByte('\n')
	}
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
