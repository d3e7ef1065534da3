package states_test

import (
	"crypto/rand"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
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

// desk is where an operator asks and sends: the operator's handler, the sender's, and the queue between them.
type desk struct {
	operator      *operations.Handler
	sender        *delivery.Handler
	queue         *relaytest.MemoryQueue
	ledger        *relaytest.MemoryLedger
	conversations *relaytest.MemoryConversations
	twilio        *twilio
}

func newDesk(routes ...route.Route) desk {
	now := relaytest.NewClock(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)).Now
	table := relaytest.NewMemoryRoutes(routes...)
	d := desk{
		queue: relaytest.NewMemoryQueue(relaytest.QueueOptions{}, now), ledger: &relaytest.MemoryLedger{},
		conversations: &relaytest.MemoryConversations{}, twilio: newTwilio(now, 0),
	}
	logger := slog.New(slog.DiscardHandler)
	d.operator = operations.New(operations.Config{
		Queue: d.queue, Records: d.ledger, Routes: table, Conversations: d.conversations, Trail: &relaytest.MemoryAuditLog{}, Now: now,
		NewID:  operations.NewID,
		Logger: logger, Emit: telemetry.Discard,
	})
	d.sender = delivery.New(delivery.Config{
		Ledger: d.ledger, Records: d.ledger, Routes: route.NewCache(table, now),
		Conversations: d.conversations, Customers: d.conversations, Messages: d.twilio,
		Pace:  &relaytest.MemoryPace{},
		Queue: d.queue, TimerQueue: d.queue, Timers: relaytest.NewMemoryQueue(relaytest.QueueOptions{Standard: true}, now),
		DeadLetters: d.queue, Answers: d.queue,
		Policy: retry.NewPolicy(time.Second, maxAttempts), ReceiptFault: door.ClassifyReceipt, ReconcileLooks: looks,
		ReconcileInterval: time.Second,
		PublicBaseURL:     base, SendTimeout: sendTimeout, Retention: retention, Concurrency: 1,
		Now: now, Spread: func() float64 { return 0 }, NewClaimID: rand.Text, Logger: logger, Emit: telemetry.Discard,
	})
	return d
}

// relay posts a request and reads the answer, which has to be of that status.
func (d desk) relay(t *rapid.T, wanted operations.RelayRequest, status int, answer any) {
	body, err := json.Marshal(wanted)
	if err != nil {
		t.Fatal(err)
	}
	request := events.APIGatewayV2HTTPRequest{RawPath: operations.PathRelay, Body: string(body)}
	request.RequestContext.HTTP.Method = "POST"
	response, err := d.operator.Handle(t.Context(), request)
	if err != nil || response.StatusCode != status {
		t.Fatalf("%s is answered %d %s, %v", body, response.StatusCode, response.Body, err)
	}
	if err := json.Unmarshal([]byte(response.Body), answer); err != nil {
		t.Fatal(err)
	}
}

// foreseenID is the id of a text that is put on the queue past the operator's handler.
const foreseenID = "RL00000000000000000000000000000001"

// put puts a text on the queue that the operator's handler refuses, to see whether it was right.
func (d desk) put(t *rapid.T, wanted operations.RelayRequest) {
	e := queue.Envelope{
		Version: queue.Version, Kind: queue.KindManual, RelayID: foreseenID, ReceivedAt: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC),
		Message: &sms.Message{Sid: foreseenID, From: wanted.From, To: wanted.TwilioNumber, Body: wanted.Body}, Destination: wanted.To,
	}
	out, err := e.Outgoing()
	if err == nil {
		err = d.queue.Send(t.Context(), out)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// send has the sender work on what is on the queue.
func (d desk) send(t *rapid.T) {
	deliveries, err := d.queue.Receive(t.Context(), 10, 0, visibility)
	if err != nil || len(deliveries) != 1 {
		t.Fatalf("%d messages on the queue, %v", len(deliveries), err)
	}
	response, err := d.sender.Handle(t.Context(), batchOf(deliveries))
	if err != nil || len(response.BatchItemFailures) > 0 {
		t.Fatalf("the sender leaves %v, %v", response.BatchItemFailures, err)
	}
}

// TestDryRunComesTrue: what an operator is told beforehand is what the sender does then, whatever the routes are.
func TestDryRunComesTrue(t *testing.T) {
	t.Parallel()
	outcomes := map[operations.Outcome]int{}
	rapid.Check(t, func(t *rapid.T) {
		d := newDesk(drawRoutes(t)...)
		wanted := operations.RelayRequest{
			TwilioNumber: phone(0),
			Body:         rapid.SampledFrom([]string{"Gate 4 is open.", "STOP", string(make([]byte, 1600)), "ж"}).Draw(t, "body"),
			From:         rapid.SampledFrom([]sms.PhoneNumber{"", phone(0), phone(1), phone(2), phone(9), "QuickDump"}).Draw(t, "from"),
			To:           rapid.SampledFrom([]sms.PhoneNumber{"", phone(1), phone(2), phone(3), phone(9)}).Draw(t, "to"),
		}
		var told operations.DryRun
		asked := wanted
		asked.DryRun = true
		d.relay(t, asked, 200, &told)
		outcomes[told.Outcome]++
		if told.Outcome == operations.Drop {
			// What would be dropped is refused, in the same words.
			var problem operations.Problem
			d.relay(t, wanted, 409, &problem)
			if n := len(d.queue.Messages()); n > 0 || told.Detail == "" || problem.Detail != told.Detail {
				t.Fatalf("told %+v and refused with %+v; %d messages are on the queue", told, problem, n)
			}
			d.put(t, wanted)
		}
		var accepted operations.RelayAnswer
		if told.Outcome != operations.Drop {
			d.relay(t, wanted, 202, &accepted)
		} else {
			accepted.ID = foreseenID
		}
		d.send(t)
		r, err := d.ledger.Get(t.Context(), accepted.ID)
		if err != nil {
			t.Fatal(err)
		}
		switch told.Outcome {
		case operations.Drop:
			if r.State != ledger.Dropped || r.Reason != told.Reason || len(d.twilio.Posts()) > 0 {
				t.Fatalf("told %+v, and the text is %s for %s", told, r.State, r.Reason)
			}
		case operations.Send:
			posts := d.twilio.Posts()
			if r.State != ledger.Sent || len(posts) != 1 || posts[0].To != told.Destination || posts[0].Body != told.Text {
				t.Fatalf("told %+v, and the text is %s, posted %+v", told, r.State, posts)
			}
		case operations.Repeat:
			t.Fatalf("told %+v of a text without a key", told)
		}
	})
	if outcomes[operations.Drop] == 0 || outcomes[operations.Send] == 0 {
		t.Errorf("drawn: %v", outcomes)
	}
}

// phone returns the nth of ten numbers. The first is the Twilio number, the fourth may have a route of its own.
func phone(n int) sms.PhoneNumber { return sms.PhoneNumber("+1858555010" + string(rune('0'+n))) }

func drawRoutes(t *rapid.T) []route.Route {
	var routes []route.Route
	if rapid.Bool().Draw(t, "route") {
		r := route.Route{TwilioNumber: phone(0), DestinationCarrier: phone(1), Active: rapid.Bool().Draw(t, "active"), Version: 1}
		if rapid.Bool().Draw(t, "fallback") {
			r.FallbackCarriers = []sms.PhoneNumber{phone(2)}
		}
		for _, hop := range r.Hops() {
			if rapid.Bool().Draw(t, "opted out") {
				r.OptedOut = append(r.OptedOut, hop)
			}
		}
		routes = append(routes, r)
	}
	if rapid.Bool().Draw(t, "other route") {
		routes = append(routes, route.Route{TwilioNumber: phone(3), DestinationCarrier: phone(4), Active: true, Version: 1})
	}
	return routes
}
