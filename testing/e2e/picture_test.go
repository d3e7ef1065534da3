//go:build unix

package e2e

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/dashboards/drawing"
)

// pictured is how long the run of the picture takes, and trickle how far apart its usual texts are.
const (
	pictured = 17 * time.Minute
	trickle  = 1200 * time.Millisecond
)

// weather is what Twilio is like at the moment, besides what it always is: slow, sometimes, and now and then wrong.
type weather struct {
	busy, down, refusing atomic.Bool

	mu     sync.Mutex
	chance *rand.Rand
}

func (w *weather) happens(odds float64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.chance.Float64() < odds
}

// faults are those of the run.
func (w *weather) faults() twiliofake.Faults {
	return twiliofake.Faults{
		BeforeCreate: func(params url.Values) twiliofake.Fault {
			switch phoneIsBroken := sms.PhoneNumber(params.Get("To")) == broken; {
			case w.refusing.Load():
				return twiliofake.Fault{Status: http.StatusUnauthorized}
			case w.down.Load():
				return twiliofake.Fault{Status: http.StatusServiceUnavailable}
			case phoneIsBroken:
				return notScheduled
			case w.busy.Load() && w.happens(0.6), w.happens(0.02):
				return twiliofake.Fault{Status: http.StatusTooManyRequests}
			default:
				return twiliofake.Fault{DropConnection: w.happens(0.03), OnceTaken: w.happens(0.7)}
			}
		},
		BeforeCallback: func(twiliofake.Message) twiliofake.CallbackFault {
			return twiliofake.CallbackFault{Duplicate: w.happens(0.1), AfterNext: w.happens(0.1)}
		},
		Latency: func() time.Duration {
			if w.happens(0.03) {
				return 2 * time.Second
			}
			return 150 * time.Millisecond
		},
	}
}

// TestPicture lets texts trickle through the stack for some minutes, with what can go wrong, each at its minute. It is for
// the picture of the dashboard, and wants each graph of it to have something to show. It runs only if -metrics names a file.
func TestPicture(t *testing.T) {
	if *metrics == "" {
		t.Skip("no -metrics")
	}
	sky := &weather{chance: rand.New(rand.NewPCG(11, 2026))}
	s := newStage(t, map[string]any{
		"QueueName": "qdn-sms", "RoutingTableName": "qdn-sms-routing", "LedgerTableName": "qdn-sms-audit", "PaceTableName": "qdn-sms-pace",
		"ConversationsTableName": "qdn-sms-conversations",
		"MaxAttempts":            4, "ReconcileInterval": "15s",
	}, func(c *twiliofake.Config) { c.StepDelay, c.Faults = 700*time.Millisecond, sky.faults() })
	s.putRoutesOfThePicture()
	s.playPicture(sky)
	for _, denied := range s.host.Recorder().Denied() {
		t.Errorf("%s may not %s with %s", denied.Principal, denied.Action, denied.Resource)
	}
	for _, graph := range graphs(t) {
		if !graph.HasData() {
			t.Errorf("the graph %q has no data", graph.Title)
		}
	}
}

// usual is the Twilio number of a usual text: there are five, with a phone each.
func usual(i int) sms.PhoneNumber { return sms.PhoneNumber(fmt.Sprintf("+185855501%02d", 10+i%5)) }

func (s *stage) putRoutesOfThePicture() {
	for i := range 5 {
		phone := sms.PhoneNumber(fmt.Sprintf("+161955501%02d", 10+i))
		s.putRoute(route.Route{TwilioNumber: usual(i), DestinationCarrier: phone})
	}
	s.putRoute(route.Route{TwilioNumber: cascadeNumber, DestinationCarrier: unreachable, FallbackCarriers: []sms.PhoneNumber{phone}})
	s.putRoute(route.Route{
		TwilioNumber: lateNumber, DestinationCarrier: silent, FallbackCarriers: []sms.PhoneNumber{phone},
		DeliveryTimeout: route.Duration(20 * time.Second),
	})
	s.putRoute(route.Route{TwilioNumber: brokenNumber, DestinationCarrier: broken})
	s.putRoute(route.Route{TwilioNumber: optOutNumber, DestinationCarrier: optedOut, FallbackCarriers: []sms.PhoneNumber{phone}})
}

// happening is something that is not everyday, at its time of the run.
type happening struct {
	at   time.Duration
	what func()
}

func (s *stage) happenings(sky *weather) []happening {
	text := func(to sms.PhoneNumber) func() { return func() { s.text(customer(60), to, "The van is late") } }
	minutes := func(m float64) time.Duration { return time.Duration(m * float64(time.Minute)) }
	set := func(what *atomic.Bool, to bool) func() { return func() { what.Store(to) } }
	return []happening{
		{minutes(0.8), text(lateNumber)},
		{minutes(1), text(cascadeNumber)},
		{minutes(1.2), text(optOutNumber)},
		{minutes(1.4), text(unroutedNumber)},
		{minutes(1.6), func() { s.stop(usual(1)) }},
		{minutes(2), set(&sky.busy, true)},
		{minutes(3), set(&sky.busy, false)},
		{minutes(3.4), func() { s.burstTo(usual(0), 18) }},
		{minutes(3.8), text(brokenNumber)},
		{minutes(4.2), text(cascadeNumber)},
		{minutes(5), set(&sky.down, true)},
		{minutes(5.3), set(&sky.down, false)},
		{minutes(5.8), func() { s.forgedOf(12) }},
		{minutes(6), text(cascadeNumber)},
		// What is refused now is held back for five minutes.
		{minutes(6.4), set(&sky.refusing, true)},
		{minutes(6.6), set(&sky.refusing, false)},
		{minutes(8), func() { s.forgedOf(5) }},
		{minutes(9), text(unroutedNumber)},
		{minutes(11.8), s.recycle},
		{minutes(12), text(lateNumber)},
		{minutes(12.1), func() { s.stop(usual(2)) }},
		{minutes(12.3), func() { s.burstTo(usual(1), 30) }},
		{minutes(12.6), s.undecodable},
		{minutes(12.8), s.unreadableChange},
		{minutes(13), text(cascadeNumber)},
		{minutes(13.4), s.redriveAll},
		{minutes(13.6), func() {
			s.relays(fmt.Sprintf(`{"twilio_number":%q,"body":"We are on our way","idempotency_key":"picture"}`, usual(0)),
				http.StatusAccepted, `"id":"RL`)
		}},
		{minutes(14), func() { s.asked("/sms/status?limit=20&number=" + url.QueryEscape(string(usual(0)))) }},
	}
}

// playPicture plays the run. Texts come all the time but in its last two minutes, in which what is under way comes to its end.
func (s *stage) playPicture(sky *weather) {
	s.t.Helper()
	began, happenings := time.Now(), s.happenings(sky)
	tick := time.NewTicker(trickle)
	defer tick.Stop()
	var sending sync.WaitGroup
	defer sending.Wait()
	for i := 0; time.Since(began) < pictured; i++ {
		<-tick.C
		for len(happenings) > 0 && time.Since(began) >= happenings[0].at {
			happenings[0].what()
			happenings = happenings[1:]
		}
		if time.Since(began) < pictured-2*time.Minute && sky.happens(0.8) {
			sending.Go(func() { s.text(customer(i%40), usual(i*7), fmt.Sprintf("The van is %d minutes late", i)) })
		}
		if i%25 == 0 {
			s.door(http.MethodGet, "/sms/health")
		}
	}
	if len(happenings) > 0 {
		s.t.Errorf("%d happenings did not happen", len(happenings))
	}
}

// burstTo sends texts of as many customers to one number at once.
func (s *stage) burstTo(to sms.PhoneNumber, n int) {
	var sending sync.WaitGroup
	for i := range n {
		sending.Go(func() { s.text(customer(i), to, fmt.Sprintf("Where are you? %d", i)) })
	}
	sending.Wait()
}

// stop has a customer text STOP, which Twilio acts upon and says so.
func (s *stage) stop(to sms.PhoneNumber) {
	in := twiliofake.Inbound{From: customer(61), To: to, Body: "STOP", Extra: url.Values{"OptOutType": {sms.OptOutStop}}}
	if _, err := s.twilio.SendInbound(s.t.Context(), in, s.webhook()); err != nil {
		s.t.Error(err)
	}
}

func (s *stage) forgedOf(n int) {
	for i := range n {
		s.forged(i)
	}
}

// recycle ends the functions' processes, as a deploy does.
func (s *stage) recycle() {
	for _, id := range []string{"IngestFunction", "SenderFunction", "StreamAuditFunction", "OperatorFunction"} {
		s.host.Function(id).Recycle()
	}
}

// undecodable puts something on the queue that is no envelope.
func (s *stage) undecodable() {
	_, err := sdk.NewFromConfig(s.host.Direct("sqs")).SendMessage(s.t.Context(), &sdk.SendMessageInput{
		QueueUrl: aws.String(s.host.Name("Queue")), MessageBody: aws.String("not an envelope"),
		MessageGroupId: aws.String("poison"), MessageDeduplicationId: aws.String("poison"),
	})
	if err != nil {
		s.t.Error(err)
	}
}

// redriveAll moves the dead letters back to the queue.
func (s *stage) redriveAll() {
	dead := s.queue("DeadLetterQueue")
	letters, err := dead.Receive(s.t.Context(), 10, time.Second, time.Minute)
	if err != nil {
		s.t.Error(err)
	}
	for _, letter := range letters {
		again := queue.Outgoing{
			Group: letter.Group, DeduplicationID: letter.MessageID + "-again", Body: letter.Body,
			Attributes: letter.Attributes,
		}
		if err := s.queue("Queue").Send(s.t.Context(), again); err != nil {
			s.t.Error(err)
		}
		if err := dead.Delete(s.t.Context(), []string{letter.ReceiptHandle}); err != nil {
			s.t.Error(err)
		}
	}
}

// graphs are those of the dashboard, of the metrics so far.
func graphs(t *testing.T) []drawing.Graph {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	template, err := drawing.ReadTemplate(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	d, err := template.Dashboard()
	if err != nil {
		t.Fatal(err)
	}
	lines, err := os.ReadFile(*metrics)
	if err != nil {
		t.Fatal(err)
	}
	var m drawing.Metrics
	if err := m.ReadMetrics(bytes.NewReader(lines)); err != nil {
		t.Fatal(err)
	}
	if m.Skipped > 0 {
		t.Errorf("%d lines of %s are no metrics; the first lines are:\n%.500s", m.Skipped, *metrics, strings.TrimSpace(string(lines)))
	}
	return d.Graphs(&m)
}
