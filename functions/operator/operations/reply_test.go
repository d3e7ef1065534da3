package operations_test

import (
	"net/http"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const replyTo = `{"twilio_number":"+18585550100","customer":"+18585550199","body":"At three."`

func reply(body string) events.APIGatewayV2HTTPRequest {
	return request(http.MethodPost, operations.PathReply, "", body)
}

// A reply is a text of nobody's name to the customer.
func TestReplyPutsOneEnvelopeOnTheQueue(t *testing.T) {
	s := newStage()
	a := s.ask(t, reply(replyTo+`}`))
	if a.status != http.StatusAccepted {
		t.Fatalf("status %d, want 202: %s", a.status, a.body)
	}
	compare(t, "answer", `{"id":"`+newID+`","status_url":"/sms/status?message_sid=`+newID+`"}`, a.body)
	compare(t, "envelope", queue.Envelope{
		Version: 1, Kind: queue.KindManual, RelayID: newID, ReceivedAt: noon, Destination: "+18585550199",
		Message: &sms.Message{Sid: newID, To: "+18585550100", Body: "At three."},
	}, s.envelope(t))
}

func TestReplyRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, body string
		status     int
		want       []string
	}{
		{"nobody", `{"twilio_number":"+18585550100","body":"x"}`, http.StatusBadRequest, []string{"customer: want E.164"}},
		{
			"a short code", `{"twilio_number":"+18585550100","customer":"24365","body":"x"}`, http.StatusBadRequest,
			[]string{"customer: want E.164"},
		},
		{
			"another's name", replyTo + `,"from":"Ann"}`, http.StatusBadRequest,
			[]string{`unknown field "from"`, "the fields are twilio_number, customer, body, idempotency_key and dry_run"},
		},
		{
			"the number itself", `{"twilio_number":"+18585550100","customer":"+18585550100","body":"x"}`, http.StatusUnprocessableEntity,
			[]string{"customer: is twilio_number itself"},
		},
		{
			"a phone on duty", `{"twilio_number":"+18585550100","customer":"` + string(relaytest.Destination) + `","body":"x"}`,
			http.StatusUnprocessableEntity,
			[]string{"is a phone on duty of +18585550100"},
		},
		{
			"from a number without a route", `{"twilio_number":"+18585550155","customer":"+18585550199","body":"x"}`, http.StatusConflict,
			[]string{"+18585550155 has no route (no_route)"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			s.ask(t, reply(tt.body)).wantProblem(t, tt.status, tt.want...)
			s.wantNothingDone(t)
		})
	}
}

// Nobody replies to a customer who has opted out, and a dry run says so.
func TestReplyToOptedOutIsRefused(t *testing.T) {
	s := newStage()
	s.optOut(t, "+18585550199", "CANCEL", true)
	s.ask(t, reply(replyTo+`}`)).wantProblem(t, http.StatusConflict,
		"customer: +18585550199 texted CANCEL to +18585550100")
	s.wantNothingDone(t)
	var told operations.DryRun
	decode(t, s.ask(t, reply(replyTo+`,"dry_run":true}`)).body, &told)
	if told.Outcome != operations.Drop || told.Reason != ledger.ReasonOptOut {
		t.Errorf("told %+v", told)
	}
}

// The same key is the same reply, and no other text.
func TestReplyIsRepeatable(t *testing.T) {
	s := newStage()
	r := relaytest.Record(1, noon)
	body := replyTo + `,"idempotency_key":"visit-4711"`
	var first operations.RelayAnswer
	decode(t, s.ask(t, reply(body+`}`)).body, &first)
	r.MessageSid, r.Manual, r.TwilioNumber, r.Customer, r.Destination, r.Body = first.ID, true, "+18585550100", "", "+18585550199", "At three."
	s.store(t, r)
	var again operations.RelayAnswer
	decode(t, s.ask(t, reply(body+`}`)).body, &again)
	if again.ID != first.ID || !again.Repeated {
		t.Errorf("again: %+v, first %+v", again, first)
	}
	s.ask(t, relay(`{"twilio_number":"+18585550100","body":"At three.","idempotency_key":"visit-4711"}`)).
		wantProblem(t, http.StatusUnprocessableEntity, "belongs to another text")
}
