package states_test

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"log/slog"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/pace"
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
	sendTimeout = time.Second
	retention   = 24 * time.Hour
	maxAttempts = 3
	// looks is how often, after a first look, Twilio is asked again for a message.
	looks = 2
	// visibility hides a message while it is worked on, for longer than a story takes.
	visibility = 10 * time.Minute
	// timeout is the shortest DeliveryTimeout that a route may have.
	timeout = route.MinDeliveryTimeout
	// patience is how long a story waits for what must happen, by its own clock. It is reached only when something is wrong.
	patience = 90 * time.Second
	// secret is in every text, so that a log line that shows one is found.
	secret = "gate-code-4711"
)

// stage is where one story plays: a sender over one set of adapters, with numbers and texts of its own.
type stage struct {
	*adapters

	t      *testing.T
	ledger *watched
	twilio *twilio
	album  *album
	// number has the route to first, and then to second; customer texts it.
	number, customer, first, second, third sms.PhoneNumber
	// serial is the number in the MessageSid before that of the first text.
	serial int
	// pair limits the messages of the number to one phone.
	pair pace.Limit

	process *delivery.Handler
	cache   *route.Cache

	mu   sync.Mutex
	logs bytes.Buffer
	// died: the process at work has ended, and its messages are still in flight.
	died bool
}

// newStage returns the stage of the nth story of a set.
func newStage(t *testing.T, n int, a adapters, w *walked) *stage {
	t.Helper()
	area := "+1" + strconv.Itoa(201+n)
	s := &stage{
		t: t, adapters: &a, ledger: &watched{records: a.records, t: t, walked: w}, album: &album{},
		number: sms.PhoneNumber(area + "5550100"), customer: sms.PhoneNumber(area + "5550111"),
		first: sms.PhoneNumber(area + "5550122"), second: sms.PhoneNumber(area + "5550133"), third: sms.PhoneNumber(area + "5550144"),
		serial: 100 * n,
	}
	s.twilio = newTwilio(a.now, s.serial)
	s.start()
	s.reroute(func(r *route.Route) {
		*r = route.Route{TwilioNumber: s.number, DestinationCarrier: s.first, FallbackCarriers: []sms.PhoneNumber{s.second}, Active: true}
	})
	return s
}

// start starts a process, which remembers nothing of the one before.
func (s *stage) start() {
	s.cache = route.NewCache(s.routes, s.now)
	s.process = delivery.New(delivery.Config{
		Ledger: s.ledger, Records: s.ledger, Routes: s.cache,
		Conversations: s.conversations, Customers: s.conversations, Messages: s.twilio, Pace: s.pace,
		Queue: s.texts, TimerQueue: s.timers, Timers: s.timers, DeadLetters: s.dead, Answers: s.texts,
		Policy:       retry.Policy{Base: 200 * time.Millisecond, Cap: time.Second, MaxAttempts: maxAttempts, HaltDelay: time.Second},
		ReceiptFault: door.ClassifyReceipt, PacePair: s.pair,
		ReconcileLooks: looks, ReconcileInterval: time.Second,
		Attachments:   media.Keeper{Source: s.album, Store: s.media, Now: s.now},
		PublicBaseURL: base, MediaBaseURL: base, SendTimeout: sendTimeout, Retention: retention, Concurrency: 10,
		Now: s.now, Spread: func() float64 { return 0 }, NewClaimID: rand.Text,
		Logger: slog.New(slog.NewTextHandler(s, nil)), Emit: telemetry.Discard,
	})
}

// Write takes the log's lines, and checks that each contains only what it may.
func (s *stage) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, hidden := range []string{secret, strings.TrimPrefix(string(s.number[:8]), "+")} {
		if bytes.Contains(line, []byte(hidden)) {
			s.t.Errorf("log line shows %q: %s", hidden, line)
		}
	}
	return s.logs.Write(line)
}

// die ends the process that calls it, from inside one of its calls: nothing else that it would do happens. Its messages
// show again when their visibility timeout is over, which is at once here.
func (s *stage) die() {
	s.mu.Lock()
	s.died = true
	s.mu.Unlock()
	runtime.Goexit()
}

// hasDied reports whether the process has, and forgets it.
func (s *stage) hasDied() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	died := s.died
	s.died = false
	return died
}

// reroute changes the number's route. The process learns of it at once, as it would in five seconds.
func (s *stage) reroute(edit func(r *route.Route)) {
	found, err := s.routes.Lookup(s.t.Context(), s.number)
	s.must(err)
	r := found[s.number]
	version := r.Version
	edit(&r)
	r.Version = version
	_, err = s.routes.Put(s.t.Context(), r)
	s.must(err)
	s.cache.Forget(s.number)
}

// must reports what the stage itself could not do. It does not end the story: the call may be inside the sender's.
func (s *stage) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Errorf("the stage: %v", err)
	}
}

// sid returns the MessageSid of the nth text, from 1.
func (s *stage) sid(n int) string { return relaytest.MessageSid(s.serial + n) }

// text returns the envelope of the nth text, from the customer.
func (s *stage) text(n int) queue.Envelope {
	m := relaytest.Message(s.serial + n)
	m.From, m.To, m.Body = s.customer, s.number, fmt.Sprintf("The %s, please (%d)", secret, n)
	return queue.Envelope{Version: queue.Version, Kind: queue.KindInbound, RelayID: m.Sid, ReceivedAt: s.now(), Message: &m}
}

// alike returns the nth text with the same words as every other one.
func (s *stage) alike(n int) queue.Envelope {
	e := s.text(n)
	e.Message.Body = "The " + secret + " again"
	return e
}

// queued puts texts 1 to n on the queue, the way ingest does.
func (s *stage) queued(n int) {
	for i := range n {
		s.put(s.text(i + 1))
	}
}

// put puts an envelope on the queue of texts, also one that was on it before: as if five minutes lay between.
func (s *stage) put(e queue.Envelope) {
	out, err := e.Outgoing()
	s.must(err)
	out.DeduplicationID += "-" + rand.Text()
	s.must(s.texts.Send(s.t.Context(), out))
}

// tell queues the receipt of the nth POST's message, which becomes what it says.
func (s *stage) tell(n int, status sms.Status, code int) {
	p := s.twilio.Become(n, status, code)
	s.put(queue.Envelope{
		Version: queue.Version, Kind: queue.KindReceipt, RelayID: p.Ref.RelayID, ReceivedAt: s.now(),
		Receipt: &sms.Receipt{Sid: p.Message.Sid, Status: status, ErrorCode: code, CallbackRef: p.Ref},
	})
}

// pump works one batch of a queue off, as an event source mapping does, and returns how many messages it had.
func (s *stage) pump(b box, wait time.Duration) int {
	ctx := s.t.Context()
	deliveries, err := b.Receive(ctx, 10, wait, visibility)
	s.must(err)
	if len(deliveries) == 0 {
		return 0
	}
	var response events.SQSEventResponse
	ended := make(chan struct{})
	go func() {
		// A process that dies ends this goroutine, see die.
		defer close(ended)
		response, err = s.process.Handle(ctx, batchOf(deliveries))
	}()
	<-ended
	s.must(err)
	if s.hasDied() {
		s.start()
		for _, d := range deliveries {
			s.must(b.ChangeVisibility(ctx, []queue.Visibility{{ReceiptHandle: d.ReceiptHandle}}))
		}
		return len(deliveries)
	}
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
		s.must(b.Delete(ctx, done))
	}
	return len(deliveries)
}

// batchOf writes deliveries the way the event source mapping does.
func batchOf(deliveries []queue.Delivery) events.SQSEvent {
	var batch events.SQSEvent
	for _, d := range deliveries {
		m := events.SQSMessage{
			MessageId: d.MessageID, ReceiptHandle: d.ReceiptHandle, Body: d.Body,
			Attributes:        map[string]string{"ApproximateReceiveCount": strconv.Itoa(d.ReceiveCount)},
			MessageAttributes: map[string]events.SQSMessageAttribute{},
		}
		if d.Group != "" {
			m.Attributes["MessageGroupId"] = d.Group
		}
		for name, value := range d.Attributes {
			m.MessageAttributes[name] = events.SQSMessageAttribute{DataType: "String", StringValue: &value}
		}
		batch.Records = append(batch.Records, m)
	}
	return batch
}

// until pumps both queues until it is so.
func (s *stage) until(isSo func() bool) {
	s.t.Helper()
	s.pumping(isSo, func() int { return s.pump(s.texts, s.wait) + s.pump(s.timers, 0) })
}

// untilTexts pumps the queue of texts alone until it is so: no timer goes off meanwhile.
func (s *stage) untilTexts(isSo func() bool) {
	s.t.Helper()
	s.pumping(isSo, func() int { return s.pump(s.texts, s.wait) })
}

func (s *stage) pumping(isSo func() bool, pump func() int) {
	s.t.Helper()
	for end := s.now().Add(patience); !isSo(); {
		if s.t.Failed() || s.now().After(end) {
			s.t.Fatalf("after %v it is not so; text 1 is %+v", patience, s.record(1))
		}
		if pump() == 0 {
			s.idle()
		}
	}
}

// settled pumps until the queues are empty.
func (s *stage) settled() {
	s.t.Helper()
	s.until(func() bool { return s.depth(s.texts) == 0 && s.depth(s.timers) == 0 })
}

// depth counts the messages of a queue.
func (s *stage) depth(b box) int {
	n, err := b.depth(s.t.Context())
	s.must(err)
	return n
}

// meanwhile takes a batch of texts through by another process, while one is at work. It is for hooks.
func (s *stage) meanwhile() {
	at := s.process
	s.start()
	s.pump(s.texts, s.wait)
	s.process = at
}

// end shows the log of a story that failed.
func (s *stage) end() {
	if s.t.Failed() && s.logs.Len() > 0 {
		s.t.Logf("the sender's log:\n%s", s.logs.String())
	}
}
