package delivery_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	door "quickdumpnow.com/smsrelay/shared/twilio"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	base        = "https://relay.example.com"
	sendTimeout = 8 * time.Second
	lease       = sendTimeout + 10*time.Second
	visibility  = 30 * time.Second
	// looks and interval are how often and how far apart Twilio is asked again for a message.
	looks       = 3
	interval    = 40 * time.Second
	maxAttempts = 3
	retention   = 24 * time.Hour
	// secretText is in every text, so that a log that shows it is found.
	secretText = "gate-code-4711"
	// otherNumber is routed too, to otherPhone.
	otherNumber sms.PhoneNumber = "+18585550140"
	otherPhone  sms.PhoneNumber = "+18585550141"
	// idleNumber has a route that is not active.
	idleNumber sms.PhoneNumber = "+18585550150"
	idlePhone  sms.PhoneNumber = "+18585550151"
)

var started = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

var policy = retry.Policy{Base: 2 * time.Second, Cap: time.Minute, MaxAttempts: maxAttempts, HaltDelay: 5 * time.Minute}

// sender is a handler with everything around it in memory.
type sender struct {
	*delivery.Handler
	// Config is the handler's own.
	*delivery.Config

	t             rapid.TB
	clock         *relaytest.Clock
	queue         *relaytest.MemoryQueue
	timers        *relaytest.MemoryQueue
	dead          *relaytest.MemoryQueue
	ledger        *relaytest.MemoryLedger
	routes        *relaytest.MemoryRoutes
	pace          *relaytest.MemoryPace
	conversations *relaytest.MemoryConversations
	twilio        *twilio
	faults        *faults

	mu       sync.Mutex
	logs     bytes.Buffer
	measured map[string]int
	// asked are the visibility timeouts by receipt handle.
	asked  map[string]time.Duration
	claims int
	// seen is how many messages sent has returned.
	seen int
	// moved counts the dead letters that moveBack moved.
	moved int
	// busy is set while a batch is worked on. A sender that died then leaves its messages on the queue.
	busy, died bool
}

func newSender(t rapid.TB) *sender {
	t.Helper()
	s := &sender{t: t, clock: relaytest.NewClock(started), faults: &faults{}, measured: map[string]int{}, asked: map[string]time.Duration{}}
	s.queue = relaytest.NewMemoryQueue(relaytest.QueueOptions{}, s.clock.Now)
	s.timers = relaytest.NewMemoryQueue(relaytest.QueueOptions{Standard: true}, s.clock.Now)
	s.dead = relaytest.NewMemoryQueue(relaytest.QueueOptions{}, s.clock.Now)
	s.ledger = &relaytest.MemoryLedger{Fault: s.faults.of("ledger")}
	s.pace = &relaytest.MemoryPace{Fault: s.faults.of("pace")}
	s.conversations = &relaytest.MemoryConversations{Fault: s.faults.of("conversations")}
	s.queue.Fault, s.timers.Fault, s.dead.Fault = s.faults.of("queue"), s.faults.of("timers"), s.faults.of("dead")
	s.routes = relaytest.NewMemoryRoutes(
		route.Route{
			TwilioNumber: relaytest.TwilioNumber, DestinationCarrier: relaytest.Destination,
			FallbackCarriers: []sms.PhoneNumber{relaytest.Fallback}, Active: true,
		},
		route.Route{TwilioNumber: otherNumber, DestinationCarrier: otherPhone, Active: true},
		route.Route{TwilioNumber: idleNumber, DestinationCarrier: idlePhone},
	)
	s.routes.Fault = s.faults.of("routes")
	s.twilio = newTwilio(s.clock.Now, s.faults.of("twilio"))
	s.Handler = delivery.New(delivery.Config{
		Ledger: s.ledger, Records: s.ledger, Routes: remembersNothing{s.routes}, Messages: s.twilio, Pace: s.pace,
		Conversations: s.conversations, Customers: s.conversations,
		Queue: visibilityCheck{s, s.queue}, TimerQueue: visibilityCheck{s, s.timers}, Timers: delayCheck{s.timers},
		DeadLetters: s.dead, Answers: s.queue,
		Policy: policy, ReceiptFault: door.ClassifyReceipt, ReconcileLooks: looks, ReconcileInterval: interval,
		PublicBaseURL: base, SendTimeout: sendTimeout, Retention: retention, Concurrency: 10,
		Now: s.clock.Now, Spread: func() float64 { return 0 }, NewClaimID: s.newClaimID,
		Logger: slog.New(slog.NewJSONHandler(s, &slog.HandlerOptions{Level: slog.LevelDebug})), Emit: s.measure,
	})
	s.Config = delivery.ConfigOf(s.Handler)
	return s
}

// remembersNothing is a routing table without a cache before it.
type remembersNothing struct{ *relaytest.MemoryRoutes }

// Forget has nothing to forget.
func (remembersNothing) Forget(...sms.PhoneNumber) {}

// ForgetBefore has nothing to forget.
func (remembersNothing) ForgetBefore(time.Time, ...sms.PhoneNumber) {}

// WithThread lists the table.
func (r remembersNothing) WithThread(ctx context.Context, number sms.PhoneNumber) (route.Route, bool, error) {
	all, err := r.List(ctx)
	found, ok := route.WithThread(all, number)
	return found, ok, err
}

// WithFormerThread lists the table.
func (r remembersNothing) WithFormerThread(ctx context.Context, number sms.PhoneNumber, at time.Time) (route.Route, bool, error) {
	all, err := r.List(ctx)
	found, ok := route.WithFormerThread(all, number, at)
	return found, ok, err
}

// MarkOptedOut goes to the table.
func (r remembersNothing) MarkOptedOut(ctx context.Context, number, hop sms.PhoneNumber, optedOut bool) error {
	return route.MarkOptedOut(ctx, r.MemoryRoutes, number, hop, optedOut)
}

// Verify goes to the table.
func (r remembersNothing) Verify(
	ctx context.Context, number, phone sms.PhoneNumber, code, messageSid string, at, now time.Time,
) (route.Verdict, error) {
	return route.Verify(ctx, r.MemoryRoutes, number, phone, code, messageSid, at, now)
}

// MarkOff goes to the table.
func (r remembersNothing) MarkOff(
	ctx context.Context, number, phone sms.PhoneNumber, at, until, now time.Time,
) (route.Route, time.Time, error) {
	return route.MarkOff(ctx, r.MemoryRoutes, number, phone, at, until, now)
}

func (s *sender) newClaimID() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.claims++
	return fmt.Sprintf("claim-%d", s.claims)
}

func (s *sender) measure(all ...telemetry.Measurement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range all {
		s.measured[strings.TrimSuffix(m.Name+" "+m.Dimension.Value, " ")]++
	}
}

// Write takes the log's lines, and checks that each contains only what it may.
func (s *sender) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range []string{secretText, "85855501"} {
		if bytes.Contains(line, []byte(secret)) {
			s.t.Errorf("log line shows %q: %s", secret, line)
		}
	}
	return s.logs.Write(line)
}

// lines returns the messages of the log since the last call.
func (s *sender) lines() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var messages []string
	for line := range strings.Lines(s.logs.String()) {
		var entry struct{ Msg string }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			s.t.Errorf("log line %q: %v", line, err)
		}
		messages = append(messages, entry.Msg)
	}
	s.logs.Reset()
	return messages
}

// visibilityCheck holds changes of visibility against the queue's contract. SQLite's queue refuses all of a call of
// which one is outside of it.
type visibilityCheck struct {
	s     *sender
	queue *relaytest.MemoryQueue
}

func (v visibilityCheck) ChangeVisibility(ctx context.Context, changes []queue.Visibility) error {
	for _, c := range changes {
		if c.Timeout < 0 || c.Timeout > 12*time.Hour {
			v.s.t.Errorf("visibility timeout %v, want 0 to 12 hours", c.Timeout)
		}
		v.s.mu.Lock()
		v.s.asked[c.ReceiptHandle] = c.Timeout
		v.s.mu.Unlock()
	}
	return v.queue.ChangeVisibility(ctx, changes)
}

// textOf returns the envelope of the nth text, changed by edit.
func textOf(n int, edit func(e *queue.Envelope)) queue.Envelope {
	m := relaytest.Message(n)
	m.Body = fmt.Sprintf("The %s, please (%d)", secretText, n)
	e := queue.Envelope{Version: queue.Version, Kind: queue.KindInbound, RelayID: m.Sid, ReceivedAt: started, Message: &m}
	if edit != nil {
		edit(&e)
	}
	return e
}

// alone makes a text one whose route has no fallback.
func alone(e *queue.Envelope) { e.Message.To = otherNumber }

// receiptOf returns the envelope of a receipt of the nth text.
func receiptOf(n, attempt int, outboundSid string, status sms.Status) queue.Envelope {
	ref := sms.CallbackRef{RelayID: relaytest.MessageSid(n), Attempt: attempt}
	return queue.Envelope{
		Version: queue.Version, Kind: queue.KindReceipt, RelayID: ref.RelayID, ReceivedAt: started,
		Receipt: &sms.Receipt{Sid: outboundSid, Status: status, CallbackRef: ref},
	}
}

// queueUp puts envelopes on the queue, repeats too: as if five minutes lay between.
func (s *sender) queueUp(envelopes ...queue.Envelope) {
	s.t.Helper()
	for _, e := range envelopes {
		out, err := e.Outgoing()
		if err != nil {
			s.t.Fatal(err)
		}
		out.DeduplicationID += "-" + s.newClaimID()
		if err := s.queue.Send(context.Background(), out); err != nil {
			s.t.Fatal(err)
		}
	}
}

// batchOf writes deliveries the way the event source mapping does.
func batchOf(deliveries []queue.Delivery) events.SQSEvent {
	var batch events.SQSEvent
	for _, d := range deliveries {
		attributes := map[string]string{"ApproximateReceiveCount": strconv.Itoa(d.ReceiveCount)}
		if d.Group != "" {
			attributes["MessageGroupId"] = d.Group
		}
		batch.Records = append(batch.Records, events.SQSMessage{
			MessageId: d.MessageID, ReceiptHandle: d.ReceiptHandle, Body: d.Body, Attributes: attributes, MessageAttributes: attributesOf(d),
		})
	}
	return batch
}

func attributesOf(d queue.Delivery) map[string]events.SQSMessageAttribute {
	attributes := map[string]events.SQSMessageAttribute{}
	for name, value := range d.Attributes {
		attributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &value}
	}
	return attributes
}

// receive takes what can be had off the queue.
func (s *sender) receive() []queue.Delivery {
	s.t.Helper()
	return s.receiveFrom(s.queue)
}

func (s *sender) receiveFrom(q *relaytest.MemoryQueue) []queue.Delivery {
	s.t.Helper()
	deliveries, err := q.Receive(context.Background(), 10, 0, visibility)
	if err != nil {
		s.t.Fatal(err)
	}
	return deliveries
}

// pump takes one batch of each queue through, as the event source mappings do, and returns how many messages came back of
// how many.
func (s *sender) pump() (failed, received int) {
	s.t.Helper()
	for _, q := range []*relaytest.MemoryQueue{s.queue, s.timers} {
		f, r := s.pumpFrom(q)
		failed, received = failed+f, received+r
	}
	return failed, received
}

func (s *sender) pumpFrom(q *relaytest.MemoryQueue) (failed, received int) {
	s.t.Helper()
	deliveries := s.receiveFrom(q)
	if len(deliveries) == 0 {
		return 0, 0
	}
	s.busy, s.died = true, false
	response, err := s.Handle(context.Background(), batchOf(deliveries))
	s.busy = false
	if err != nil {
		s.t.Fatalf("Handle: %v; it would bring the whole batch back", err)
	}
	if s.died {
		return 0, len(deliveries)
	}
	s.remove(q, deliveries, response)
	return len(response.BatchItemFailures), len(deliveries)
}

func (s *sender) remove(q *relaytest.MemoryQueue, deliveries []queue.Delivery, response events.SQSEventResponse) {
	s.t.Helper()
	back := map[string]bool{}
	for _, failure := range response.BatchItemFailures {
		back[failure.ItemIdentifier] = true
	}
	var done []string
	for _, d := range deliveries {
		if !back[d.MessageID] {
			done = append(done, d.ReceiptHandle)
		}
		delete(back, d.MessageID)
	}
	if len(back) > 0 {
		s.t.Errorf("answer names messages that were not in the batch: %v", back)
	}
	if err := q.Delete(context.Background(), done); err != nil {
		s.t.Fatal(err)
	}
}

// waiting returns how many messages the two queues hold, in flight or not.
func (s *sender) waiting() int { return len(s.queue.Messages()) + len(s.timers.Messages()) }

// drain pumps until the queues are empty, moving the clock on when nothing can be had.
func (s *sender) drain() {
	s.t.Helper()
	for range 20_000 {
		if s.waiting() == 0 {
			return
		}
		if _, received := s.pump(); received == 0 {
			s.clock.Advance(time.Second)
		}
	}
	s.t.Fatalf("queues are not empty after 20,000 batches: %v, %v", s.queue.Messages(), s.timers.Messages())
}

// record returns the nth text's record, which must be there.
func (s *sender) record(n int) ledger.Record {
	s.t.Helper()
	r, err := s.ledger.Get(context.Background(), relaytest.MessageSid(n))
	if err != nil {
		s.t.Fatalf("record %d: %v", n, err)
	}
	return r
}

// checkState holds the nth text's state against what it must be.
func (s *sender) checkState(n int, state ledger.State, reason ledger.Reason) {
	s.t.Helper()
	if r := s.record(n); r.State != state || r.Reason != reason {
		s.t.Errorf("text %d is %q (%s), want %q (%s)", n, r.State, r.Reason, state, reason)
	}
}

// checkPosts holds the number of POSTs that Twilio got against what it must be.
func (s *sender) checkPosts(want int) {
	s.t.Helper()
	if got := len(s.twilio.Posts()); got != want {
		s.t.Errorf("Twilio got %d POSTs, want %d", got, want)
	}
}

// checkBack pumps once and holds how many messages came back against what it must be.
func (s *sender) checkBack(want int) {
	s.t.Helper()
	if got, received := s.pump(); got != want {
		s.t.Errorf("%d of %d messages came back, want %d", got, received, want)
	}
}
