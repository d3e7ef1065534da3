package operations_test

import (
	"net/http"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// optOut lets a phone opt out of texts from the usual number, or in again.
func (s stage) optOut(t *testing.T, phone sms.PhoneNumber, word string, out bool) {
	t.Helper()
	c, err := s.conversations.Get(t.Context(), relaytest.TwilioNumber, phone)
	if err != nil {
		t.Fatal(err)
	}
	c.OptOut = conversation.OptOut{OptedOut: out, Word: word, Since: noon, MessageSid: relaytest.MessageSid(1)}
	if _, err := s.conversations.Put(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// TestOptedOutIsRefused until START, with who said what and when.
func TestOptedOutIsRefused(t *testing.T) {
	s := newStage()
	s.optOut(t, "+18585550199", "CANCEL", true)
	s.ask(t, with("to", `"+18585550199"`)).wantProblem(t, http.StatusConflict,
		"+18585550199 texted CANCEL to +18585550100 on 2026-11-24T12:00:00Z", "until they text START")
	s.wantNothingDone(t)
	if strings.Contains(s.logged.String(), "+18585550199") {
		t.Errorf("the log shows the number: %s", s.logged)
	}
	if told := s.dryRun(t, `,"to":"+18585550199"`); told.Outcome != operations.Drop || told.Reason != ledger.ReasonOptOut {
		t.Errorf("told %+v", told)
	}
	s.optOut(t, "+18585550199", "START", false)
	if a := s.ask(t, with("to", `"+18585550199"`)); a.status != http.StatusAccepted {
		t.Errorf("after START: %d %s", a.status, a.body)
	}
}

// TestOnlyTheNamedPhoneIsAskedFor: a text by the route asks nobody, and at a hop the route's own mark decides.
func TestOnlyTheNamedPhoneIsAskedFor(t *testing.T) {
	s := newStage()
	if a := s.ask(t, with("", "")); a.status != http.StatusAccepted || s.conversations.Calls() != 0 {
		t.Errorf("%d %s, after %d questions", a.status, a.body, s.conversations.Calls())
	}
	s.optOut(t, relaytest.Destination, "STOP", true)
	if a := s.ask(t, with("to", `"`+string(relaytest.Destination)+`"`)); a.status != http.StatusAccepted {
		t.Errorf("to a hop: %d %s", a.status, a.body)
	}
}

// TestOptOutsAreUnreadable: the text waits on the queue, and the sender asks. A dry run cannot say.
func TestOptOutsAreUnreadable(t *testing.T) {
	s := newStage()
	s.conversations.Fault = func(string) error { return &fault.Error{Kind: fault.Transient} }
	s.ask(t, relay(`{"dry_run":true,"twilio_number":"+18585550100","body":"Gate 4 is open.","to":"+18585550199"}`)).
		wantProblem(t, http.StatusServiceUnavailable, "opted out")
	s.wantNothingDone(t)
	if a := s.ask(t, with("to", `"+18585550199"`)); a.status != http.StatusAccepted {
		t.Errorf("%d %s", a.status, a.body)
	}
}
