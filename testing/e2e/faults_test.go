//go:build unix

package e2e

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	door "quickdumpnow.com/smsrelay/shared/aws/s3"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/lambdahost"
)

// The numbers of single stories, each with a route of its own.
const (
	cascadeNumber = sms.PhoneNumber("+18585550101")
	lateNumber    = sms.PhoneNumber("+18585550102")
	brokenNumber  = sms.PhoneNumber("+18585550103")
	optOutNumber  = sms.PhoneNumber("+18585550104")
	threadsNumber = sms.PhoneNumber("+18585550105")
	thread        = sms.PhoneNumber("+18585550106")

	unreachable = sms.PhoneNumber("+15005550101") // undelivered, 30003
	silent      = sms.PhoneNumber("+15005550110") // sent, and no receipt ever says delivered
	optedOut    = sms.PhoneNumber("+15005550004") // refused, 21610
	broken      = sms.PhoneNumber("+16195550199")
)

// notScheduled is Twilio's refusal of a message that may be sent again as it is: it counts as an attempt.
var notScheduled = twiliofake.Fault{Status: http.StatusBadRequest, Code: 30047}

// lostText is a text that nobody ever hears of after Twilio accepted it.
const lostText = "is this thing on?"

// patience is how long a text of a story may take: looks at Twilio's list are seconds apart.
const patience = 90 * time.Second

// putTroubledRoutes routes each number to the phones of one kind of trouble.
func (s *stage) putTroubledRoutes() {
	s.putRoute(route.Route{
		TwilioNumber: number, DestinationCarrier: phone, FallbackCarriers: []sms.PhoneNumber{fallback},
		OnUncertain: route.Resend,
	})
	s.putRoute(route.Route{
		TwilioNumber: cascadeNumber, DestinationCarrier: unreachable, FallbackCarriers: []sms.PhoneNumber{phone},
		OnUncertain: route.Resend,
	})
	s.putRoute(route.Route{
		TwilioNumber: lateNumber, DestinationCarrier: silent, FallbackCarriers: []sms.PhoneNumber{phone},
		DeliveryTimeout: route.Duration(10 * time.Second), OnUncertain: route.Resend,
	})
	s.putRoute(route.Route{TwilioNumber: brokenNumber, DestinationCarrier: broken, OnUncertain: route.Resend})
	s.putRoute(route.Route{
		TwilioNumber: optOutNumber, DestinationCarrier: optedOut, FallbackCarriers: []sms.PhoneNumber{phone},
		OnUncertain: route.Resend,
	})
	s.putRoute(route.Route{TwilioNumber: threadsNumber, DestinationCarrier: phone, Threads: []sms.PhoneNumber{thread}})
}

// TestFaults takes texts through everything that goes wrong, on one stack, and at its end wants every permission used and no
// call refused.
func TestFaults(t *testing.T) {
	t.Parallel()
	var busy atomic.Bool
	busy.Store(true)
	faults := trouble(&busy)
	s := newStage(t, map[string]any{
		"PacePair": "60/10s", "PaceNumber": "off", "RetryBase": "50ms", "ReconcileInterval": "2s", "SenderConcurrency": 10,
	}, func(c *twiliofake.Config) { c.Faults = faults })
	s.putTroubledRoutes()

	var sids []string
	for i := range 150 {
		sids = append(sids, s.mustText(customer(i%25), number, fmt.Sprintf("text %03d", i)))
	}
	cascaded := s.mustText(customer(30), cascadeNumber, "to the next phone, please")
	late := s.mustText(customer(31), lateNumber, "is anybody there?")
	dying := s.mustText(customer(32), brokenNumber, "on a bad day")
	refused := s.mustText(customer(33), optOutNumber, "he does not want to hear it")
	unanswered := s.mustText(customer(34), number, lostText)
	s.poison()
	s.await(cascaded, patience, ledger.Queued, ledger.Sending, ledger.Sent, ledger.Delivered)
	s.operator(cascaded)

	for _, sid := range append(sids, cascaded, late, refused) {
		r := s.await(sid, patience, ledger.Delivered, ledger.Uncertain)
		if r.State == ledger.Uncertain && r.Reason != ledger.ReasonAmbiguous {
			t.Errorf("text %s is %s (%s)", sid, r.State, r.Reason)
		}
	}
	for body, messages := range s.sent() {
		if len(messages) > 2 || (len(messages) == 2 && messages[0].To == messages[1].To) {
			t.Errorf("%q was sent %d times", body, len(messages))
		}
	}
	s.wentOn(cascaded, unreachable, phone)
	s.wentOn(late, silent, phone)
	s.wentOn(refused, optedOut, phone)
	s.await(dying, patience, ledger.Dead)
	busy.Store(false)
	s.redrive(dying)
	if r := s.await(unanswered, patience, ledger.Sent, ledger.Delivered); !r.Attempts[0].Found {
		t.Errorf("the text whose answer and receipts were lost was not found in Twilio's list: %+v", r.Attempts)
	}
	sids = append(sids, s.answered(customer(0), number, number), s.optedOutCustomer())
	sids = append(sids, s.mustText(customer(36), threadsNumber, "In a thread of my own?"))
	s.await(sids[len(sids)-1], patience, ledger.Delivered)
	sids = append(sids, s.answered(customer(36), threadsNumber, thread))
	s.unreadableChange()
	sids = append(sids, cascaded, late, refused, unanswered, dying)
	s.checkTrails(sids)
	s.checkPermissions()
}

// optedOutCustomer plays a customer who texts STOP: the phone on duty is told, and an operator may not text him. It returns the
// text's sid.
func (s *stage) optedOutCustomer() (sid string) {
	s.t.Helper()
	sid = s.mustText(customer(35), number, "Stop.")
	if r := s.await(sid, patience, ledger.Delivered, ledger.Uncertain); r.Keyword != "STOP" {
		s.t.Errorf("text %s has the keyword %q, want STOP", sid, r.Keyword)
	}
	body := fmt.Sprintf(`{"twilio_number":%q,"to":%q,"body":"Are you there?","idempotency_key":"opted-out"}`, number, customer(35))
	s.relays(body, http.StatusConflict, "STOP")
	return sid
}

// answered has the phone on duty answer a customer whom it was sent a text of, at the number that the text came from, and the customer get
// the words from the number that he texted. It returns the answer's sid.
func (s *stage) answered(to, texted, came sms.PhoneNumber) (sid string) {
	s.t.Helper()
	words := "It is on its way, says " + string(texted)
	sid = s.mustText(phone, came, s.tagOf(to, came)+" "+words)
	s.await(sid, patience, ledger.Delivered, ledger.Uncertain)
	messages := s.sent()[words]
	if len(messages) == 0 || messages[0].To != to || messages[0].From != texted || messages[0].Body != words {
		s.t.Errorf("the answer was sent as %+v", messages)
	}
	return sid
}

// busyOnce reports whether this is the first message to the cascade's next phone: a timer brings it, and has to come again.
func busyOnce(params url.Values, once *atomic.Bool) bool {
	next := params.Get("From") == string(cascadeNumber) && params.Get("To") == string(phone)
	return next && once.CompareAndSwap(false, true)
}

// isFirst reports whether this is the first message with that text.
func isFirst(params url.Values, text string, seen *atomic.Bool) bool {
	return strings.Contains(params.Get("Body"), text) && seen.CompareAndSwap(false, true)
}

// unreadableChange writes to the ledger what no entry can be made of, and wants it in the failure bucket, whole.
func (s *stage) unreadableChange() {
	s.t.Helper()
	table := s.host.Name("LedgerTable")
	_, err := dynamodb.NewFromConfig(s.host.Direct("dynamodb")).PutItem(s.t.Context(), &dynamodb.PutItemInput{
		TableName: &table, Item: map[string]types.AttributeValue{
			"MessageSid": &types.AttributeValueMemberS{Value: "SM-by-hand"}, "Version": &types.AttributeValueMemberS{Value: "one"},
		},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	bucket := s.host.Name("AuditFailureBucket")
	client := s3.NewFromConfig(s.host.Direct("s3"), func(o *s3.Options) { o.UsePathStyle = true })
	var found []s3types.Object
	s.until("the change is set aside", patience, func() bool {
		out, err := client.ListObjectsV2(s.t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket})
		if err != nil {
			s.t.Fatal(err)
		}
		found = out.Contents
		return len(found) > 0
	})
	text, err := door.New(s.host.Direct("s3"), bucket).Get(s.t.Context(), *found[0].Key, "", 1<<20)
	if err != nil || !strings.Contains(string(text), "SM-by-hand") {
		s.t.Errorf("the bucket holds %s, %v", text, err)
	}
}

// trouble is what goes wrong at Twilio: at random, and, so that every run has them, a phone that Twilio does not text while busy
// says so, a first message that is refused once, and two that nobody ever hears of.
func trouble(busy *atomic.Bool) twiliofake.Faults {
	var once, lost, lostManual atomic.Bool
	odds := twiliofake.Odds{AcceptThenDrop: 0.05, ErrorRate: 0.10, DuplicateCallback: 0.3, ReorderCallback: 0.3}
	faults := twiliofake.RandomFaults(odds, rand.New(rand.NewPCG(4, 2026))) // the same faults each time
	random := faults.BeforeCreate
	faults.BeforeCreate = func(params url.Values) twiliofake.Fault {
		switch {
		case busyOnce(params, &once):
			return twiliofake.Fault{Status: http.StatusTooManyRequests}
		case sms.PhoneNumber(params.Get("To")) == broken && busy.Load():
			return notScheduled
		case isFirst(params, lostText, &lost), isFirst(params, manualText, &lostManual):
			// It is taken, and its sender does not learn of it: it has to be looked for.
			return twiliofake.Fault{DropConnection: true, OnceTaken: true}
		case !busy.Load(), sms.PhoneNumber(params.Get("To")) == broken:
			return twiliofake.Fault{}
		default:
			return random(params)
		}
	}
	callback := faults.BeforeCallback
	faults.BeforeCallback = func(m twiliofake.Message) twiliofake.CallbackFault {
		if strings.Contains(m.Body, lostText) || strings.Contains(m.Body, manualText) {
			return twiliofake.CallbackFault{Drop: true}
		}
		return callback(m)
	}
	return faults
}

// wentOn wants a text to have been tried at one phone and to have been delivered to the next.
func (s *stage) wentOn(sid string, first, next sms.PhoneNumber) {
	s.t.Helper()
	r := s.record(sid)
	if len(r.Attempts) < 2 || r.Attempts[0].To != first || r.Attempts[len(r.Attempts)-1].To != next || r.State != ledger.Delivered {
		s.t.Errorf("text %s is %s after %d attempts, want it delivered to the next phone", sid, r.State, len(r.Attempts))
	}
}

// poison puts something on the queue that is no envelope, and wants it on the dead-letter queue, with its reason.
func (s *stage) poison() {
	s.t.Helper()
	s.undecodable()
	letter := s.deadLetter()
	if letter.Body != "not an envelope" || letter.Attributes[delivery.AttributeReason] != string(ledger.ReasonUndecodable) {
		s.t.Errorf("the dead letter is %q with %q", letter.Body, letter.Attributes)
	}
}

// deadLetter takes the next dead letter off its queue.
func (s *stage) deadLetter() queue.Delivery {
	s.t.Helper()
	dead := s.queue("DeadLetterQueue")
	var letters []queue.Delivery
	s.until("a dead letter", patience, func() bool {
		var err error
		if letters, err = dead.Receive(s.t.Context(), 1, time.Second, time.Minute); err != nil {
			s.t.Fatal(err)
		}
		return len(letters) == 1
	})
	if err := dead.Delete(s.t.Context(), []string{letters[0].ReceiptHandle}); err != nil {
		s.t.Fatal(err)
	}
	return letters[0]
}

// operator asks for a text and for lists, signed as IAM wants it, and sends one; unsigned it is refused.
func (s *stage) operator(sid string) {
	s.t.Helper()
	for path, want := range map[string]int{
		"/sms/status?message_sid=" + sid: http.StatusOK, "/sms/status?trail=true&message_sid=" + sid: http.StatusOK,
		"/sms/status?number=" + url.QueryEscape(string(number)) + "&limit=3": http.StatusOK,
		"/sms/status?number=" + url.QueryEscape(string(customer(0))):         http.StatusOK, "/sms/status?state=dead": http.StatusOK,
		"/sms/status?limit=x":                 http.StatusBadRequest,
		"/sms/status/text?message_sid=" + sid: http.StatusOK, "/sms/status/text": http.StatusBadRequest,
		"/sms/status?until=2026-01-01T00:00:00Z": http.StatusOK, "/openapi.json": http.StatusOK,
		"/sms/contacts?number=" + url.QueryEscape(string(number)) + "&limit=1": http.StatusOK, "/sms/contacts": http.StatusBadRequest,
	} {
		request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.host.URL()+path, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		if unsigned := s.statusOf(request.Clone(s.t.Context())); unsigned != http.StatusForbidden {
			s.t.Errorf("GET %s without a signature is answered %d", path, unsigned)
		}
		if err := lambdahost.SignOperator(s.t.Context(), request, nil, time.Now()); err != nil {
			s.t.Fatal(err)
		}
		if got := s.statusOf(request); got != want {
			s.t.Errorf("GET %s is answered %d, want %d", path, got, want)
		}
	}
	s.manual()
	s.named()
	s.attachment()
	s.pictured()
}

func (s *stage) statusOf(request *http.Request) int {
	s.t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// checkPermissions wants no call to have been refused, and no permission that nothing used.
func (s *stage) checkPermissions() {
	s.t.Helper()
	for _, denied := range s.host.Recorder().Denied() {
		s.t.Errorf("%s may not %s with %s, and tried %d times", denied.Principal, denied.Action, denied.Resource, denied.Calls)
	}
	for _, p := range s.host.Recorder().Unused() {
		s.t.Errorf("%s may %s with %s and never did", p.Principal, p.Action, p.Resource)
	}
}
