package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var errLog = &fault.Error{Kind: fault.Transient, Err: errors.New("the log is away")}

// keeping returns a fault that lets n operations of that name pass, and fails from then on.
func keeping(n int, op string) relaytest.Fault {
	return func(asked string) error {
		if asked != op {
			return nil
		}
		if n == 0 {
			return errLog
		}
		n--
		return nil
	}
}

// logFunc is a log that is a function.
type logFunc func(lines []auditlog.Line) error

func (f logFunc) Append(_ context.Context, lines []auditlog.Line) error { return f(lines) }

// idsOf returns the ids of a text's versions.
func idsOf(stored []ledger.Record) []string {
	ids := make([]string, len(stored))
	for i, r := range stored {
		ids[i] = r.MessageSid + "." + string(rune('0'+r.Version))
	}
	return ids
}

func TestHandleKeepsTheOrderOfTheStream(t *testing.T) {
	s := newStage(nil)
	// The second text is older than the first: the order of time is not the stream's.
	first, second := life(1, noon), life(2, noon.Add(-time.Hour))
	if failed := s.handle(t, slices.Concat(changes(1, first), changes(4, second))...); failed != "" {
		t.Errorf("change %s is named as failed", failed)
	}
	if diff := cmp.Diff(slices.Concat(idsOf(first), idsOf(second)), s.ids(t)); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
}

// TestSuccessIsAnEmptyList: Lambda wants the list itself, as JSON.
func TestSuccessIsAnEmptyList(t *testing.T) {
	response, err := newStage(nil).Handle(t.Context(), events.DynamoDBEvent{Records: changes(1, life(1, noon))})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(response)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(text), `{"batchItemFailures":[]}`; got != want {
		t.Errorf("response %s, want %s", got, want)
	}
}

func TestHandleNamesTheFirstThatFailed(t *testing.T) {
	batch := slices.Concat(changes(0, life(1, noon)), changes(3, life(2, noon)))
	ids := slices.Concat(idsOf(life(1, noon)), idsOf(life(2, noon)))
	broken := slices.Clone(batch)
	broken[4] = unreadable(4)
	for _, tt := range []struct {
		name  string
		fault relaytest.Fault
		batch []events.DynamoDBEventRecord
		// failed is the index of the change that is to be named, kept how many entries the log has then.
		failed, kept int
	}{
		{"the log keeps none", keeping(0, "before Line"), batch, 0, 0},
		{"the log keeps one", keeping(1, "before Line"), batch, 1, 1},
		{"the log keeps all but one", keeping(5, "before Line"), batch, 5, 5},
		{"the log cannot be reached", keeping(0, "before Append"), batch, 0, 0},
		{"the log's answer is lost", keeping(0, "after Append"), batch, 0, 6},
		{"the log keeps one it does not answer for", keeping(2, "after Line"), batch, 2, 3},
		{"one in the middle is unreadable", nil, broken, 4, 4},
		{"the first is unreadable", nil, broken[4:], 0, 0},
		{"the last is unreadable", nil, broken[:5], 4, 4},
		{"the log fails before the unreadable one", keeping(2, "before Line"), broken, 2, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			log := &relaytest.MemoryAuditLog{Fault: tt.fault}
			s := newStage(log)
			s.log = log
			if got, want := s.handle(t, tt.batch...), tt.batch[tt.failed].Change.SequenceNumber; got != want {
				t.Errorf("change %q is named, want %s", got, want)
			}
			if diff := cmp.Diff(ids[:tt.kept], s.ids(t)); diff != "" {
				t.Errorf("ids in the log (-want +got):\n%s", diff)
			}
		})
	}
}

// TestUnclassifiedFailure: of a log that does not say how far it got, nothing is taken to be kept.
func TestUnclassifiedFailure(t *testing.T) {
	s := newStage(logFunc(func([]auditlog.Line) error { return errors.New("disk full") }))
	if got := s.handle(t, changes(1, life(1, noon))...); got != sequence(1) {
		t.Errorf("change %q is named, want the first", got)
	}
}

func TestEndedContextKeepsNothing(t *testing.T) {
	s := newStage(nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	response, err := s.Handle(ctx, events.DynamoDBEvent{Records: changes(1, life(1, noon))})
	if err != nil {
		t.Fatal(err)
	}
	want := []events.DynamoDBBatchItemFailure{{ItemIdentifier: sequence(1)}}
	if diff := cmp.Diff(want, response.BatchItemFailures); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
}

// TestRepeatIsTheSame: a batch that comes again makes the same lines, byte for byte.
func TestRepeatIsTheSame(t *testing.T) {
	routed := relaytest.Route()
	batch := append(changes(1, life(1, noon)), ofRoute(4, nil, &routed), expired(ofMessage(5, &life(2, noon)[2], nil)))
	s := newStage(nil)
	for range 2 {
		if failed := s.handle(t, batch...); failed != "" {
			t.Fatalf("change %s is named as failed", failed)
		}
		s.clock.Advance(time.Hour)
	}
	lines := s.log.Lines()
	if diff := cmp.Diff(lines[:len(batch)], lines[len(batch):]); diff != "" {
		t.Errorf("lines of the repeat (-first +second):\n%s", diff)
	}
}

// TestNothingIsLeftOut lets a log fail at random places while the stream goes on where the handler says, until all is
// done. A reader that keeps one entry of each id has each change once and in order.
func TestNothingIsLeftOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		batch := slices.Concat(changes(0, life(1, noon)), changes(3, life(2, noon)), changes(6, life(3, noon)))
		failures := rapid.IntRange(0, 8).Draw(t, "failures")
		log := &relaytest.MemoryAuditLog{}
		log.Fault = func(op string) error {
			if failures > 0 && rapid.IntRange(0, 3).Draw(t, op) == 0 {
				failures--
				return errLog
			}
			return nil
		}
		s := newStage(log)
		s.log = log
		for rest := batch; len(rest) > 0; {
			failed := s.handle(t, rest...)
			if failed == "" {
				break
			}
			i := slices.IndexFunc(rest, func(r events.DynamoDBEventRecord) bool { return r.Change.SequenceNumber == failed })
			if i < 0 {
				t.Fatalf("change %q is named, which is not in the batch", failed)
			}
			rest = rest[i:]
		}
		var kept []string
		for _, id := range s.ids(t) {
			if !slices.Contains(kept, id) {
				kept = append(kept, id)
			}
		}
		want := slices.Concat(idsOf(life(1, noon)), idsOf(life(2, noon)), idsOf(life(3, noon)))
		if diff := cmp.Diff(want, kept); diff != "" {
			t.Errorf("entries of a reader (-want +got):\n%s", diff)
		}
	})
}

// metrics reads the EMF lines of one batch. There has to be exactly one.
func metrics(t *testing.T, emitted *bytes.Buffer) map[string]float64 {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(emitted.String(), "\n"), "\n")
	if len(lines) != 1 || lines[0] == "" {
		t.Fatalf("%d EMF lines, want one a batch: %q", len(lines), emitted)
	}
	var document map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &document); err != nil {
		t.Fatal(err)
	}
	if _, ok := document["_aws"]; !ok {
		t.Errorf("line %s has no _aws", lines[0])
	}
	values := map[string]float64{}
	for name, value := range document {
		if number, ok := value.(float64); ok {
			values[name] = number
		}
	}
	return values
}

func TestOneMetricsLineForABatch(t *testing.T) {
	routed := relaytest.Route()
	routed.LastUpdated = noon
	mixed := append(changes(0, life(1, noon)), ofRoute(3, nil, &routed))
	for _, tt := range []struct {
		name  string
		fault relaytest.Fault
		batch []events.DynamoDBEventRecord
		want  map[string]float64
	}{
		{"messages", nil, mixed[:3], map[string]float64{"AuditEntries": 3, "RouteChanges": 0, "AuditLag": 60_000}},
		{"routes", nil, mixed[3:], map[string]float64{"AuditEntries": 1, "RouteChanges": 1, "AuditLag": 60_000}},
		{"both", nil, mixed, map[string]float64{"AuditEntries": 4, "RouteChanges": 1, "AuditLag": 60_000}},
		{"the lag is the oldest one's", nil, mixed[1:3], map[string]float64{"AuditEntries": 2, "RouteChanges": 0, "AuditLag": 59_000}},
		{
			"kept in part", keeping(2, "before Line"), mixed,
			map[string]float64{"AuditEntries": 2, "RouteChanges": 0, "AuditLag": 60_000, "AuditFailures": 1},
		},
		{"nothing kept", keeping(0, "before Line"), mixed, map[string]float64{"AuditEntries": 0, "RouteChanges": 0, "AuditFailures": 1}},
		{
			"nothing readable", nil,
			[]events.DynamoDBEventRecord{unreadable(1)},
			map[string]float64{"AuditEntries": 0, "RouteChanges": 0, "AuditFailures": 1},
		},
		{"nothing at all", nil, nil, map[string]float64{"AuditEntries": 0, "RouteChanges": 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(&relaytest.MemoryAuditLog{Fault: tt.fault})
			s.clock.Advance(time.Minute)
			s.handle(t, tt.batch...)
			if diff := cmp.Diff(tt.want, metrics(t, s.emitted)); diff != "" {
				t.Errorf("metrics (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOneLogLineForABatch(t *testing.T) {
	batch := changes(0, life(1, noon))
	for _, tt := range []struct {
		name  string
		fault relaytest.Fault
		want  map[string]any
	}{
		{"well", nil, map[string]any{"level": "INFO", "msg": "changes audited", "records": 3.0, "entries": 3.0}},
		{"failed", keeping(1, "before Line"), map[string]any{
			"level": "ERROR", "msg": "changes audited", "records": 3.0, "entries": 1.0, "sequence_number": sequence(1),
			"error": "audit log stopped after 1 lines: transient: the log is away",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(&relaytest.MemoryAuditLog{Fault: tt.fault})
			s.handle(t, batch...)
			var got map[string]any
			if err := json.Unmarshal(s.logged.Bytes(), &got); err != nil {
				t.Fatalf("not one line of JSON: %v: %s", err, s.logged)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("line (-want +got):\n%s", diff)
			}
		})
	}
}

// TestManyBatchesAtOnce: a handler serves batches side by side, which the race detector watches.
func TestManyBatchesAtOnce(t *testing.T) {
	s := newStage(nil)
	t.Run("batches", func(t *testing.T) {
		for n := range 8 {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				if failed := s.handle(t, changes(10*n, life(n, noon))...); failed != "" {
					t.Errorf("change %s is named as failed", failed)
				}
			})
		}
	})
	if got := len(s.log.Lines()); got != 8*3 {
		t.Errorf("%d lines, want %d", got, 8*3)
	}
}

// TestUnreadableChanges: what no entry can be made of stops the stream, and never the process.
func TestUnreadableChanges(t *testing.T) {
	text := life(1, noon)[0]
	edit := func(edit func(*events.DynamoDBEventRecord)) events.DynamoDBEventRecord {
		record := ofMessage(1, nil, &text)
		edit(&record)
		return record
	}
	for name, record := range map[string]events.DynamoDBEventRecord{
		"neither image": edit(func(r *events.DynamoDBEventRecord) { r.Change.NewImage = nil }),
		"empty images": edit(func(r *events.DynamoDBEventRecord) {
			r.Change.OldImage, r.Change.NewImage = image(&struct{}{}), image(&struct{}{})
		}),
		"no key":                        edit(func(r *events.DynamoDBEventRecord) { r.Change.Keys = nil }),
		"another table's key":           changeOf[route.Route](1, "PhoneNumber", "x", nil, &route.Route{}),
		"an unknown event name":         edit(func(r *events.DynamoDBEventRecord) { r.EventName = "UPSERT" }),
		"no event name":                 edit(func(r *events.DynamoDBEventRecord) { r.EventName = "" }),
		"an old image of another shape": edit(func(r *events.DynamoDBEventRecord) { r.Change.OldImage = unreadable(1).Change.NewImage }),
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(nil)
			if got := s.handle(t, record); got != record.Change.SequenceNumber {
				t.Errorf("change %q is named, want %q", got, record.Change.SequenceNumber)
			}
			if lines := s.log.Lines(); len(lines) > 0 {
				t.Errorf("the log has %s", lines[0].Text)
			}
		})
	}
}
