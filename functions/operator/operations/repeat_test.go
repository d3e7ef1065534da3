package operations_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// keyID is the id of the text of the key order-4711.
const keyID = "RL32f949f076ba86fa13fd049f2d7f606e"

// keyed is what the ledger has of the text with that key once a sender has taken it up.
func keyed() ledger.Record {
	return ledger.Record{
		MessageSid: keyID, State: ledger.Sent, Manual: true, TwilioNumber: relaytest.TwilioNumber, Customer: relaytest.Customer,
		Destination: relaytest.Destination, Body: "Gate 4 is open.", ReceivedAt: noon, UpdatedAt: noon,
	}
}

const keyedRequest = `{"twilio_number":"+18585550100","body":"Gate 4 is open.","from":"+18585550111","to":"+18585550122",` +
	`"idempotency_key":"order-4711"}`

// TestRepeatOfWhatTheLedgerHas is answered as the first was, and costs no message.
func TestRepeatOfWhatTheLedgerHas(t *testing.T) {
	s := newStage()
	s.store(t, keyed())
	a := s.ask(t, relay(keyedRequest))
	if a.status != http.StatusAccepted {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	compare(t, "answer", `{"id":"`+keyID+`","status_url":"/sms/status?message_sid=`+keyID+`","repeated":true}`, a.body)
	s.wantNothingDone(t)
	if !strings.Contains(s.logged.String(), `"repeated":true`) {
		t.Errorf("logged: %s", s.logged)
	}
}

// TestKeyOfAnotherText: a key that is used for a new text by mistake is refused, whatever is new in it.
func TestKeyOfAnotherText(t *testing.T) {
	for name, edit := range map[string]struct{ old, new string }{
		"another text":             {"Gate 4 is open.", "Gate 5 is open."},
		"a blank more":             {"Gate 4 is open.", "Gate 4 is open. "},
		"from someone else":        {"+18585550111", "+18585550112"},
		"from nobody":              {`"from":"+18585550111",`, ``},
		"to someone else":          {"+18585550122", "+18585550123"},
		"by the route":             {`"to":"+18585550122",`, ``},
		"from another number":      {"+18585550100", "+18585550101"},
		"another text, dry run":    {"Gate 4 is open.\"", "Gate 5 is open.\",\"dry_run\":true"},
		"the other case of a word": {"Gate", "gate"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage()
			s.store(t, keyed())
			a := s.ask(t, relay(strings.Replace(keyedRequest, edit.old, edit.new, 1)))
			a.wantProblem(t, http.StatusUnprocessableEntity, "idempotency_key: belongs to another text, "+keyID)
			if strings.Contains(a.body, "Gate") {
				t.Errorf("the answer shows a text: %s", a.body)
			}
			s.wantNothingDone(t)
		})
	}
}

// TestDryRunOfARepeat says that nothing would be queued.
func TestDryRunOfARepeat(t *testing.T) {
	s := newStage()
	s.store(t, keyed())
	a := s.ask(t, relay(strings.TrimSuffix(keyedRequest, "}")+`,"dry_run":true}`))
	var told operations.DryRun
	decode(t, a.body, &told)
	if told.Outcome != operations.Repeat || told.ID != keyID || told.Destination != "" || told.ExpiresAt != nil {
		t.Errorf("told %+v", told)
	}
	s.wantNothingDone(t)
}

// TestKeyWithoutTheLedger: a key that cannot be looked up might belong to another text. Without a key the ledger is not asked.
func TestKeyWithoutTheLedger(t *testing.T) {
	s := newStage()
	s.ledger.Fault = func(string) error { return &fault.Error{Kind: fault.Transient, Err: errors.New("store-internal-4711")} }
	a := s.ask(t, relay(keyedRequest))
	a.wantProblem(t, http.StatusServiceUnavailable, "send the same request again")
	if strings.Contains(a.body, "4711") || !strings.Contains(s.logged.String(), "store-internal-4711") {
		t.Errorf("answered %s, logged %s", a.body, s.logged)
	}
	s.wantNothingDone(t)
	if a := s.ask(t, with("", "")); a.status != http.StatusAccepted {
		t.Errorf("status without a key is %d", a.status)
	}
}
