//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/lambdahost"
)

// dying plays a text that is given up while Twilio has no time for its phone, and is brought back when it has.
func (s *stage) dying(busy *atomic.Bool) func(int) string {
	return func(i int) string {
		busy.Store(true)
		sid := s.mustText(regular, brokenNumber, fmt.Sprintf("The van is %d minutes late, we are sorry", 10+i))
		s.await(sid, patience, ledger.Dead)
		s.rest()
		busy.Store(false)
		letter := s.deadLetter()
		err := s.queue("Queue").Send(s.t.Context(),
			queue.Outgoing{Group: letter.Group, DeduplicationID: sid + "-again", Body: letter.Body, Attributes: letter.Attributes})
		if err != nil {
			s.t.Fatal(err)
		}
		s.await(sid, patience, ledger.Delivered)
		return sid
	}
}

// stories are the paths. Each text has words of its own.
func (s *stage) stories(busy *atomic.Bool) []story {
	return []story{
		{"delivered", 5, s.words(number, "we are sorry", ledger.Delivered)},
		{"delivered, a customer's first text", 2, s.firstWords},
		{"an answer, delivered", 2, s.answering(number)},
		{"delivered, and kept who has the customer", 2, s.words(claimNumber, "we are sorry", ledger.Delivered)},
		{"an answer, and kept who has the customer", 2, s.answering(claimNumber)},
		{"delivered to two phones at once", 2, s.words(ringNumber, "we are sorry", ledger.Delivered)},
		{"held until the number opened, delivered", 2, s.heldUntilOpen},
		{"a picture, delivered", 2, s.picturing},
		{"delivered, with a delivery timeout", 2, s.words(timedNumber, "we are sorry", ledger.Delivered)},
		{"cascade to the fallback phone", 2, s.words(cascadeNumber, "we are sorry", ledger.Delivered)},
		{"refused once with 429", 2, s.words(number, "refused once", ledger.Delivered)},
		{"answer lost, settled by receipts", 2, s.words(number, "answer lost", ledger.Delivered)},
		{"answer lost, settled by Twilio's list", 2, s.lost},
		{"dropped, no route", 2, s.words(unroutedNumber, "we are sorry", ledger.Dropped)},
		{"given up after 3 attempts, redriven, delivered", 2, s.dying(busy)},
		{"the same webhook again", 2, s.doubled},
		{"wrong signature", 2, s.forged},
		{"health check", 2, func(int) string { s.door(http.MethodGet, "/sms/health"); return "" }},
		{"an operator's text, delivered", 2, s.written},
		{"an operator's look at a text", 2, s.looked},
		{"an operator's list of 10 texts", 2, s.listed},
		{"start of one process of ingest, sender and stream-audit", 2, s.recycled},
	}
}

// answering plays an answer of the phone on duty to a customer who wrote before.
func (s *stage) answering(to sms.PhoneNumber) func(int) string {
	return func(i int) string {
		tag := s.tagOf(regular, to)
		sid := s.mustText(phone, to, fmt.Sprintf("%s We are there in %d minutes", tag, 10+i))
		s.await(sid, patience, ledger.Delivered)
		return sid
	}
}

// twice is the text whose webhook comes again and again.
const twice = "SM000000000000000000000000000000c0"

// doubled sends a webhook that came before.
func (s *stage) doubled(int) string {
	in := twiliofake.Inbound{From: customer(70), To: unroutedNumber, Body: "The van is late", Sid: twice}
	if answer, err := s.twilio.SendInbound(s.t.Context(), in, s.webhook()); err != nil || !answer.Taken {
		s.t.Fatalf("the webhook was not taken: %+v, %v", answer, err)
	}
	return ""
}

// forged sends a webhook that Twilio did not sign.
func (s *stage) forged(i int) string {
	form := url.Values{
		"From": {string(customer(i))}, "To": {string(number)}, "Body": {"Not from Twilio"}, "MessageSid": {twice},
		"AccountSid": {accountSid},
	}
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.host.URL()+"/sms/inbound", strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("X-Twilio-Signature", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	if got := s.statusOf(request); got != http.StatusForbidden {
		s.t.Errorf("a webhook that Twilio did not sign is answered %d", got)
	}
	return ""
}

// written plays a text that an operator writes.
func (s *stage) written(i int) string {
	words := fmt.Sprintf("We are on our way, and there in %d minutes", 10+i)
	body := fmt.Sprintf(`{"twilio_number":%q,"body":%q,"idempotency_key":"costs-%d"}`, number, words, i)
	s.relays(body, http.StatusAccepted, `"id":"RL`)
	s.until("the operator's text is delivered", patience, func() bool {
		sent := s.sent()[words]
		return len(sent) == 1 && sent[0].Status == sms.StatusDelivered
	})
	return ""
}

// looked has an operator look at the last text.
func (s *stage) looked(int) string {
	s.asked("/sms/status?message_sid=" + twice)
	return ""
}

// listed has an operator list texts when there are more: acquaint made so many.
func (s *stage) listed(int) string {
	s.asked("/sms/status?limit=10&number=" + url.QueryEscape(string(number)))
	return ""
}

func (s *stage) asked(path string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.host.URL()+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := lambdahost.SignOperator(s.t.Context(), request, nil, time.Now()); err != nil {
		s.t.Fatal(err)
	}
	if got := s.statusOf(request); got != http.StatusOK {
		s.t.Errorf("GET %s is answered %d", path, got)
	}
}

// recycled plays a delivered text with new processes.
func (s *stage) recycled(i int) string {
	s.recycle()
	sid := s.mustText(regular, number, fmt.Sprintf("The van is %d minutes late, with a cold start", 10+i))
	s.await(sid, patience, ledger.Delivered)
	return sid
}

// auditBytes is how much the audit log has of a text.
func (s *stage) auditBytes(sid string) int {
	s.t.Helper()
	group, sum := s.host.Name("AuditLogGroup"), 0
	pages := cloudwatchlogs.NewFilterLogEventsPaginator(cloudwatchlogs.NewFromConfig(s.host.Direct("logs")),
		&cloudwatchlogs.FilterLogEventsInput{LogGroupName: &group})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		for _, event := range page.Events {
			if strings.Contains(*event.Message, sid) {
				sum += len(*event.Message)
			}
		}
	}
	return sum
}

// recordBytes is how large the ledger's record of a text is, as DynamoDB reckons: names and values.
func (s *stage) recordBytes(sid string) int {
	s.t.Helper()
	out, err := dynamodb.NewFromConfig(s.host.Direct("dynamodb")).GetItem(s.t.Context(), &dynamodb.GetItemInput{
		TableName: aws.String(s.host.Name("LedgerTable")),
		Key:       map[string]types.AttributeValue{"MessageSid": &types.AttributeValueMemberS{Value: sid}},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return sizeOf(&types.AttributeValueMemberM{Value: out.Item}) - 3
}

// sizeOf is what DynamoDB reckons for a value.
func sizeOf(value types.AttributeValue) int {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return len(v.Value)
	case *types.AttributeValueMemberN:
		return len(v.Value)/2 + 2
	case *types.AttributeValueMemberL:
		sum := 3
		for _, element := range v.Value {
			sum += 1 + sizeOf(element)
		}
		return sum
	case *types.AttributeValueMemberM:
		sum := 3
		for name, member := range v.Value {
			sum += len(name) + sizeOf(member)
		}
		return sum
	default:
		return 1
	}
}
