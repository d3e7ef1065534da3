package dashboards

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/functions/stream-audit/audit"
	"quickdumpnow.com/smsrelay/shared/onehost/eventsource"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	door "quickdumpnow.com/smsrelay/shared/twilio"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	base       = "https://relay.example.com"
	authToken  = "fake-token-of-a-test"
	visibility = 3 * time.Minute
	// played is how long the run is.
	played = 3 * time.Hour
)

var began = time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)

// The handlers, by what Lambda calls them with.
type (
	webFunction    func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error)
	queueFunction  func(context.Context, events.SQSEvent) (events.SQSEventResponse, error)
	streamFunction func(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error)
)

// stage is a relay on AWS, with everything around the functions in memory.
type stage struct {
	t     *testing.T
	clock *relaytest.Clock
	// chance is the same in each run.
	chance *rand.Rand
	twilio *twilio

	ingest, operator webFunction
	sender           queueFunction
	audit            streamFunction

	texts, timers, dead *relaytest.MemoryQueue
	ledger              *recordedLedger
	routes              *recordedRoutes
	conversations       relaytest.MemoryConversations
	auditLog            *relaytest.MemoryAuditLog
	// broken says what of the queue and the audit log fails now.
	broken map[string]bool

	changes []events.DynamoDBEventRecord
	audited int
	// emitted are the lines that the functions print as metrics, logs those of their logs by function.
	emitted bytes.Buffer
	logs    map[string]*bytes.Buffer
	aws     observed
	serial  int
	// webhooks are what Twilio has still to call.
	webhooks []called
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{
		t: t, clock: relaytest.NewClock(began), chance: rand.New(rand.NewPCG(1, 2)), broken: map[string]bool{},
		logs: map[string]*bytes.Buffer{},
	}
	s.texts = relaytest.NewMemoryQueue(relaytest.QueueOptions{}, s.clock.Now)
	s.timers = relaytest.NewMemoryQueue(relaytest.QueueOptions{Standard: true}, s.clock.Now)
	s.dead = relaytest.NewMemoryQueue(relaytest.QueueOptions{}, s.clock.Now)
	s.texts.Fault = s.failing("queue", "before Send")
	s.auditLog = &relaytest.MemoryAuditLog{Fault: s.failing("audit log", "before Append")}
	s.ledger = &recordedLedger{MemoryLedger: &relaytest.MemoryLedger{}, s: s}
	s.routes = &recordedRoutes{MemoryRoutes: relaytest.NewMemoryRoutes(), s: s}
	s.twilio = &twilio{s: s}
	s.twilio.Now, s.twilio.Answer, s.twilio.Fault = s.clock.Now, s.twilio.answer, s.twilio.failing
	s.aws.hidden = map[string]time.Time{}
	names := functionNames(t)
	s.newIngest(names["ingest"])
	s.newSender(names["sender"])
	s.newAudit(names["stream-audit"])
	s.newOperator(names["operator"])
	return s
}

// counted finds under which name a function counts its cold starts.
var counted = regexp.MustCompile(`telemetry\.CountColdStart\("([a-z-]+)", emit, handler\.Handle\)`)

// functionNames returns that name for each folder of a function that takes part in the run.
func functionNames(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{}
	for _, folder := range []string{"ingest", "sender", "stream-audit", "operator"} {
		text, err := os.ReadFile(filepath.Join("..", "..", "functions", folder, "main.go"))
		if err != nil {
			t.Fatal(err)
		}
		found := counted.FindSubmatch(text)
		if found == nil {
			t.Fatalf("functions/%s/main.go does not count its cold starts", folder)
		}
		names[folder] = string(found[1])
	}
	return names
}

// logger returns the logger of a function, in the form that Lambda gives it.
func (s *stage) logger(function string) *slog.Logger {
	s.logs[function] = &bytes.Buffer{}
	return slog.New(slog.NewJSONHandler(s.logs[function], &slog.HandlerOptions{Level: slog.LevelInfo, ReplaceAttr: lambdacontext.ReplaceAttr}))
}

func (s *stage) emit() telemetry.Emit { return telemetry.NewEMF(&s.emitted, s.clock.Now) }

func (s *stage) newIngest(name string) {
	verifier, err := signature.NewValidator([]string{base}, []string{authToken})
	s.must(err)
	h := webhook.New(webhook.Config{
		Queue: s.texts, Verifier: verifier, Now: s.clock.Now, Started: began, Build: telemetry.Build{Version: "v1.2.3"},
		Logger: s.logger("IngestLogGroup"), Emit: s.emit(),
	})
	s.ingest = telemetry.CountColdStart(name, s.emit(), h.Handle)
}

func (s *stage) newOperator(name string) {
	h := operations.New(operations.Config{
		Queue: s.texts, Records: s.ledger, Routes: s.routes, Conversations: &relaytest.MemoryConversations{}, Now: s.clock.Now,
		NewID:  operations.NewID,
		Logger: s.logger("OperatorLogGroup"), Emit: s.emit(),
	})
	s.operator = telemetry.CountColdStart(name, s.emit(), h.Handle)
}

func (s *stage) newAudit(name string) {
	h := audit.New(audit.Config{
		Log: s.auditLog, SetAside: func(context.Context, string, []byte) error { return nil }, Now: s.clock.Now,
		Logger: s.logger("StreamAuditLogGroup"), Emit: s.emit(),
	})
	s.audit = telemetry.CountColdStart(name, s.emit(), h.Handle)
}

func (s *stage) newSender(name string) {
	pair, err := pace.Parse(pace.DefaultPair)
	s.must(err)
	number, err := pace.Parse(pace.DefaultNumber)
	s.must(err)
	claims, emit := 0, s.emit()
	h := delivery.New(delivery.Config{
		Ledger: s.ledger, Records: s.ledger, Routes: route.NewCache(s.routes, s.clock.Now), Conversations: &s.conversations,
		Customers: &s.conversations, Messages: s.twilio, Pace: &relaytest.MemoryPace{},
		PacePair: pair, PaceNumber: number,
		Queue: hiding{s, s.texts}, TimerQueue: hiding{s, s.timers}, Timers: s.timers, DeadLetters: s.dead, Answers: s.texts,
		Policy: retry.NewPolicy(2*time.Second, 8), ReceiptFault: door.ClassifyReceipt,
		ReconcileLooks: 3, ReconcileInterval: 40 * time.Second,
		PublicBaseURL: base, SendTimeout: 8 * time.Second, Retention: 9600 * time.Hour, Concurrency: 1,
		Now: s.clock.Now, Spread: s.chance.Float64, NewClaimID: func() string { claims++; return fmt.Sprint("claim-", claims) },
		Logger: s.logger("SenderLogGroup"), Emit: emit,
	})
	s.sender = telemetry.CountColdStart(name, emit, h.Handle)
}

// must ends the run if the stage itself could not do something.
func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatalf("the stage: %v", err)
	}
}

// pump takes one batch of a queue through the sender, as an event source mapping does.
func (s *stage) pump(q *relaytest.MemoryQueue) {
	ctx := s.t.Context()
	deliveries, err := q.Receive(ctx, 10, 0, visibility)
	s.must(err)
	if len(deliveries) == 0 {
		return
	}
	var batch events.SQSEvent
	for _, d := range deliveries {
		m := events.SQSMessage{
			MessageId: d.MessageID, ReceiptHandle: d.ReceiptHandle, Body: d.Body,
			Attributes: map[string]string{"ApproximateReceiveCount": strconv.Itoa(d.ReceiveCount)},
		}
		if d.Group != "" {
			m.Attributes["MessageGroupId"] = d.Group
		}
		m.MessageAttributes = map[string]events.SQSMessageAttribute{}
		for name, value := range d.Attributes {
			m.MessageAttributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &value}
		}
		batch.Records = append(batch.Records, m)
	}
	s.aws.invocations["SenderFunction"]++
	response, err := s.sender(ctx, batch)
	s.must(err)
	back := map[string]bool{}
	for _, failure := range response.BatchItemFailures {
		back[failure.ItemIdentifier] = true
	}
	var done []string
	for _, d := range deliveries {
		if !back[d.MessageID] {
			done = append(done, d.ReceiptHandle)
		}
	}
	if len(done) > 0 {
		s.must(q.Delete(ctx, done))
	}
}

// stream takes the changes that are new through the audit, as the stream's mapping does.
func (s *stage) stream() {
	if s.audited == len(s.changes) {
		return
	}
	batch := s.changes[s.audited:min(s.audited+100, len(s.changes))]
	s.aws.invocations["StreamAuditFunction"]++
	s.aws.iteratorAge = max(s.aws.iteratorAge, s.clock.Now().Sub(batch[0].Change.ApproximateCreationDateTime.Time))
	response, err := s.audit(s.t.Context(), events.DynamoDBEvent{Records: batch})
	s.must(err)
	s.audited += len(batch)
	for _, failure := range response.BatchItemFailures {
		n, err := strconv.Atoi(failure.ItemIdentifier)
		s.must(err)
		s.audited = n - 1
	}
}

// changed adds a change of a table to the stream, nil before for a new item.
func (s *stage) changed(key, value string, before, after any) {
	name := events.DynamoDBOperationTypeModify
	if before == nil {
		name = events.DynamoDBOperationTypeInsert
	}
	s.changes = append(s.changes, events.DynamoDBEventRecord{
		EventName: string(name),
		Change: events.DynamoDBStreamRecord{
			ApproximateCreationDateTime: events.SecondsEpochTime{Time: s.clock.Now()},
			Keys:                        map[string]events.DynamoDBAttributeValue{key: events.NewStringAttribute(value)},
			OldImage:                    s.image(before), NewImage: s.image(after), SequenceNumber: strconv.Itoa(len(s.changes) + 1),
		},
	})
}

func (s *stage) image(item any) map[string]events.DynamoDBAttributeValue {
	text, err := json.Marshal(item)
	s.must(err)
	image, err := eventsource.Image(text)
	s.must(err)
	return image
}

// hiding is a queue's visibility, which AWS counts.
type hiding struct {
	s *stage
	q *relaytest.MemoryQueue
}

// ChangeVisibility implements delivery.Visibility.
func (h hiding) ChangeVisibility(ctx context.Context, changes []queue.Visibility) error {
	for _, c := range changes {
		h.s.aws.hidden[c.ReceiptHandle] = h.s.clock.Now().Add(c.Timeout)
	}
	return h.q.ChangeVisibility(ctx, changes)
}
