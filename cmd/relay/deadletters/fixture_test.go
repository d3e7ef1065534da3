package deadletters_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/cmd/relay/deadletters"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	door "quickdumpnow.com/smsrelay/shared/twilio"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var started = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const maxAttempts = 2

// relay is the real sender over queues and a ledger in memory, and a Twilio that can be down.
type relay struct {
	t      rapid.TB
	clock  *relaytest.Clock
	queue  *relaytest.MemoryQueue
	timers *relaytest.MemoryQueue
	dead   *relaytest.MemoryQueue
	ledger *relaytest.MemoryLedger
	twilio *relaytest.Twilio
	isDown bool
	sender *delivery.Handler
	repeat int
}

func newRelay(t rapid.TB) *relay {
	t.Helper()
	r := &relay{t: t, clock: relaytest.NewClock(started), ledger: &relaytest.MemoryLedger{}, twilio: &relaytest.Twilio{}}
	r.twilio.Now, r.twilio.Answer = r.clock.Now, r.answer
	r.queue = relaytest.NewMemoryQueue(relaytest.QueueOptions{}, r.clock.Now)
	r.timers = relaytest.NewMemoryQueue(relaytest.QueueOptions{Standard: true}, r.clock.Now)
	r.dead = relaytest.NewMemoryQueue(relaytest.QueueOptions{}, r.clock.Now)
	routes := relaytest.NewMemoryRoutes(route.Route{
		TwilioNumber: relaytest.TwilioNumber, DestinationCarrier: relaytest.Destination,
		Active: true,
	})
	claims := 0
	r.sender = delivery.New(delivery.Config{
		Ledger: r.ledger, Records: r.ledger, Routes: route.NewCache(routes, r.clock.Now), Conversations: &relaytest.MemoryConversations{},
		Messages: r.twilio, Pace: &relaytest.MemoryPace{},
		Queue: r.queue, TimerQueue: r.timers, Timers: r.timers, DeadLetters: r.dead, Answers: r.queue,
		Policy:       retry.Policy{Base: time.Second, Cap: time.Minute, MaxAttempts: maxAttempts, HaltDelay: time.Minute},
		ReceiptFault: door.ClassifyReceipt, ReconcileLooks: 1, ReconcileInterval: time.Second,
		PublicBaseURL: "https://relay.example.com", SendTimeout: 8 * time.Second, Retention: ledger.MinRetention, Concurrency: 1,
		Now: r.clock.Now, Spread: func() float64 { return 0 }, NewClaimID: func() string { claims++; return fmt.Sprint("claim-", claims) },
		Logger: slog.New(slog.DiscardHandler), Emit: func(...telemetry.Measurement) {},
	})
	return r
}

// text puts the nth text on the queue.
func (r *relay) text(n int, from sms.PhoneNumber) {
	r.t.Helper()
	m := relaytest.Message(n)
	m.From = from
	r.send(queue.Envelope{Version: queue.Version, Kind: queue.KindInbound, RelayID: m.Sid, ReceivedAt: r.clock.Now(), Message: &m})
}

func (r *relay) send(e queue.Envelope) {
	r.t.Helper()
	out, err := e.Outgoing()
	if err != nil {
		r.t.Fatal(err)
	}
	r.repeat++
	out.DeduplicationID = fmt.Sprint("sent-", r.repeat)
	if err := r.queue.Send(context.Background(), out); err != nil {
		r.t.Fatal(err)
	}
}

// work hands the sender one batch, and reports whether there was one.
func (r *relay) work() bool {
	r.t.Helper()
	worked := false
	for _, q := range []*relaytest.MemoryQueue{r.queue, r.timers} {
		worked = r.workFrom(q) || worked
	}
	return worked
}

func (r *relay) workFrom(q *relaytest.MemoryQueue) bool {
	r.t.Helper()
	got, err := q.Receive(context.Background(), 10, 0, 2*time.Minute)
	if err != nil {
		r.t.Fatal(err)
	}
	if len(got) == 0 {
		return false
	}
	answer, err := r.sender.Handle(context.Background(), batchOf(got))
	if err != nil {
		r.t.Fatal(err)
	}
	back := map[string]bool{}
	for _, failure := range answer.BatchItemFailures {
		back[failure.ItemIdentifier] = true
	}
	for _, d := range got {
		if back[d.MessageID] {
			continue
		}
		if err := q.Delete(context.Background(), []string{d.ReceiptHandle}); err != nil {
			r.t.Fatal(err)
		}
	}
	return true
}

// batchOf writes deliveries the way the event source mapping does.
func batchOf(deliveries []queue.Delivery) events.SQSEvent {
	var all events.SQSEvent
	for _, d := range deliveries {
		attributes := map[string]string{"ApproximateReceiveCount": strconv.Itoa(d.ReceiveCount)}
		if d.Group != "" {
			attributes["MessageGroupId"] = d.Group
		}
		written := map[string]events.SQSMessageAttribute{}
		for name, value := range d.Attributes {
			written[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &value}
		}
		all.Records = append(all.Records, events.SQSMessage{
			MessageId: d.MessageID, ReceiptHandle: d.ReceiptHandle, Body: d.Body, Attributes: attributes, MessageAttributes: written,
		})
	}
	return all
}

// drain lets the sender work until the queues are empty.
func (r *relay) drain() {
	r.t.Helper()
	for range 5000 {
		if len(r.queue.Messages())+len(r.timers.Messages()) == 0 {
			return
		}
		if !r.work() {
			r.clock.Advance(time.Second)
		}
	}
	r.t.Fatal("the queues are never empty")
}

// deaths brings n texts to their deaths, each of a customer of its own.
func (r *relay) deaths(n int) {
	r.t.Helper()
	r.down(true)
	for i := 1; i <= n; i++ {
		r.text(i, customer(i))
	}
	r.drain()
	if got := len(r.dead.Messages()); got != n {
		r.t.Fatalf("%d dead letters, want %d", got, n)
	}
	r.down(false)
}

// customer returns one of a hundred customers.
func customer(i int) sms.PhoneNumber { return sms.PhoneNumber(fmt.Sprintf("+161955501%02d", i)) }

func (r *relay) record(n int) ledger.Record {
	r.t.Helper()
	record, err := r.ledger.Get(context.Background(), relaytest.MessageSid(n))
	if err != nil {
		r.t.Fatal(err)
	}
	return record
}

func (r *relay) checkState(n int, want ledger.State) {
	r.t.Helper()
	if got := r.record(n); got.State != want {
		r.t.Errorf("text %d is %s (%s), want %s", n, got.State, got.Reason, want)
	}
}

// move is one that moves everything at once.
func (r *relay) move() deadletters.Move {
	return deadletters.Move{From: atOnce{r.dead}, To: r.queue, Records: r.ledger}
}

// read lists the letters, which stay where they are.
func (r *relay) read() []deadletters.Letter {
	r.t.Helper()
	all, _, err := deadletters.Read(context.Background(), atOnce{r.dead}, r.ledger, deadletters.Filter{})
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

// atOnce is a queue that is not waited for.
type atOnce struct{ queue.Receiver }

// Receive returns what is there.
func (q atOnce) Receive(ctx context.Context, limit int, _, visibility time.Duration) ([]queue.Delivery, error) {
	return q.Receiver.Receive(ctx, limit, 0, visibility)
}

// down has Twilio refuse each message as a server that is down does, or accept them again.
func (r *relay) down(down bool) { r.isDown = down }

// answer is what Twilio does about a message.
func (r *relay) answer(int, sms.Outbound) relaytest.TwilioAnswer {
	if r.isDown {
		return relaytest.TwilioAnswer{Err: &fault.Error{Kind: fault.Transient, HTTPStatus: 503, Err: errors.New("down")}}
	}
	return relaytest.TwilioAnswer{}
}

// accepted returns the messages that Twilio accepted.
func (r *relay) accepted() (all []sms.Listed) {
	for _, p := range r.twilio.Posts() {
		if p.Message.Sid != "" {
			all = append(all, p.Message)
		}
	}
	return all
}

// times counts the messages that say what the nth text says.
func (r *relay) times(n int) (times int) {
	for _, m := range r.accepted() {
		if strings.HasSuffix(m.Body, relaytest.Message(n).Body) {
			times++
		}
	}
	return times
}
